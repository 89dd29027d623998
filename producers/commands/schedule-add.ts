import { type Command, InvalidArgumentError } from 'commander';
import { UserError } from '../../shared/errors.ts';
import {
  parseSteps,
  type ScheduleOptions,
  type StepName,
  stepNames,
} from '../../shared/schedules/definition.ts';
import { runInSession } from '../cli.ts';
import { print, printJson } from '../output.ts';
import { addSchedule, describeSchedule, isSomebodyAtWork } from '../schedules.ts';
import type { Session } from '../session.ts';
import { checkPreset, parseModelNames } from '../train.ts';
import { addFreezeOptions, type FreezeOptions } from './freeze.ts';
import { describeDue, warnIfIdle } from './schedule-text.ts';
import { folds } from './train.ts';

interface AddOptions extends FreezeOptions {
  cron: string;
  timezone: string;
  steps: string;
  source: string;
  genre?: string;
  years?: string;
  market?: string;
  limit?: number;
  models: string;
  preset?: string;
  crossValidate?: number;
  alwaysTrain?: boolean;
  deadline: number;
  json?: boolean;
}

export function registerAdd(schedule: Command): void {
  addFreezeOptions(
    schedule
      .command('add')
      .description('add a schedule, or change the one of this name to what is said here')
      .argument('<name>', 'e.g. nightly')
      .requiredOption('--cron <pattern>', 'minute hour day month weekday, e.g. "0 3 * * *"')
      .option('--timezone <zone>', 'that the pattern is read in', ownTimezone())
      .option('--steps <names>', 'in this order, not necessarily all', stepNames.join())
      .option('--source <name>', 'of the crawl', 'spotify')
      .option('--genre <genre>', 'of the crawl')
      .option('--years <years>', 'of the crawl, e.g. 2019-2021')
      .option('--market <country>', 'of the crawl, e.g. US')
      .option('--limit <tracks>', 'of the crawl: at most so many', positive)
      .option('--models <names>', 'to train, comma-separated', 'dummy,logistic,crnn')
      .option('--preset <name>', 'size of the networks')
      .option('--cross-validate <folds>', 'also score every track by a model that never heard it', folds)
      .option('--always-train', 'also on a data set that models were trained on before')
      .option('--deadline <hours>', 'for the whole night; what is under way then is cancelled', hours, 12),
  )
    .option('--json', 'print it as JSON')
    .action((name: string, options: AddOptions) => runInSession((session) => add(session, name, options)));
}

async function add(session: Session, name: string, options: AddOptions): Promise<void> {
  const { cron, timezone } = options;
  const steps = parseSteps(options.steps);
  const { schedule, isNew } = await addSchedule(session, {
    ...{ name, cron, timezone, steps, options: scheduleOptions(steps, options) },
  });
  const described = await describeSchedule(session, schedule);
  if (options.json) printJson({ ...described, isNew, working: await isSomebodyAtWork(session) });
  else print(`${isNew ? 'added' : 'changed'}: ${describeDue(described)}`);
  await warnIfIdle(session);
}

function scheduleOptions(names: readonly StepName[], options: AddOptions): ScheduleOptions {
  const { source, genre, years, market, limit } = options;
  let crawl: ScheduleOptions['crawl'] = null;
  if (names.includes('crawl')) {
    if (!genre || !years) {
      throw new UserError('the step crawl needs --genre and --years, e.g. --genre hip-hop --years 2019-2021');
    }
    crawl = { source, genre, years, market: market ?? null, limit: limit ?? null };
  } else if (genre || years || market || limit) {
    throw new UserError(
      '--genre, --years, --market and --limit are for the step crawl, which is not asked for',
    );
  }
  let train: ScheduleOptions['train'] = null;
  if (names.includes('train')) {
    const models = parseModelNames(options.models);
    const preset = options.preset ?? null;
    checkPreset(models, preset);
    const crossValidate = options.crossValidate ?? null;
    train = { models: models.join(), preset, crossValidate, always: options.alwaysTrain ?? false };
  }
  const { threshold, holdout, test, seed } = options;
  return { crawl, freeze: { threshold, holdout, test, seed }, train, deadlineHours: options.deadline };
}

function ownTimezone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 on');
  return Number(text);
}

function hours(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 24 * 7)) {
    throw new InvalidArgumentError('expected a number of hours, at most 168');
  }
  return value;
}
