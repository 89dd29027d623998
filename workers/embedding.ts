/**
 * Stage embedding: let the music tagger listen to the audio of a track or song, and store what it says.
 * Whatever becomes of it, the spectrogram is made next: without an embedding a track is worth a little
 * less, and not lost.
 */
import { hasEmbedding, resolveEmbeddingFailures, storeEmbedding } from '../shared/database/embeddings.ts';
import { forgetAudio, inTransaction, loadAudio } from '../shared/database/uploads.ts';
import { UserError } from '../shared/errors.ts';
import { Locks } from '../shared/outside/locks.ts';
import type { NextJob } from '../shared/queues/queues.ts';
import type { AudioPayload } from '../shared/stages.ts';
import { taggerInput } from '../shared/tagger/input.ts';
import { findTagger, taggerName } from '../shared/tagger/provision.ts';
import { type AudioSubject, failureSubject, findSubject, leaveUnwanted } from './audio-subject.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';

export function buildEmbedding(services: Services): Handler<'embedding'> {
  const { database } = services;
  const locks = new Locks(database.pool);
  return {
    stage: 'embedding',
    run: async (payload, context) => {
      const subject = await findSubject(database, payload);
      if (!subject) return { outcome: 'skipped', why: 'its row is gone' };
      if (!subject.wanted) return leaveUnwanted(database, payload);
      const embed = () => embedAudio(subject, payload, context, services);
      // Tracks of one recording come one after the other: the second waits and finds it made.
      return subject.shared ? locks.hold(`embedding ${subject.contentHash}`, context.signal, embed) : embed();
    },
    fail: async (payload) => {
      const subject = await failureSubject(database, payload);
      return subject && { subject, next: spectrogramOf(payload) };
    },
  };
}

async function embedAudio(
  { contentHash }: AudioSubject,
  payload: AudioPayload,
  context: JobContext,
  services: Services,
): Promise<Outcome> {
  const { config, database } = services;
  const { pool } = database;
  const handOn = (why: string): Outcome => ({ outcome: 'skipped', why, next: spectrogramOf(payload) });
  if (config.tagger === 'off') return handOn('the tagger is off (TAGGER=off)');
  if (contentHash === null) return handOn('its audio is not kept any more');
  if (await hasEmbedding(pool, contentHash, taggerName)) {
    await resolveEmbeddingFailures(pool, payload);
    return handOn('the embedding of this audio is there');
  }
  if (findTagger(config.cacheDir) === undefined) return handOn('the tagger is not set up on this machine');
  const bytes = await loadAudio(pool, contentHash);
  // The spectrogram of the same audio may have been made meanwhile, which used the bytes up.
  if (!bytes) return handOn('its audio is not kept any more');

  const logMel = await services.spectrograms().makeLogMel(bytes, taggerInput, context.signal);
  let values: Float32Array;
  try {
    values = await services.tagger().embed(logMel, context.signal);
  } catch (error) {
    // What this machine lacks is no failure of the track's.
    if (error instanceof UserError) return handOn(error.message);
    throw error;
  }
  await storeEmbedding(pool, { contentHash, tagger: taggerName }, values);
  if (payload.kind === 'song' && !(await findSubject(database, payload))) {
    // Deleted while it was at work: nothing of it stays.
    await inTransaction(pool, (db) => forgetAudio(db, [contentHash]));
  }
  await resolveEmbeddingFailures(pool, payload);
  return { outcome: 'done', next: spectrogramOf(payload) };
}

function spectrogramOf(payload: AudioPayload): NextJob[] {
  return [{ stage: 'spectrogram', payload }];
}
