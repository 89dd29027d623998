/** Judge audio that has spectrograms by a model of the registry. */
import { createHash } from 'node:crypto';
import { readSpectrograms } from '../shared/data-sets/cache.ts';
import { factNames } from '../shared/data-sets/facts.ts';
import { readEmbeddings } from '../shared/database/embeddings.ts';
import type { Model, ModelWeights } from '../shared/database/generated/client.ts';
import type { Database } from '../shared/database/index.ts';
import { PermanentError } from '../shared/errors.ts';
import { publicId } from '../shared/identifiers.ts';
import { modelFamily } from '../shared/learning/families.ts';
import type { JsonObject } from '../shared/learning/family.ts';
import { needsTagger } from '../shared/learning/features/sets.ts';
import type { Learner } from '../shared/learning/learner.ts';
import type { Recording } from '../shared/learning/recording.ts';
import type { ScoringModel } from '../shared/learning/task.ts';
import { taggerName } from '../shared/tagger/provision.ts';
import type { ModelOptions } from '../shared/training-options.ts';

/** Spectrograms handed to the learner at once. */
const chunk = 32;

/** A model with all that judging needs. */
export type JudgingModel = Model & {
  weights: ModelWeights | null;
  dataSet: { parametersHash: string };
};

type Facts = readonly (readonly number[])[] | null;

export interface JudgingOptions {
  signal?: AbortSignal;
  facts?: Facts;
}

/**
 * Judge audio by its spectrograms of the model's parameters, and by what else the model hears.
 *
 * @param contentHashes sha256 of the audio files.
 * @param options.facts what is known of each beside its audio; left out: nothing, it is not released yet.
 * @returns for each the probability of being popular, 0 to 1; null where the model needs what the music
 *   tagger says and it was not asked.
 * @throws PermanentError when the model's weights are missing or damaged
 */
export async function judgeAudio(
  database: Database,
  learner: Learner,
  model: JudgingModel,
  contentHashes: readonly string[],
  { signal, facts = null }: JudgingOptions = {},
): Promise<(number | null)[]> {
  const stored = storedModel(model);
  const probabilities: (number | null)[] = [];
  for (let start = 0; start < contentHashes.length; start += chunk) {
    const end = start + chunk;
    const known = facts?.slice(start, end) ?? null;
    const recordings = await readRecordings(database, model, contentHashes.slice(start, end), known);
    const heard = recordings.filter((recording) => recording !== null);
    const judged = (await learner.score(stored, heard, signal)).values();
    probabilities.push(...recordings.map((recording) => (recording ? judged.next().value! : null)));
  }
  return probabilities;
}

/**
 * All that a model hears of audio, by content hash; null where it needs the music tagger, which was not asked.
 */
export async function readRecordings(
  { prisma, pool }: Database,
  model: JudgingModel,
  hashes: readonly string[],
  known: Facts,
): Promise<(Recording | null)[]> {
  const { parametersHash } = model.dataSet;
  const keys = hashes.map((contentHash) => ({ contentHash, parametersHash }));
  const spectrograms = await readSpectrograms(prisma, keys);
  const hears = needsTagger(modelFamily(model.name).features);
  const embeddings = hears ? await readEmbeddings(pool, hashes, taggerName) : null;
  const names = factNames((model.options as unknown as ModelOptions).features ?? []);
  return spectrograms.map(({ levels, frames }, index) => {
    const facts = names && Float32Array.from(names, (_, fact) => known?.[index]?.[fact] ?? Number.NaN);
    const embedding = embeddings?.get(hashes[index]!) ?? null;
    return hears && !embedding ? null : { levels, frames, embedding, facts };
  });
}

/** @throws PermanentError when the model's weights are missing or damaged */
export function storedModel(model: JudgingModel): ScoringModel {
  return { name: model.name, topology: model.topology as JsonObject, weights: weightsOf(model) };
}

function weightsOf({ id, state, weights }: JudgingModel): Uint8Array {
  const name = publicId('model', id);
  if (!weights) throw new PermanentError(`${name} has no weights: it is ${state}`);
  if (createHash('sha256').update(weights.bytes).digest('hex') !== weights.sha256) {
    throw new PermanentError(`the weights of ${name} are damaged: train it again`);
  }
  return weights.bytes;
}
