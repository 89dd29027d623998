/** Models on vectors of features: one member or several whose log odds are averaged, calibrated together. */
import { logLoss } from '../evaluation/calibration.ts';
import { fitDecisionThreshold } from '../evaluation/threshold.ts';
import {
  type Example,
  type JsonObject,
  type ModelFamily,
  refuseEarlierForm,
  type StoredModel,
  type TrainingContext,
  type TrainingOutcome,
} from '../family.ts';
import { type FeatureSet, featuresOf } from '../features/sets.ts';
import { assignFolds } from '../folds.ts';
import { decodeWeights, encodeWeights, type NamedArray } from '../weights.ts';
import { type Calibration, calibrated, fitCalibration, uncalibrated } from './calibration.ts';
import {
  type Fitting,
  fitMember,
  loadMember,
  type MemberSpec,
  type Strength,
  strengths,
  trees,
} from './members.ts';

interface Topology {
  readonly family: string;
  readonly members: readonly MemberSpec[];
  readonly calibration: Calibration;
}

/** Inner folds: fewer where there is much to learn from, for they cost time and tell little more. */
const innerFolds = (tracks: number): number => (tracks > 5000 ? 3 : 5);
/** With fewer groups than this in each inner fold nothing is chosen. */
const groupsAFold = 2;

const prefix = (member: number): string => `member${member + 1}/`;

type Rows = Pick<Fitting, 'rows' | 'labels'>;

/**
 * Find out what a member says of songs that it was not fitted on, by folds of whole groups.
 *
 * @param foldOf each row's fold.
 * @returns log odds for each strength, of each row.
 */
async function outOfFold(
  spec: MemberSpec,
  { rows, labels }: Rows,
  foldOf: readonly number[],
  wanted: readonly number[],
  context: TrainingContext,
): Promise<number[][]> {
  const logits = wanted.map(() => new Array<number>(rows.length).fill(0));
  for (const fold of new Set(foldOf)) {
    const inside = rows.map((_, i) => i).filter((i) => foldOf[i] !== fold);
    const fits = await fitMember(
      spec,
      {
        ...{ rows: inside.map((i) => rows[i]!), labels: inside.map((i) => labels[i]!) },
        ...{ seed: context.seed + 31 * fold, trees: trees.trial, turn: context.turn },
      },
      wanted,
    );
    for (const [place, fit] of fits.entries()) {
      const score = loadMember(spec, fit.arrays);
      for (let i = 0; i < rows.length; i++) if (foldOf[i] === fold) logits[place]![i] = score(rows[i]!);
    }
  }
  return logits;
}

/** Grouped folds in which each round has both classes to learn from; null where there are too few groups. */
function planInner({ train, seed }: TrainingContext): number[] | null {
  const folds = innerFolds(train.length);
  const groups = new Set(train.map(({ group }) => group)).size;
  if (groups < folds * groupsAFold) return null;
  const foldOf = assignFolds(train, folds, seed);
  for (let fold = 0; fold < folds; fold++) {
    const left = train.filter((_, i) => foldOf[i] !== fold).map(({ label }) => label);
    if (!left.includes(0) || !left.includes(1)) return null;
  }
  return foldOf;
}

/**
 * Choose among fits of several strengths by their loss on unseen songs: the usual one, unless the best is
 * better by more than a standard error over groups. On few songs the lowest loss alone is mostly luck.
 *
 * @param logits of each strength, of each example.
 * @param usual its place.
 */
