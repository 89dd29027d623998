/**
 * Stage preview: fetch the audio of a track or song and keep its bytes until the spectrogram is made. What has
 * no embedding yet is embedded first, where there is a tagger; also when the spectrogram is there already.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  findKnownAudio,
  forgetAddress,
  type KnownAudio,
  markFetched,
  markTracksFailed,
  storeFetched,
} from '../shared/database/previews.ts';
import { hasUpload, uploadedHash } from '../shared/database/uploads.ts';
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
import { EmbeddingRoute } from './embedding-route.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';

/**
 * Downloads wait while so much audio is to be decoded already: networks are faster than decoders,
 * and what is fetched lies in the database until it is decoded.
 */
const mostWaiting = 500;
/** After so long, in milliseconds, a download begins all the same: spectrograms may be made by nobody. */
const longestPatienceMs = 10_000;
const patiencePollMs = 500;

export function buildPreview(services: Services): Handler<'preview'> {
  const folder = join(services.config.dataDir, 'downloads');
  removeOldDownloads(folder);
  const route = new EmbeddingRoute(services);
  const outside: Outside = {
    fetcher: createPreviewFetcher(services.config.outside),
    folder,
    locks: new Locks(services.database.pool),
    roomForMore: waitForRoom(services.queues),
  };
  return {
    stage: 'preview',
    run: (payload, context) => fetchPreview(payload, context, { services, route, outside }),
    fail: (payload, reason) => markFailed(services.database, payload, reason, { forget: false }),
  };
}

interface Parts {
  services: Services;
  route: EmbeddingRoute;
  outside: Outside;
}

/** What is needed for audio that comes from the network. */
interface Outside {
  fetcher: PreviewFetcher;
  locks: Locks;
  /** Where downloads are kept while they come. */
  folder: string;
  roomForMore: (signal: AbortSignal) => Promise<void>;
}

async function fetchPreview(payload: AudioPayload, context: JobContext, parts: Parts): Promise<Outcome> {
  const { services, outside } = parts;
  const subject = await findSubject(services.database, payload);
  if (!subject) return { outcome: 'skipped', why: 'its row is gone' };
  if (!subject.wanted) return leaveUnwanted(services.database, payload);
  const { location, address } = subject;
  if (location === null) {
    throw new PermanentError(
      `no preview is offered: ${subject.source} gives none for this track, and none was found at Deezer`,
    );
  }
  const uploaded = uploadedHash(location);
  if (uploaded !== null) return takeUpload(uploaded, subject, payload, parts);
  if (address === null) {
    const bytes = await readAudioFile(location, services.config.audio.maxBytes);
    return keep(bytes, subject, payload, parts);
  }
  // Who comes while another fetches the same address finds it fetched.
  return outside.locks.hold(address, context.signal, () =>
    fetchOnce(address, subject, payload, context, parts),
  );
}

/** Fetch what nobody has fetched yet. Only one job at a time is here for an address. */
async function fetchOnce(
  address: string,
  subject: AudioSubject,
  payload: AudioPayload,
  context: JobContext,
  parts: Parts,
): Promise<Outcome> {
  const { services, outside } = parts;
  const { pool } = services.database;
  const { parametersHash } = payload;
  const known = await findKnownAudio(pool, subject, parametersHash);
  if (!known) return { outcome: 'skipped', why: 'its row is gone' };
  const used = await takeKnown(known, subject, payload, parts);
  if (used) return used;
  // It has failed with another track of the address. Whoever tries again sets it to queued first.
  if (known.state === 'failed') throw new PermanentError(known.failureReason ?? 'it has failed before');
  if (hasExpired(address, Date.now())) {
    if (known.crawlId === null) throw new PermanentError('the address of its preview has expired');
    const lookup = { trackId: payload.id, crawlId: known.crawlId, parametersHash };
    // A track that is ready is looked up only where it has no address.
    if (known.state === 'ready') await forgetAddress(pool, subject);
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
  const outcome = await keep(bytes, subject, payload, parts);
  partial.remove();
  return outcome;
}

/** Use what is there of the address's audio: the outcome, or null when it has to be fetched. */
async function takeKnown(
  { contentHash, kept }: KnownAudio,
  subject: AudioSubject,
  payload: AudioPayload,
  { services, route }: Parts,
): Promise<Outcome | null> {
  if (contentHash === null) return null;
  const embed = await route.wants(contentHash);
  if (embed && !kept) return null;
  if (!embed) {
    const { parametersHash } = payload;
    const reused = await reuseSpectrogram(services, subject, { contentHash, parametersHash });
    if (reused) return reused;
  }
  await markFetched(services.database.pool, subject, contentHash);
  const why = 'its audio has been fetched already';
  return { outcome: 'skipped', why, next: [{ stage: embed ? 'embedding' : 'spectrogram', payload }] };
}

/** An upload is in the database already and stays there: its song alone moves on. */
async function takeUpload(
  contentHash: string,
  subject: AudioSubject,
  payload: AudioPayload,
  parts: Parts,
): Promise<Outcome> {
  const { pool } = parts.services.database;
  if (!(await hasUpload(pool, contentHash))) {
    throw new PermanentError('the uploaded file is not kept: upload it again');
  }
  return moveOn(contentHash, () => markFetched(pool, subject, contentHash), subject, payload, parts);
}

/** Keep the bytes until the embedding and the spectrogram are made, unless they are there already. */
async function keep(
  bytes: Buffer,
  subject: AudioSubject,
  payload: AudioPayload,
  parts: Parts,
): Promise<Outcome> {
  const contentHash = createHash('sha256').update(bytes).digest('hex');
  const store = () => storeFetched(parts.services.database.pool, subject, contentHash, bytes);
  return moveOn(contentHash, store, subject, payload, parts);
}

async function moveOn(
  contentHash: string,
  store: () => Promise<void>,
  subject: AudioSubject,
  payload: AudioPayload,
  { services, route }: Parts,
): Promise<Outcome> {
  const { parametersHash } = payload;
  const embed = await route.wants(contentHash);
  if (!embed) {
    const reused = await reuseSpectrogram(services, subject, { contentHash, parametersHash });
    if (reused) return reused;
  }
  await store();
  return { outcome: 'done', next: [{ stage: embed ? 'embedding' : 'spectrogram', payload }] };
}

/** Returns what waits until there is room for another preview. The queue is looked at by one for all. */
function waitForRoom(queues: Queues): (signal: AbortSignal) => Promise<void> {
  let lookedAt = 0;
  let waiting: Promise<number> = Promise.resolve(0);
  const look = () => {
    if (Date.now() - lookedAt < patiencePollMs) return waiting;
    lookedAt = Date.now();
    waiting = Promise.all([queues.counts('embedding'), queues.counts('spectrogram')]).then(
      ([embedding, spectrogram]) => embedding.waiting + spectrogram.waiting,
    );
    return waiting;
  };
  return async (signal) => {
    const end = Date.now() + longestPatienceMs;
    while ((await look()) > mostWaiting && Date.now() < end) {
      await sleep(patiencePollMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) throw new CancelledError('stopped while the decoding was behind');
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
