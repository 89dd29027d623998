import { crnnNetwork } from './crnn.ts';
import { type CrnnPreset, chooseCrnnPreset, crnnPresets } from './crnn-presets.ts';
import type {
  FitCheckpoint,
  Json,
  JsonObject,
  ModelFamily,
  TrainingContext,
  TrainingOutcome,
} from './family.ts';
import { InputMaker, type InputShape, pooledShape } from './network-input.ts';
import { predictBatch } from './network-prediction.ts';
import { trainNetwork } from './network-training.ts';
import type { Normalisation } from './normalisation.ts';
import { decodeWeights, encodeWeights, type NamedArray, parametersOf } from './weights.ts';

/** Songs judged at once: bounds memory. */
const predictionBatch = 16;

interface Topology {
  readonly family: 'crnn';
  readonly preset: string;
  readonly settings: CrnnPreset;
  readonly input: InputShape;
  readonly normalisation: Normalisation;
}

/** Where an ensemble's fit goes on: members that are done, and the one at work. */
interface Progress {
  readonly preset: string;
  readonly done: readonly Pick<TrainingOutcome, 'epochs'>[];
  readonly member: JsonObject;
}

function networkOf({ settings, input }: Pick<Topology, 'settings' | 'input'>) {
  return crnnNetwork(settings, ...pooledShape(input));
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

async function train(context: TrainingContext): Promise<TrainingOutcome> {
  const { tf, backend } = await context.tensorflow();
  const earlier = context.checkpoint?.progress as unknown as Progress | undefined;
  const preset = earlier?.preset ?? chooseCrnnPreset(context.preset, backend, context.train.length);
  const settings = crnnPresets[preset as keyof typeof crnnPresets];
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
    done.push({ epochs: trained.epochs.map((report) => ({ ...report, epoch: before + report.epoch })) });
  }
  const topology: Topology = { family: 'crnn', preset, settings, input, normalisation };
  const epochs = done.flatMap((member) => member.epochs);
  return {
    ...{ parameters: parametersOf(weights), weights: encodeWeights(weights), epochs },
    topology: topology as unknown as JsonObject,
    samplesSeen: epochs.length * context.train.length,
  };
}

/** The convolutional recurrent network of the project's forerunner. */
export const crnn: ModelFamily = {
  name: 'crnn',
  description:
    'Convolutional recurrent network on the spectrogram (Choi et al. 2017), as the original had it; there it scored .598 accuracy and .646 ROC-AUC.',
  needsTensorFlow: true,
  usesValidation: true,
  presets: {
    auto: 'original on a GPU with thousands of tracks, else small',
    small: 'a quarter of the filters on averaged cells, for a CPU and hundreds of tracks',
    original: 'the original, 391,585 parameters at 128 bands',
  },
  train,

  async load({ topology, weights }, tensorflow) {
    const stored = topology as unknown as Topology;
    const { tf } = await tensorflow();
    const network = networkOf(stored);
    const input = new InputMaker(stored.input, stored.normalisation);
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
            const judged = await predictBatch(tf, network, input, member, batch);
            for (const [i, probability] of judged.entries())
              probabilities[from + i]! += probability / members.length;
          }
        }
        return probabilities;
      },
      dispose: () => tf.dispose(members),
    };
  },
};
