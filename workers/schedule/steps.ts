/** What each step of a night runs, and how it is seen in the database that it is truly finished. */
import type { PrismaClient } from '../../shared/database/generated/client.ts';
import { parsePublicId, publicId } from '../../shared/identifiers.ts';
import type { Decision } from '../../shared/registry/index.ts';
import type { StepName } from '../../shared/schedules/definition.ts';
import { isOwnWork, type Night, type NightStep } from '../../shared/schedules/nights.ts';

/** What is to be seen of a step's work: null while it is under way. */
export type Sight = { done: true; outcome: string } | { done: false; reason: string } | null;

export interface StepPlan {
  /** Why there is nothing to do; null: there is. */
  skip: (prisma: PrismaClient, night: Night) => Promise<string | null>;
  /** The command, without --json. */
  command: (night: Night) => string[];
  /** Id of the newest row of the kind that the step makes; 0: there is none. */
  newest: (prisma: PrismaClient) => Promise<number>;
  /** The public id of what the command works on, from its answer; null: it is not in there. */
  fromAnswer: (answer: unknown) => string | null;
  /** The same before there is an answer: the command still runs, or its worker was killed. */
  find: (prisma: PrismaClient, night: Night, said: readonly string[]) => Promise<string | null>;
  look: (prisma: PrismaClient, step: NightStep) => Promise<Sight>;
  /** Whether what it works on goes on by itself, and so has to be cancelled to stop. */
  cancellable: boolean;
}

export const stepPlans: Record<StepName, StepPlan> = {
  crawl: {
    skip: async () => null,
    command: ({ options }) => {
      const { source, genre, years, market, limit } = options.crawl!;
      return ['crawl', ...flags({ source, genre, years, market, limit })];
    },
    newest: async (prisma) => (await prisma.crawl.aggregate({ _max: { id: true } }))._max.id ?? 0,
    fromAnswer: (answer) => idIn(answer, 'crawl', 'crawl'),
    // Started once more, the command joins its crawl if that still runs. Until it answers it names it.
    find: async (_prisma, _night, said) => /\bcrawl-\d+\b/.exec(said.join('\n'))?.[0] ?? null,
    look: lookAtCrawl,
    cancellable: true,
  },
  freeze: {
    skip: async () => null,
    // Songs that were kept apart last night stay so, else tonight's models and the champion have few to be compared by.
    command: ({ options }) => ['freeze', ...flags(options.freeze), '--keep-holdout', 'latest'],
    newest: async (prisma) => (await prisma.dataSet.aggregate({ _max: { id: true } }))._max.id ?? 0,
    fromAnswer: (answer) => idIn(answer, 'id', 'data-set'),
    find: async () => null,
    look: lookAtDataSet,
    cancellable: false,
  },
  train: {
    skip: nothingToTrain,
    command: (night) => {
      const { models, preset, crossValidate } = night.options.train!;
      const dataSet = frozenBy(night)?.worksOn ?? null;
      const { seed } = night.options.freeze;
      // Without a data set the command freezes one itself.
      const cut = dataSet === null ? flags(night.options.freeze) : flags({ 'data-set': dataSet, seed });
      return ['train', ...flags({ models, preset, 'cross-validate': crossValidate }), ...cut];
    },
    newest: async (prisma) => (await prisma.trainingRun.aggregate({ _max: { id: true } }))._max.id ?? 0,
    fromAnswer: (answer) => idIn(answer, 'run', 'run'),
    find: findRun,
    look: lookAtRun,
    cancellable: true,
  },
};

async function lookAtCrawl(prisma: PrismaClient, { worksOn }: NightStep): Promise<Sight> {
  const id = idOf(worksOn);
  const crawl = await prisma.crawl.findUnique({ where: { id } });
  if (!crawl) return { done: false, reason: `${worksOn} is gone` };
  if (crawl.state === 'running') return null;
  if (crawl.state === 'cancelled') return { done: false, reason: `${worksOn} was cancelled` };
  const groups = await prisma.track.groupBy({
    by: ['state'],
    where: { crawls: { some: { crawlId: id } } },
    _count: true,
  });
  const of = (state: string) => groups.find((group) => group.state === state)?._count ?? 0;
  const tracks = groups.reduce((sum, group) => sum + group._count, 0);
  return {
    done: true,
    outcome: `${tracks} tracks, ${of('ready')} with a spectrogram, ${of('failed')} failed`,
  };
}

