/** Everything that went wrong for good is a row with its reason: to be seen, retried or dismissed. */
import type pg from 'pg';
import type { Failure, FailureKind, Prisma, PrismaClient } from './database/generated/client.ts';
import { causeOf } from './failure-causes.ts';
import { type StageName, type StagePayloads, stageNames } from './stages.ts';

/** What a failure belongs to, besides its stage. */
export interface FailureSubject {
  /** What a person would call it: a file, a model. */
  subject: string;
  crawlId?: number | null;
  trackId?: number;
  songId?: number;
  modelId?: number;
}

export interface NewFailure extends FailureSubject {
  stage: string;
  kind: FailureKind;
  reason: string;
  attempts: number;
  payload?: Prisma.InputJsonValue;
}

/**
 * Record a failure. The same thing failing again at the same stage replaces its open row, so that a
 * person reads each trouble once.
 */
export async function recordFailure(prisma: Prisma.TransactionClient, failure: NewFailure): Promise<void> {
  const { stage, subject, trackId, songId, modelId, crawlId } = failure;
  await prisma.failure.deleteMany({
    where: {
      stage,
      state: { in: ['open', 'retried'] },
      ...(trackId
        ? { trackId }
        : songId
          ? { songId }
          : modelId
            ? { modelId }
            : { subject, crawlId: crawlId ?? null }),
    },
  });
  await prisma.failure.create({
    data: { ...failure, cause: causeOf(failure.reason), crawlId: crawlId ?? null },
  });
}

/**
 * What was retried and then went well needs no more attention.
 * @param except what went wrong at this stage is another matter
 */
export async function resolveFailures(
  prisma: Prisma.TransactionClient,
  where: { trackId: number } | { songId: number } | { modelId: number },
  except?: StageName,
): Promise<void> {
  await prisma.failure.updateMany({
    where: { ...where, ...(except ? { stage: { not: except } } : {}), state: { in: ['open', 'retried'] } },
    data: { state: 'resolved' },
  });
}

/** A failure whose job can be made again from what was recorded. */
export function jobOf(failure: Failure): { stage: StageName; payload: StagePayloads[StageName] } | null {
  if (!stageNames.includes(failure.stage as StageName) || failure.payload === null) return null;
  return { stage: failure.stage as StageName, payload: failure.payload as StagePayloads[StageName] };
}

export interface FailureFilter {
  state?: 'open' | 'retried' | 'resolved' | 'dismissed';
  stage?: string;
  /** Part of the reason, without regard to case. */
  reason?: string;
  /** What it is counted under, to the letter. */
  cause?: string;
  /** Part of the reason or the subject, without regard to case. */
  text?: string;
  /** Leaves out what songs are called when `text` is looked for. */
  blindToSongs?: boolean;
  songId?: number;
  trackId?: number;
  crawlId?: number;
  ids?: number[];
  /** None that was recorded after this one. */
  upToId?: number;
  /** Only what was recorded after this one. */
  afterId?: number;
}

export function failureWhere(filter: FailureFilter): Prisma.FailureWhereInput {
  return {
    ...(filter.state ? { state: filter.state } : {}),
    ...(filter.stage ? { stage: filter.stage } : {}),
    ...(filter.reason ? { reason: containing(filter.reason) } : {}),
    ...(filter.cause ? { cause: filter.cause } : {}),
    ...(filter.text
      ? {
          OR: [
            { reason: containing(filter.text) },
            { subject: containing(filter.text), ...(filter.blindToSongs ? { songId: null } : {}) },
          ],
        }
      : {}),
    ...(filter.crawlId ? { crawlId: filter.crawlId } : {}),
    ...(filter.songId ? { songId: filter.songId } : {}),
    ...(filter.trackId ? { trackId: filter.trackId } : {}),
    ...(filter.ids || filter.upToId || filter.afterId
      ? {
          id: {
            ...(filter.ids ? { in: filter.ids } : {}),
            ...(filter.upToId ? { lte: filter.upToId } : {}),
            ...(filter.afterId ? { gt: filter.afterId } : {}),
          },
        }
      : {}),
  };
}

const containing = (text: string) => ({ contains: literally(text), mode: 'insensitive' as const });

/** Prisma hands the text to LIKE as it is, where % and _ stand for others. */
export function literally(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

/** The failures that fit, newest first, at most `limit` of them. */
export async function listFailures(
  prisma: PrismaClient,
  filter: FailureFilter,
  limit: number,
): Promise<Failure[]> {
  return prisma.failure.findMany({ where: failureWhere(filter), orderBy: { id: 'desc' }, take: limit });
}

/** A page of a crawl that failed before has been asked after all. */
export async function resolveCrawlFailures(
  db: Pick<pg.ClientBase, 'query'>,
  stage: StageName,
  crawlId: number,
  subject: string,
): Promise<void> {
  await db.query(
    `UPDATE failures SET state = 'resolved', updated_at = now()
     WHERE crawl_id = $1 AND stage = $2 AND subject = $3 AND state IN ('open', 'retried')`,
    [crawlId, stage, subject],
  );
}
