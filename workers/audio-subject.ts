/**
 * What the preview and spectrogram stages work on: a track of the catalogue or a song to be judged.
 * Both go through the same stages; they differ only in the row that keeps their state.
 */
import type { Prisma, PrismaClient } from '../shared/database/generated/client.ts';
import { type FailureSubject, resolveFailures } from '../shared/failures.ts';
import type { NextJob } from '../shared/queues/queues.ts';
import type { AudioPayload } from '../shared/stages.ts';
import type { Outcome } from './handler.ts';

export interface AudioSubject {
  /** Where the audio is read from: an absolute path or an https address; null where none is known. */
  location: string | null;
  /** sha256 of the bytes, once they have been fetched. */
  contentHash: string | null;
  /** False when the row waits for nothing: its batch was cancelled. */
  wanted: boolean;
}

/** The row behind a payload, or null when it has been deleted since. */
export async function findSubject(prisma: PrismaClient, payload: AudioPayload): Promise<AudioSubject | null> {
  if (payload.kind === 'track') {
    const track = await prisma.track.findUnique({ where: { id: payload.id } });
    return track && { ...track, wanted: true };
  }
  const song = await prisma.song.findUnique({ where: { id: payload.id }, include: { batch: true } });
  return song && { ...song, wanted: song.batch.state !== 'cancelled' };
}

/** The audio's bytes are stored under this hash. */
export async function markFetched(
  prisma: Prisma.TransactionClient,
  payload: AudioPayload,
  contentHash: string,
): Promise<void> {
  const data = { state: 'fetched' as const, contentHash, failureReason: null };
  if (payload.kind === 'track') await prisma.track.updateMany({ where: { id: payload.id }, data });
  else await prisma.song.updateMany({ where: { id: payload.id }, data });
}

/** The spectrogram is stored: the track may be learned from, the song may be scored. */
export async function markReady(
  prisma: Prisma.TransactionClient,
  payload: AudioPayload,
  contentHash: string,
  found: { durationSeconds: number; warnings: string[] },
): Promise<void> {
  const data = { state: 'ready' as const, contentHash, failureReason: null };
  if (payload.kind === 'track') {
    const durationMs = Math.round(found.durationSeconds * 1000);
    await prisma.track.updateMany({ where: { id: payload.id }, data });
    await prisma.track.updateMany({ where: { id: payload.id, durationMs: null }, data: { durationMs } });
    await resolveFailures(prisma, { trackId: payload.id });
  } else {
    await prisma.song.updateMany({ where: { id: payload.id }, data: { ...data, warnings: found.warnings } });
    await resolveFailures(prisma, { songId: payload.id });
  }
}

/** Use the spectrogram that the same audio already has: the outcome, or null when there is none. */
export async function reuseSpectrogram(
  prisma: PrismaClient,
  payload: AudioPayload,
  contentHash: string,
): Promise<Outcome | null> {
  const made = await prisma.spectrogram.findUnique({
    where: { contentHash_parametersHash: { contentHash, parametersHash: payload.parametersHash } },
    select: { durationSeconds: true, warnings: true },
  });
  if (!made) return null;
  await markReady(prisma, payload, contentHash, made);
  return {
    outcome: 'skipped',
    why: 'the spectrogram of this audio is there',
    next: await scoreWhenComplete(prisma, payload),
  };
}

/** Mark the row failed for good. Returns what the failure belongs to and what follows all the same. */
export async function markFailed(
  prisma: PrismaClient,
  payload: AudioPayload,
  reason: string,
): Promise<{ subject: FailureSubject; next: NextJob[] } | null> {
  const data = { state: 'failed' as const, failureReason: reason };
  if (payload.kind === 'track') {
    const { count } = await prisma.track.updateMany({ where: { id: payload.id }, data });
    if (count === 0) return null;
    const crawl = await prisma.crawlTrack.findFirst({
      where: { trackId: payload.id },
      orderBy: { crawlId: 'desc' },
      include: { track: true },
    });
    const subject = crawl?.file ?? crawl?.track.title ?? `track-${payload.id}`;
    return { subject: { subject, trackId: payload.id, crawlId: crawl?.crawlId ?? null }, next: [] };
  }
  const { count } = await prisma.song.updateMany({ where: { id: payload.id }, data });
  if (count === 0) return null;
  const song = await prisma.song.findUniqueOrThrow({ where: { id: payload.id } });
  return { subject: { subject: song.file, songId: song.id }, next: await scoreWhenComplete(prisma, payload) };
}

/**
 * The score job of a song's batch, once no song of it is under way. Two songs that end together may
 * both see it complete: the job's id makes it one job.
 */
export async function scoreWhenComplete(prisma: PrismaClient, payload: AudioPayload): Promise<NextJob[]> {
  if (payload.kind === 'track') return [];
  const song = await prisma.song.findUnique({ where: { id: payload.id }, include: { batch: true } });
  if (song?.batch.state !== 'running') return [];
  const underWay = await prisma.song.count({
    where: { batchId: song.batchId, state: { in: ['queued', 'fetched'] } },
  });
  return underWay === 0 ? [{ stage: 'score', payload: { batchId: song.batchId } }] : [];
}