async function lookAtDataSet(prisma: PrismaClient, step: NightStep): Promise<Sight> {
  const dataSet = await prisma.dataSet.findUnique({ where: { id: idOf(step.worksOn) } });
  if (!dataSet) return { done: false, reason: `${step.worksOn} is gone` };
  const { tracks } = dataSet.counts as { tracks?: number };
  return { done: true, outcome: isOwnWork(step) ? `${tracks ?? 0} tracks` : 'the same as before' };
}

async function lookAtRun(prisma: PrismaClient, { worksOn }: NightStep): Promise<Sight> {
  const run = await prisma.trainingRun.findUnique({
    where: { id: idOf(worksOn) },
    include: { models: { orderBy: { id: 'asc' } } },
  });
  if (!run) return { done: false, reason: `${worksOn} is gone` };
  if (!run.finishedAt) return null;
  const shown = run.models.map(({ id, name, state, failureReason }) => {
    const model = `${publicId('model', id)} (${name})`;
    return state === 'ready' ? model : `${model} ${state}${failureReason ? `: ${failureReason}` : ''}`;
  });
  const { reason } = (run.decision ?? {}) as Partial<Decision>;
  return run.models.some(({ state }) => state === 'ready')
    ? { done: true, outcome: [shown.join('; '), ...(reason ? [reason] : [])].join('. ') }
    : { done: false, reason: `no model was made: ${shown.join('; ')}` };
}

/**
 * A data set that was there already and that models were trained on gives the same models again. Where
 * the night before froze it and failed to train, there is something to do.
 */
async function nothingToTrain(prisma: PrismaClient, night: Night): Promise<string | null> {
  const frozen = frozenBy(night);
  if (!frozen || night.options.train!.always || isOwnWork(frozen)) return null;
  const model = await prisma.model.findFirst({
    where: { dataSetId: idOf(frozen.worksOn), state: 'ready' },
    orderBy: { id: 'desc' },
  });
  return model && `nothing new: ${frozen.worksOn} had ${publicId('model', model.id)} trained on it already`;
}

/** The run of these models on this data set that is newer than the step: who asked does not matter. */
async function findRun(prisma: PrismaClient, night: Night): Promise<string | null> {
  const step = night.steps.find(({ name }) => name === 'train');
  const dataSet = frozenBy(night)?.worksOn;
  const runs = await prisma.trainingRun.findMany({
    where: {
      id: { gt: step?.newestBefore ?? 0 },
      ...(dataSet ? { dataSetId: idOf(dataSet) } : {}),
    },
    orderBy: { id: 'asc' },
    include: { models: { select: { name: true } } },
  });
  const { models: asked } = night.options.train!;
  const named = (names: readonly string[]) => [...names].sort().join();
  const run = runs.find(
    ({ models }) => asked === 'auto' || named(models.map(({ name }) => name)) === named(asked.split(',')),
  );
  return run ? publicId('run', run.id) : null;
}

function frozenBy(night: Night): NightStep | undefined {
  return night.steps.find((step) => step.name === 'freeze' && step.worksOn !== null);
}

/** `--name value` of each that has a value. */
function flags(values: Record<string, string | number | null>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === null ? [] : [`--${name}`, String(value)],
  );
}

/** The public id under a key of an answer, when it is one. */
function idIn(answer: unknown, key: string, noun: 'crawl' | 'data-set' | 'run'): string | null {
  const value = (answer as Record<string, unknown> | null)?.[key];
  return typeof value === 'string' && new RegExp(`^${noun}-\\d{1,9}$`).test(value) ? value : null;
}

const idOf = (worksOn: string | null) => parsePublicId(worksOn ?? '', ['crawl', 'data-set', 'run']).id;
