import {
  type FitCheckpoint,
  type Json,
  type JsonObject,
  type ModelFamily,
  refuseEarlierForm,
  type TrainingContext,
  type TrainingOutcome,
} from '../family.ts';
import type { Normalisation } from '../normalisation.ts';
import { sigmoid } from '../sigmoid.ts';
import type { Spectrogram } from '../spectrograms.ts';
import { decodeWeights, encodeWeights, type NamedArray, parametersOf } from '../weights.ts';
import { collapseWarnings } from './collapse.ts';
import { InputMaker, type InputShape, pooledShape } from './input.ts';
import { buildNetwork } from './layers.ts';
import { NetworkPrediction } from './prediction.ts';
import { choosePreset, type NetworkPreset, type NetworkPresets } from './presets.ts';
import { priorLogOdds, trainNetwork } from './training.ts';

/** Songs judged at once: bounds memory. */
const predictionBatch = 16;

interface Topology {
  readonly family: string;
  readonly preset: string;
  readonly settings: NetworkPreset;
  readonly input: InputShape;
  readonly normalisation: Normalisation;
  /** Added to logits, as training weighs both classes the same. */
  readonly priorLogOdds: number;
  /** Of each member: epochs trained, and the one whose weights were kept. */
  readonly fits: readonly { readonly epochs: number; readonly bestEpoch: number }[];
}

/** Where an ensemble's fit goes on: members that are done, and the one at work. */
interface Progress {
  readonly preset: string;
  readonly done: readonly (Pick<TrainingOutcome, 'epochs'> & { readonly bestEpoch: number })[];
  readonly member: JsonObject;
}

function networkOf({ settings, input }: Pick<Topology, 'settings' | 'input'>) {
  return buildNetwork(settings, ...pooledShape(input));
}

const prefix = (member: number): string => `member${member + 1}/`;

/** Split a checkpoint's arrays into those of the members that are done and those of the member at work. */
function splitCheckpoint(checkpoint: FitCheckpoint | null): {
  done: NamedArray[];
  fit: FitCheckpoint | null;
} {
  if (!checkpoint) return { done: [], fit: null };
  const arrays = decodeWeights(checkpoint.bytes);
  const isDone = ({ name }: NamedArray): boolean => name.startsWith('member');
  const bytes = encodeWeights(arrays.filter((array) => !isDone(array)));
  const { member } = checkpoint.progress as unknown as Progress;
  return { done: arrays.filter(isDone), fit: { progress: member, bytes } };
}

async function train(
  family: string,
  presets: NetworkPresets,
  context: TrainingContext,
): Promise<TrainingOutcome> {
  const { tf, backend } = await context.tensorflow();
  const earlier = context.checkpoint?.progress as unknown as Progress | undefined;
  const preset = earlier?.preset ?? choosePreset(context.preset, backend, context.train.length);
  const settings = presets[preset as keyof NetworkPresets];
  const { bands, frames } = context.source;
  const input = { bands, frames, poolBands: settings.poolBands, poolFrames: settings.poolFrames };
  const normalisation = await context.normalisation();
  const network = networkOf({ settings, input });

  const resumed = splitCheckpoint(context.checkpoint);
  const weights = resumed.done;
  const done = [...(earlier?.done ?? [])];
  for (let member = done.length; member < settings.members; member++) {
    const before = member * settings.epochs;
    const trained = await trainNetwork(tf, network, input, settings, normalisation, {
      ...context,
      seed: context.seed + 7919 * member,
      checkpoint: resumed.fit,
      onEpoch: (report) =>
        context.onEpoch({ ...report, epoch: before + report.epoch }, settings.epochs * settings.members),
      onCheckpoint: ({ progress, bytes }) =>
        context.onCheckpoint({
          progress: { preset, done: [...done] as unknown as Json, member: progress },
          bytes: weights.length === 0 ? bytes : encodeWeights([...weights, ...decodeWeights(bytes)]),
        }),
    });
    resumed.fit = null;
    weights.push(...trained.weights.map((array) => ({ ...array, name: prefix(member) + array.name })));
    const epochs = trained.epochs.map((report) => ({ ...report, epoch: before + report.epoch }));
    done.push({ epochs, bestEpoch: trained.bestEpoch });
  }
  const fits = done.map(({ epochs, bestEpoch }) => ({ epochs: epochs.length, bestEpoch }));
  const shared = { family, preset, settings, input, normalisation, fits };
  const topology: Topology = { ...shared, priorLogOdds: priorLogOdds(context.train) };
  const epochs = done.flatMap((member) => member.epochs);
  const stored = { topology: topology as unknown as JsonObject, weights: encodeWeights(weights) };
  return {
    ...stored,
    ...{ parameters: parametersOf(weights), epochs, samplesSeen: epochs.length * context.train.length },
    warnings: await collapseWarnings(await load(stored, context.tensorflow), topology.priorLogOdds, context),
  };
}

async function load(
  { topology, weights }: Parameters<ModelFamily['load']>[0],
  tensorflow: TrainingContext['tensorflow'],
): Promise<{ predict(spectrograms: readonly Spectrogram[]): Promise<number[]>; dispose(): void }> {
  const stored = topology as unknown as Topology;
  if (stored.priorLogOdds === undefined) refuseEarlierForm();
  const { tf } = await tensorflow();
  const network = networkOf(stored);
  const input = new InputMaker(stored.input, stored.normalisation);
  const prediction = new NetworkPrediction(tf, network, input);
  const arrays = new Map(decodeWeights(weights).map((array) => [array.name, array]));
  const members = Array.from({ length: stored.settings.members }, (_, member) =>
    network.weights.map(({ name, shape }) => {
      const found = arrays.get(prefix(member) + name);
      if (!found) throw new Error(`the model's weights lack ${name}`);
      return tf.tensor(found.values, [...shape]);
    }),
  );
  return {
    predict: async (spectrograms) => {
      const probabilities = new Array<number>(spectrograms.length).fill(0);
      for (let from = 0; from < spectrograms.length; from += predictionBatch) {
        const batch = spectrograms.slice(from, from + predictionBatch);
        for (const member of members) {
          const logits = await prediction.run(member, batch);
          for (const [i, logit] of logits.entries())
            probabilities[from + i]! += sigmoid(logit + stored.priorLogOdds) / members.length;
        }
      }
      return probabilities;
    },
    dispose: () => {
      tf.dispose(members);
      prediction.dispose();
    },
  };
}

/** A family of networks on the spectrogram. */
export function networkFamily(
  name: string,
  description: string,
  presets: NetworkPresets,
  lines: { readonly original: string; readonly small: string },
): ModelFamily {
  return {
    ...{ name, description, needsTensorFlow: true, features: [], usesValidation: true },
    presets: {
      auto: 'original on a GPU with thousands of tracks, else small',
      small: lines.small,
      original: lines.original,
    },
    train: (context) => train(name, presets, context),
    load,
  };
}
