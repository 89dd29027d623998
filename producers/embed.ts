/** Embed: let the music tagger listen to what is ready already and was ingested before there was a tagger. */
import { UserError } from '../shared/errors.ts';
import type { NextJob } from '../shared/queues/queues.ts';
import { taggerName } from '../shared/tagger/provision.ts';
import type { Session } from './session.ts';

export interface EmbedScope {
  /** Only the tracks of this data set. */
  dataSet?: string;
  /** Only these. */
  trackIds?: readonly number[];
}

/** @throws UserError when there is no such data set */
async function dataSetId({ database }: Session, name: string | undefined): Promise<number | null> {
  if (name === undefined) return null;
  const found = await database.prisma.dataSet.findUnique({ where: { name }, select: { id: true } });
  if (!found) throw new UserError(`there is no data set ${name}`);
  return found.id;
}

/** The tracks that are ready and have no embedding, as the jobs that fetch their audio once more. */
async function missingJobs(session: Session, scope: EmbedScope): Promise<NextJob[]> {
  const { rows } = await session.database.pool.query<{ id: number; parametersHash: string }>(
    `SELECT t.id, made.parameters_hash AS "parametersHash" FROM tracks t
     CROSS JOIN LATERAL (SELECT s.parameters_hash FROM spectrograms s WHERE s.content_hash = t.content_hash
       ORDER BY s.created_at DESC LIMIT 1) AS made
     WHERE t.state = 'ready' AND t.location IS NOT NULL
       AND NOT EXISTS (SELECT FROM embeddings e WHERE e.content_hash = t.content_hash AND e.tagger = $1)
       AND ($2::int IS NULL OR EXISTS (SELECT FROM data_set_tracks d
         WHERE d.data_set_id = $2 AND d.track_id = t.id AND d.content_hash = t.content_hash))
       AND ($3::int[] IS NULL OR t.id = ANY($3))
     ORDER BY t.id`,
    [taggerName, await dataSetId(session, scope.dataSet), scope.trackIds ?? null],
  );
  return rows.map(({ id, parametersHash }) => ({
    stage: 'preview',
    payload: { kind: 'track', id, parametersHash },
  }));
}

export async function countMissing(session: Session, scope: EmbedScope = {}): Promise<number> {
  return (await missingJobs(session, scope)).length;
}

/**
 * Enqueue what is ready and has no embedding. Its state is left as it is: nobody misses a track meanwhile.
 * @returns how many tracks that is
 */
export async function enqueueEmbeddings(session: Session, scope: EmbedScope = {}): Promise<number> {
  const jobs = await missingJobs(session, scope);
  await session.queues.enqueueNext(jobs);
  return jobs.length;
}
