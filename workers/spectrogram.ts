/** Stage spectrogram: decode the audio in a process of its own and store its mel spectrogram. */
import type { SpectrogramParameters } from '../shared/audio/parameters.ts';
import { loadPreview } from '../shared/database/previews.ts';
import { PermanentError } from '../shared/errors.ts';
import type { AudioPayload } from '../shared/stages.ts';
import { findSubject, markFailed, markReady, reuseSpectrogram, scoreWhenComplete } from './audio-subject.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';

export function buildSpectrogram(services: Services): Handler<'spectrogram'> {
  return {
    stage: 'spectrogram',
    run: (payload, context) => storeSpectrogram(payload, context, services),
    fail: async (payload, reason) => {
      const { prisma } = services.database;
      // A retry fetches the audio anew: it may have been mended.
      const contentHash = (await findSubject(prisma, payload))?.contentHash;
      if (contentHash && !services.config.keepPreviews)
        await prisma.preview.deleteMany({ where: { contentHash } });
      return markFailed(prisma, payload, reason);
    },
  };
}

async function storeSpectrogram(
  payload: AudioPayload,
  context: JobContext,
  services: Services,
): Promise<Outcome> {
  const { database, config } = services;
  const { prisma } = database;
  const { parametersHash } = payload;
  const subject = await findSubject(prisma, payload);
  if (!subject) return { outcome: 'skipped', why: 'its row is gone' };
  if (!subject.wanted) return { outcome: 'skipped', why: 'its batch was cancelled' };

  const { contentHash } = subject;
  if (contentHash === null) return fetchAgain(payload);
  const reused = await reuseSpectrogram(prisma, payload, contentHash);
  if (reused) return reused;
  const bytes = await loadPreview(database.pool, contentHash);
  // Another job with the same audio but other parameters may have used the bytes up.
  if (!bytes) return fetchAgain(payload);

  const parameters = await prisma.spectrogramParameters.findUnique({ where: { hash: parametersHash } });
  if (!parameters) throw new PermanentError(`no spectrogram parameters ${parametersHash} are recorded`);
  const result = await services
    .spectrograms()
    .make(bytes, parameters.parameters as unknown as SpectrogramParameters, context.signal);

  const { bands, frames, maxDb, audioHash, durationSeconds, excerptStartSeconds, warnings } = result;
  const row = { bands, frames, maxDb, audioHash, durationSeconds, excerptStartSeconds, warnings };
  await prisma.$transaction(async (transaction) => {
    await transaction.spectrogram.createMany({
      data: [{ contentHash, parametersHash, levels: new Uint8Array(result.levels), ...row }],
      skipDuplicates: true, // the same audio may have been at work twice: the results are equal
    });
    await markReady(transaction, payload, contentHash, row);
    if (!config.keepPreviews) await transaction.preview.deleteMany({ where: { contentHash } });
  });
  return {
    outcome: 'done',
    ...(warnings.length > 0 ? { note: warnings.join('; ') } : {}),
    next: await scoreWhenComplete(prisma, payload),
  };
}

function fetchAgain(payload: AudioPayload): Outcome {
  return {
    outcome: 'skipped',
    why: 'its audio is not kept any more: it is fetched again',
    next: [{ stage: 'preview', payload }],
  };
}
