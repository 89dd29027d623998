import { type Command, InvalidArgumentError } from 'commander';
import type { Model } from '../../shared/database/generated/client.ts';
import { publicId } from '../../shared/identifiers.ts';
import { modelFamilies, modelFamily } from '../../shared/learning/families.ts';
import type { TrainProgress } from '../../shared/learning/task.ts';
import { type Backend, setUpTensorFlow } from '../../shared/tensorflow/index.ts';
import { type FeatureGroup, featureGroups } from '../../shared/training-options.ts';
import { audited } from '../audit.ts';
import { exitStatus, runInSession } from '../cli.ts';
import { findDataSet, freeze } from '../freeze.ts';
import { print, printJson, progress, tell } from '../output.ts';
import type { Session } from '../session.ts';
import { checkPreset, describeRun, enqueueRun, parseModelNames, type TrainAnswer, train } from '../train.ts';
import { checkTagger, planFacts, planTraining } from '../training-plan.ts';
import { waitFor } from '../wait.ts';
import { addFreezeOptions, describeDataSet, type FreezeOptions, freezeRequest } from './freeze.ts';
import { describeAnswer } from './train-text.ts';

export interface TrainOptions extends FreezeOptions {
  /** Names, or `auto`. */
  models: string;
  dataSet?: string;
  preset?: string;
  /** False: none; undefined: as the plan says. */
  crossValidate?: number | false;
  features?: FeatureGroup[];
  shuffleLabels?: boolean;
  wait?: boolean;
}

export function registerTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train models on a data set, evaluate them and let them challenge the champion')
    .option(
      '--models <names>',
      `comma-separated: ${Object.keys(modelFamilies).join(', ')}; auto: what suits the catalogue and the machine`,
      'auto',
    )
    .option('--data-set <name>', 'the data set; without it the catalogue is frozen first, as it stands')
    .option(
      '--preset <name>',
      'size of the networks, e.g. original or small; by default what fits machine and data',
    )
    .option(
      '--cross-validate <folds>',
      'also score every track by a model that never heard it or its artist; by default where the catalogue is small',
      folds,
    )
    .option('--no-cross-validate', 'leave that out')
    .option(
      '--features <groups>',
      `what models may judge by, comma-separated: ${featureGroups.join(', ')}; songs that are not out yet have audio alone`,
      features,
      ['audio'] as FeatureGroup[],
    )
    .option('--shuffle-labels', 'the null test: train on permuted labels, which must end near chance');
  addFreezeOptions(command)
    .option('--wait', 'stay until all are trained (always so where nothing else runs the work)')
    .option('--json', 'print the outcome as JSON')
    .action((options: TrainOptions) =>
      runInSession(async (session) => {
        const answer = await trainAndWait(session, options);
        if (options.json) printJson(answer);
        else print(describeAnswer(answer));
        if (
          answer.models.some(
            (model) => 'error' in model && model.state !== 'queued' && model.state !== 'training',
          )
        ) {
          process.exitCode = exitStatus.failed;
        }
      }),
    );
}

export async function trainAndWait(session: Session, options: TrainOptions): Promise<TrainAnswer> {
  const { prisma } = session.database;
  const asked = options.models === 'auto' ? null : parseModelNames(options.models);
  if (asked) checkPreset(asked, options.preset ?? null);
  const dataSet = options.dataSet
    ? await findDataSet(prisma, options.dataSet)
    : await freeze(session, freezeRequest(options)).then((frozen) => {
        tell(describeDataSet(frozen.dataSet, frozen.isNew));
        return frozen.dataSet;
      });
  const own = (await session.workforce.missing(['train'])).length > 0;
  const facts = await planFacts(session, dataSet, own ? await ownBackend(session, asked) : null);
  const plan = planTraining(facts, {
    models: asked,
    folds: options.crossValidate === false ? null : options.crossValidate,
  });
  for (const note of plan.notes) tell(note);
  checkTagger(plan.models, facts);
  const request: Parameters<typeof train>[1] = {
    models: [...plan.models],
    dataSet,
    options: {
      preset: options.preset ?? null,
      seed: options.seed,
      shuffleLabels: options.shuffleLabels ?? false,
      crossValidationFolds: plan.crossValidationFolds,
      features: options.features ?? ['audio'],
    },
  };
  const run = await audited(
    session,
    { action: 'train', details: { ...request, dataSet: dataSet.name } },
    () => train(session, request),
    ({ id }) => publicId('run', id),
  );
  if (options.wait || own) await waitForRun(session, run.id);
  return describeRun(session, run.id);
}

/** Set up the TensorFlow of this machine where a network may be trained here. */
async function ownBackend(session: Session, asked: readonly string[] | null): Promise<Backend | null> {
  if (asked && !asked.some((name) => modelFamily(name).needsTensorFlow)) return null;
  const { cacheDir, tensorflow } = session.config;
  const { note, provisioned } = await setUpTensorFlow({ cacheDir, preference: tensorflow, log: tell });
  tell(note);
  return provisioned ? 'tensorflow-cpu' : 'wasm';
}

/** The run is finished once its models have challenged the champion. */
async function waitForRun(session: Session, trainingRunId: number): Promise<void> {
  await waitForTraining(session, trainingRunId, async () => {
    const { prisma } = session.database;
    const run = await prisma.trainingRun.findUniqueOrThrow({ where: { id: trainingRunId } });
    return run.finishedAt !== null;
  });
}

/** Wait for what is trained in a run, and tell how it goes. */
export async function waitForTraining(
  session: Session,
  trainingRunId: number,
  finished: () => Promise<boolean>,
): Promise<void> {
  const { prisma } = session.database;
  const models = () => prisma.model.findMany({ where: { trainingRunId }, orderBy: { id: 'asc' } });
  const bar = progress('training');
  await waitFor(session, {
    stages: ['train'],
    finished: async () => {
      const rows = await models();
      const running = rows.find((model) => model.state === 'training');
      const done = rows.filter((model) => model.state !== 'queued' && model.state !== 'training').length;
      bar.update(done, rows.length, running ? describeProgress(running) : '');
      return finished();
    },
    repair: async () => enqueueRun(session, await models()),
  }).finally(bar.stop);
}

function describeProgress(model: Model): string {
  const at = model.progress as unknown as TrainProgress | null;
  const name = `${publicId('model', model.id)} (${model.name})`;
  if (!at) return name;
  return [
    name,
    at.fold ? `fold ${at.fold}/${at.folds}` : '',
    at.epochs > 1 ? `epoch ${at.epoch}/${at.epochs}` : '',
    figure('loss', at.trainLoss),
    figure('test loss', at.testLoss),
    figure('test ROC-AUC', at.testRocAuc),
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function figure(name: string, value: number | null): string {
  return value === null ? '' : `${name} ${value.toFixed(3)}`;
}

function features(text: string): FeatureGroup[] {
  const groups = text.split(',').map((name) => name.trim());
  const known = groups.filter((name): name is FeatureGroup =>
    (featureGroups as readonly string[]).includes(name),
  );
  if (known.length < groups.length || !known.includes('audio')) {
    throw new InvalidArgumentError(
      `expected audio, and any of ${featureGroups.slice(1).join(', ')} beside it, e.g. audio,release`,
    );
  }
  return [...new Set(known)];
}

export function folds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 2 || value > 20) {
    throw new InvalidArgumentError('expected a whole number of folds, 2 to 20');
  }
  return value;
}