export async function chooseStrength(
  logits: readonly (readonly number[])[],
  examples: readonly Pick<Example, 'label' | 'group'>[],
  usual: number,
): Promise<number> {
  const labels = examples.map(({ label }) => label);
  const losses: number[][] = [];
  for (const unseen of logits) {
    // How sure a fit is of itself is mended afterwards, so it does not count here.
    const calibration = await fitCalibration(unseen, labels);
    losses.push(
      unseen.map((logit, i) => logLoss([{ probability: calibrated(calibration, logit), label: labels[i]! }])),
    );
  }
  const totals = losses.map((each) => each.reduce((a, b) => a + b, 0));
  const best = totals.indexOf(Math.min(...totals));
  const gains = new Map<number, number>();
  for (const [i, { group }] of examples.entries()) {
    gains.set(group, (gains.get(group) ?? 0) + losses[usual]![i]! - losses[best]![i]!);
  }
  const gain = totals[usual]! - totals[best]!;
  const mean = gain / gains.size;
  const error = Math.sqrt([...gains.values()].reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return gain > error ? best : usual;
}

async function train(
  name: string,
  specs: readonly MemberSpec[],
  context: TrainingContext,
): Promise<TrainingOutcome> {
  const { train: examples, features, seed, turn } = context;
  const labels = examples.map(({ label }) => label);
  const foldOf = planInner(context);
  const members: MemberSpec[] = [];
  const arrays: NamedArray[] = [];
  const combined = new Array<number>(examples.length).fill(0);
  let parameters = 0;
  for (const [place, spec] of specs.entries()) {
    const rows: Float32Array[] = [];
    for (const { index } of examples) {
      await turn();
      rows.push(await features(index, spec.features));
    }
    // A forest has no strength, and is fitted once.
    const wanted: readonly Strength[] = spec.strength === undefined ? [strengths[0]] : strengths;
    let chosen: Strength = spec.strength ?? strengths[0];
    if (foldOf) {
      const logits = await outOfFold(spec, { rows, labels }, foldOf, wanted, context);
      const best = await chooseStrength(logits, examples, wanted.indexOf(chosen));
      chosen = wanted[best]!;
      for (const [i, logit] of logits[best]!.entries()) combined[i]! += logit / specs.length;
    }
    const [fit] = await fitMember(spec, { rows, labels, seed, trees: trees.kept, turn }, [chosen]);
    arrays.push(...fit!.arrays.map((array) => ({ ...array, name: prefix(place) + array.name })));
    parameters += fit!.parameters;
    members.push(spec.strength === undefined ? spec : { ...spec, strength: chosen });
  }
  const calibration = foldOf ? await fitCalibration(combined, labels) : uncalibrated;
  const unseen = combined.map((logit, i) => ({
    probability: calibrated(calibration, logit),
    label: labels[i]!,
  }));
  const topology: Topology = { family: name, members, calibration };
  return {
    ...{ parameters, weights: encodeWeights(arrays), epochs: [], samplesSeen: examples.length },
    topology: topology as unknown as JsonObject,
    decisionThreshold: foldOf ? fitDecisionThreshold(unseen) : 0.5,
  };
}

function load({ topology, weights }: Pick<StoredModel, 'topology' | 'weights'>) {
  const { members, calibration } = topology as unknown as Partial<Topology>;
  if (!members || !calibration) refuseEarlierForm();
  const arrays = decodeWeights(weights);
  const scorers = members.map((member, place) => {
    const own = arrays.filter(({ name }) => name.startsWith(prefix(place)));
    const score = loadMember(
      member,
      own.map((array) => ({ ...array, name: array.name.slice(prefix(place).length) })),
    );
    return { score, features: member.features };
  });
  return { scorers, calibration };
}

/** Make a family of tabular models. */
export function tabularFamily({
  name,
  description,
  members,
}: {
  readonly name: string;
  readonly description: string;
  readonly members: readonly MemberSpec[];
}): ModelFamily {
  const features: readonly FeatureSet[] = [...new Set(members.flatMap((member) => member.features))];
  return {
    ...{ name, description, features },
    needsTensorFlow: false,
    usesValidation: false,
    presets: { default: 'strength chosen and probabilities calibrated by inner grouped validation' },
    train: (context) => train(name, members, context),
    load: async (model) => {
      const { scorers, calibration } = load(model);
      return {
        predict: async (recordings) =>
          recordings.map((recording) => {
            const sum = scorers.reduce(
              (total, { score, features: sets }) => total + score(featuresOf(recording, sets)),
              0,
            );
            return calibrated(calibration, sum / scorers.length);
          }),
        dispose: () => {},
      };
    },
  };
}
