/** Stage spectrogram: decode the audio in a process of its own and store its mel spectrogram. */
import type { SpectrogramParameters } from '../shared/audio/parameters.ts';
import type { SpectrogramResult } from '../shared/audio/spectrogram.ts';
import { resolveEmbeddingFailures } from '../shared/database/embeddings.ts';
import type { Database } from '../shared/database/index.ts';
import { dropPreview } from '../shared/database/previews.ts';
import { loadAudio } from '../shared/database/uploads.ts';
import { PermanentError } from '../shared/errors.ts';
import { Locks } from '../shared/outside/locks.ts';
import type { AudioPayload } from '../shared/stages.ts';
import {
  type AudioSubject,
  findSubject,
  leaveUnwanted,
  markFailed,
  markReady,
  reuseSpectrogram,
  scoreWhenComplete,
} from './audio-subject.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';

type FindParameters = (hash: string) => Promise<SpectrogramParameters>;

export function buildSpectrogram(services: Services): Handler<'spectrogram'> {
  const { database, config } = services;
  const locks = new Locks(database.pool);
  const parameters = rememberedParameters(database);
  return {
    stage: 'spectrogram',
    run: async (payload, context) => {
      const subject = await findSubject(database, payload);
      if (!subject) return { outcome: 'skipped', why: 'its row is gone' };
      if (!subject.wanted) return leaveUnwanted(database, payload);
      const { contentHash } = subject;
      if (contentHash === null) return fetchAgain(payload);
      const make = () => makeSpectrogram(contentHash, subject, payload, context, services, parameters);
      // Tracks of one recording come one after the other: the second waits and finds it made.
      const name = `spectrogram ${contentHash} ${payload.parametersHash}`;
      return subject.shared ? locks.hold(name, context.signal, make) : make();
    },
    fail: async (payload, reason) => {
      const contentHash = (await findSubject(database, payload))?.contentHash;
      const failed = await markFailed(database, payload, reason, { forget: true });
      // Audio that is no good has no embedding either: one trouble, told once.
      await resolveEmbeddingFailures(database.pool, payload);
      // A retry fetches the audio anew: it may have been mended.
      if (contentHash && !config.keepPreviews) await dropPreview(database.pool, contentHash);
      return failed;
    },
  };
}

async function makeSpectrogram(
  contentHash: string,
  subject: AudioSubject,
  payload: AudioPayload,
  context: JobContext,
  services: Services,
  parametersOf: FindParameters,
): Promise<Outcome> {
  const { database } = services;
  const { parametersHash } = payload;
  const reused = await reuseSpectrogram(services, subject, { contentHash, parametersHash });
  if (reused) return reused;
  const bytes = await loadAudio(database.pool, contentHash);
  // Another job with the same audio but other parameters may have used the bytes up.
  if (!bytes) return fetchAgain(payload);

  const parameters = await parametersOf(parametersHash);
  const result = await services.spectrograms().make(bytes, parameters, context.signal);
  await storeSpectrogram(database, { contentHash, parametersHash }, result);
  await markReady(services, subject, contentHash, result);
  const { warnings } = result;
  return {
    outcome: 'done',
    ...(warnings.length > 0 ? { note: warnings.join('; ') } : {}),
    next: await scoreWhenComplete(database, payload),
  };
}

/** By plain SQL: Prisma would carry the levels through several encodings. */
async function storeSpectrogram(
  { pool }: Database,
  key: { contentHash: string; parametersHash: string },
  made: SpectrogramResult,
): Promise<void> {
  // The same audio may have been at work twice: the results are equal.
  await pool.query(
    `INSERT INTO spectrograms (content_hash, parameters_hash, bands, frames, max_db, levels, audio_hash,
       duration_seconds, excerpt_start_seconds, warnings)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
    [
      ...[key.contentHash, key.parametersHash, made.bands, made.frames, made.maxDb],
      ...[Buffer.from(made.levels.buffer, made.levels.byteOffset, made.levels.byteLength), made.audioHash],
      ...[made.durationSeconds, made.excerptStartSeconds, made.warnings],
    ],
  );
}

/** Parameters never change under their hash, so each is read once. */
function rememberedParameters({ prisma }: Database): FindParameters {
  const known = new Map<string, SpectrogramParameters>();
  return async (hash) => {
    const remembered = known.get(hash);
    if (remembered) return remembered;
    const row = await prisma.spectrogramParameters.findUnique({ where: { hash } });
    if (!row) throw new PermanentError(`no spectrogram parameters ${hash} are recorded`);
    const parameters = row.parameters as unknown as SpectrogramParameters;
    known.set(hash, parameters);
    return parameters;
  };
}

function fetchAgain(payload: AudioPayload): Outcome {
  return {
    outcome: 'skipped',
    why: 'its audio is not kept any more: it is fetched again',
    next: [{ stage: 'preview', payload }],
  };
}
