/**
 * What the preview and spectrogram stages work on: a track of the catalogue or a song to be judged.
 * Both go through the same stages; they differ only in the row that keeps their state.
 */
import type { Database } from '../shared/database/index.ts';
import {
  type AudioRow,
  findTrack,
  markTracksFailed,
  markTracksReady,
  putBackTrack,
} from '../shared/database/previews.ts';
import { forgetAudio, inTransaction } from '../shared/database/uploads.ts';
import { type FailureSubject, resolveFailures } from '../shared/failures.ts';
import { recorder } from '../shared/metrics/recorder.ts';
import type { NextJob } from '../shared/queues/queues.ts';
import type { AudioPayload } from '../shared/stages.ts';
import type { Outcome, Services } from './handler.ts';

export interface AudioSubject extends AudioRow {
  /** Where the audio is read from: an absolute path or an address; null where none is known. */
  location: string | null;
  /** sha256 of the bytes, once they have been fetched. */
  contentHash: string | null;
  /** False when nobody waits for it: its crawls or its batch were cancelled. */
  wanted: boolean;
  /** Whether other rows have the same location. */
  shared: boolean;
  /** Who offered it, for people. */
  source: string;
}

/** The row behind a payload, or null when it has been deleted since. */
export async function findSubject(database: Database, payload: AudioPayload): Promise<AudioSubject | null> {
  const { kind, id } = payload;
  if (kind === 'track') {
    const track = await findTrack(database.pool, id);
    return track && { ...track, kind, id, address: addressOf(track.location) };
  }
  const song = await database.prisma.song.findUnique({ where: { id }, include: { batch: true } });
  if (!song) return null;
  const { location, contentHash, batch } = song;
  const wanted = batch.state !== 'cancelled';
  return { kind, id, address: null, location, contentHash, wanted, shared: false, source: 'an upload' };
}

/** A location that is fetched over the network, or null: a file, or none. */
function addressOf(location: string | null): string | null {
  return location !== null && /^https?:/i.test(location) ? location : null;
}

/** Nobody waits for the row any more: leave it, so that it can be asked for again. */
export async function leaveUnwanted(database: Database, { kind, id }: AudioPayload): Promise<Outcome> {
  if (kind === 'song') return { outcome: 'skipped', why: 'its batch was cancelled' };
  await putBackTrack(database.pool, id);
  return { outcome: 'skipped', why: 'its crawl was cancelled' };
}

/** What is told of a spectrogram to the row that it belongs to. */
export interface SpectrogramFacts {
  durationSeconds: number;
  warnings: string[];
}

/** The spectrogram is stored: the track may be learned from, the song may be scored. The bytes have served. */
export async function markReady(
  { database, config }: Services,
  row: AudioRow,
  contentHash: string,
  { durationSeconds, warnings }: SpectrogramFacts,
): Promise<void> {
  const keepPreview = config.keepPreviews;
  if (row.kind === 'track') {
    // A preview is a part of a recording, a file is the whole.
    const durationMs = row.address === null ? Math.round(durationSeconds * 1000) : null;
    const fresh = await markTracksReady(database.pool, row, { contentHash, durationMs, keepPreview });
    recorder.count('hiphop_recordings_ready_total', { kind: 'track' }, fresh);
    return;
  }
  const data = { state: 'ready' as const, contentHash, failureReason: null, warnings };
  const moved = await database.prisma.$transaction(async (transaction) => {
    const { count } = await transaction.song.updateMany({ where: { id: row.id }, data });
    await resolveFailures(transaction, { songId: row.id }, 'embedding');
    if (!keepPreview) await transaction.preview.deleteMany({ where: { contentHash } });
    return count;
  });
  // Deleted while it was at work: nothing of it stays.
  if (moved === 0) await inTransaction(database.pool, (db) => forgetAudio(db, [contentHash]));
  recorder.count('hiphop_recordings_ready_total', { kind: 'song' });
}

/** Use the spectrogram that the same audio already has: the outcome, or null when there is none. */
export async function reuseSpectrogram(
  services: Services,
  row: AudioRow,
  { contentHash, parametersHash }: { contentHash: string; parametersHash: string },
): Promise<Outcome | null> {
  const { rows } = await services.database.pool.query<SpectrogramFacts>(
    `SELECT duration_seconds AS "durationSeconds", warnings FROM spectrograms
     WHERE content_hash = $1 AND parameters_hash = $2`,
    [contentHash, parametersHash],
  );
  const [made] = rows;
  if (!made) return null;
  await markReady(services, row, contentHash, made);
  return {
    outcome: 'skipped',
    why: 'the spectrogram of this audio is there',
    next: await scoreWhenComplete(services.database, row),
  };
}

/**
 * Mark the row failed for good.
 * @param options.forget the audio itself is no good: whoever tries again fetches it anew
 * @returns what the failure belongs to and what follows all the same; null when the row is gone
 */
export async function markFailed(
  database: Database,
  payload: AudioPayload,
  reason: string,
  { forget }: { forget: boolean },
): Promise<{ subject: FailureSubject; next: NextJob[] } | null> {
  const { kind, id } = payload;
  const { prisma } = database;
  if (kind === 'track') {
    const subject = await findSubject(database, payload);
    if (!subject) return null;
    await markTracksFailed(database.pool, subject, { reason, forget });
    return { subject: await trackSubject(database, id), next: [] };
  }
  const data = { state: 'failed' as const, failureReason: reason };
  const { count } = await prisma.song.updateMany({ where: { id }, data });
  if (count === 0) return null;
  const song = await prisma.song.findUniqueOrThrow({ where: { id } });
  const next = await scoreWhenComplete(database, { kind, id });
  return { subject: { subject: song.file, songId: id }, next };
}

/** What a failure of a track or song belongs to; null when the row is gone. */
export async function failureSubject(
  database: Database,
  { kind, id }: AudioPayload,
): Promise<FailureSubject | null> {
  if (kind === 'song') {
    const song = await database.prisma.song.findUnique({ where: { id } });
    return song && { subject: song.file, songId: id };
  }
  const track = await database.prisma.track.findUnique({ where: { id }, select: { id: true } });
  return track && trackSubject(database, id);
}

/** What a failure of a track belongs to: the newest crawl that saw it. */
async function trackSubject({ prisma }: Database, id: number): Promise<FailureSubject> {
  const crawl = await prisma.crawlTrack.findFirst({
    where: { trackId: id },
    orderBy: { crawlId: 'desc' },
    include: { track: true },
  });
  const subject = crawl?.file ?? crawl?.track.title ?? `track-${id}`;
  return { subject, trackId: id, crawlId: crawl?.crawlId ?? null };
}

/**
 * The score job of a song's batch, once no song of it is under way. Two songs that end together may
 * both see it complete: the job's id makes it one job.
 */
export async function scoreWhenComplete(
  { prisma }: Database,
  { kind, id }: Pick<AudioRow, 'kind' | 'id'>,
): Promise<NextJob[]> {
  if (kind === 'track') return [];
  const song = await prisma.song.findUnique({ where: { id }, include: { batch: true } });
  if (song?.batch.state !== 'running') return [];
  const underWay = await prisma.song.count({
    where: { batchId: song.batchId, state: { in: ['queued', 'fetched'] } },
  });
  return underWay === 0 ? [{ stage: 'score', payload: { batchId: song.batchId } }] : [];
}
