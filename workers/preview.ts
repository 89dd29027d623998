/** Stage preview: fetch the audio of a track or song and keep its bytes until the spectrogram is made. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findKnownAudio, markFetched, markTracksFailed, storeFetched } from '../shared/database/previews.ts';
import { CancelledError, PermanentError } from '../shared/errors.ts';
import { createPreviewFetcher, type PreviewFetcher } from '../shared/outside/fetch-preview.ts';
import { Locks } from '../shared/outside/locks.ts';
import { PartialDownload, removeOldDownloads } from '../shared/outside/partial-download.ts';
import type { Queues } from '../shared/queues/queues.ts';
import { hasExpired } from '../shared/sources/deezer/address.ts';
import type { AudioPayload } from '../shared/stages.ts';
import {
  type AudioSubject,
  findSubject,
  leaveUnwanted,
  markFailed,
  reuseSpectrogram,
} from './audio-subject.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';

/**
 * Downloads wait while so many spectrograms are to be made already: networks are faster than decoders,
 * and what is fetched lies in the database until it is decoded.
 */
const mostSpectrogramsWaiting = 500;
/** After so long, in milliseconds, a download begins all the same: spectrograms may be made by nobody. */
const longestPatienceMs = 10_000;
const patiencePollMs = 500;

export function buildPreview(services: Services): Handler<'preview'> {
  const folder = join(services.config.dataDir, 'downloads');
  removeOldDownloads(folder);
  const outside: Outside = {
    fetcher: createPreviewFetcher(services.config.outside),
    folder,
    locks: new Locks(services.database.pool),
    roomForMore: waitForRoom(services.queues),
  };
  return {
    stage: 'preview',
    run: (payload, context) => fetchPreview(payload, context, services, outside),
    fail: (payload, reason) => markFailed(services.database, payload, reason, { forget: false }),
  };
}

/** What is needed for audio that comes from the network. */
interface Outside {
  fetcher: PreviewFetcher;
  locks: Locks;
  /** Where downloads are kept while they come. */
  folder: string;
  roomForMore: (signal: AbortSignal) => Promise<void>;
}

async function fetchPreview(
  payload: AudioPayload,
  context: JobContext,
  services: Services,
  outside: Outside,
): Promise<Outcome> {
  const subject = await findSubject(services.database, payload);
  if (!subject) return { outcome: 'skipped', why: 'its row is gone' };
  if (!subject.wanted) return leaveUnwanted(services.database, payload);
  const { location, address } = subject;
  if (location === null) {
    throw new PermanentError(
      `no preview is offered: ${subject.source} gives none for this track, and none was found at Deezer`,
    );
  }
  if (address === null) {
    const bytes = await readAudioFile(location, services.config.audio.maxBytes);
    return keep(bytes, subject, payload, services);
  }
  // Who comes while another fetches the same address finds it fetched.
  return outside.locks.hold(address, context.signal, () =>
    fetchOnce(address, subject, payload, context, services, outside),
  );
}

/** Fetch what nobody has fetched yet. Only one job at a time is here for an address. */
async function fetchOnce(
  address: string,
  subject: AudioSubject,
  payload: AudioPayload,
  context: JobContext,
  services: Services,
  outside: Outside,
): Promise<Outcome> {
  const { pool } = services.database;
  const { parametersHash } = payload;
  const known = await findKnownAudio(pool, subject, parametersHash);
  if (!known) return { outcome: 'skipped', why: 'its row is gone' };
  const { contentHash } = known;
  if (contentHash !== null) {
    const reused = await reuseSpectrogram(services, subject, { contentHash, parametersHash });
    if (reused) return reused;
    await markFetched(pool, subject, contentHash);
    return {
      outcome: 'skipped',
      why: 'its audio has been fetched already',
      next: [{ stage: 'spectrogram', payload }],
    };
  }
  // It has failed with another track of the address. Whoever tries again sets it to queued first.
  if (known.state === 'failed') throw new PermanentError(known.failureReason ?? 'it has failed before');
  if (hasExpired(address, Date.now())) {
    if (known.crawlId === null) throw new PermanentError('the address of its preview has expired');
    const lookup = { trackId: payload.id, crawlId: known.crawlId, parametersHash };
    const why = 'the address of its preview has expired: it is asked for again';
    return { outcome: 'skipped', why, next: [{ stage: 'lookup', payload: lookup }] };
  }
  await outside.roomForMore(context.signal);
  const partial = new PartialDownload(outside.folder, address);
  const bytes = await outside.fetcher.fetch(address, context.signal, partial).catch(async (error: Error) => {
    // At once, so that whoever waits for the address does not ask for it in vain.
    if (error instanceof PermanentError) {
      partial.remove();
      await markTracksFailed(pool, subject, { reason: error.message, forget: false });
    }
    throw error;
  });
  const outcome = await keep(bytes, subject, payload, services);
  partial.remove();
  return outcome;
}

/** Keep the bytes until the spectrogram is made, unless it is there already. */
async function keep(
  bytes: Buffer,
  subject: AudioSubject,
  payload: AudioPayload,
  services: Services,
): Promise<Outcome> {
  const contentHash = createHash('sha256').update(bytes).digest('hex');
  const { parametersHash } = payload;
  const reused = await reuseSpectrogram(services, subject, { contentHash, parametersHash });
  if (reused) return reused;
  await storeFetched(services.database.pool, subject, contentHash, bytes);
  return { outcome: 'done', next: [{ stage: 'spectrogram', payload }] };
}

/** Returns what waits until there is room for another preview. The queue is looked at by one for all. */
function waitForRoom(queues: Queues): (signal: AbortSignal) => Promise<void> {
  let lookedAt = 0;
  let waiting: Promise<number> = Promise.resolve(0);
  const look = () => {
    if (Date.now() - lookedAt < patiencePollMs) return waiting;
    lookedAt = Date.now();
    waiting = queues.counts('spectrogram').then((counts) => counts.waiting);
    return waiting;
  };
  return async (signal) => {
    const end = Date.now() + longestPatienceMs;
    while ((await look()) > mostSpectrogramsWaiting && Date.now() < end) {
      await sleep(patiencePollMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) throw new CancelledError('stopped while the spectrograms were behind');
    }
  };
}

/**
 * Read an audio file whole.
 * @throws PermanentError when it is missing, unreadable, no file or larger than `maxBytes`
 */
async function readAudioFile(path: string, maxBytes: number): Promise<Buffer> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new PermanentError('this is not a file');
    if (found.size === 0) throw new PermanentError('the file is empty (0 bytes)');
    if (found.size > maxBytes) {
      const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
      throw new PermanentError(
        `the file has ${megabytes(found.size)} MB, over the limit of ${megabytes(maxBytes)} MB (AUDIO_MAX_MEGABYTES)`,
      );
    }
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new PermanentError('the file is not there (on this worker’s machine)');
    if (code === 'EACCES' || code === 'EPERM')
      throw new PermanentError('the file may not be read: permission denied');
    throw error;
  }
}
