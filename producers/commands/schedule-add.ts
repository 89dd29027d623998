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
import { addCrawlOptions, type CrawlFlags, queryOf } from './crawl.ts';
import { addFreezeOptions, type FreezeOptions } from './freeze.ts';
import { describeDue, warnIfIdle } from './schedule-text.ts';
import { folds } from './train.ts';

interface AddOptions extends FreezeOptions, CrawlFlags {
  cron: string;
  timezone: string;
  steps: string;
  models: string;
  preset?: string;
  crossValidate?: number;
  alwaysTrain?: boolean;
  deadline: number;
  json?: boolean;
}

export function registerAdd(schedule: Command): void {
  const command = schedule
    .command('add')
    .description('add a schedule, or change the one of this name to what is said here')
    .argument('<name>', 'e.g. nightly')
    .requiredOption('--cron <pattern>', 'minute hour day month weekday, e.g. "0 3 * * *"')
    .option('--timezone <zone>', 'that the pattern is read in', ownTimezone())
    .option('--steps <names>', 'in this order, not necessarily all', stepNames.join())
    .option('--deadline <hours>', 'for the whole night; what is under way then is cancelled', hours, 12);
  addFreezeOptions(
    addCrawlOptions(command)
      .option('--models <names>', 'to train, comma-separated; auto: what suits catalogue and machine', 'auto')
      .option('--preset <name>', 'size of the networks')
      .option('--cross-validate <folds>', 'also score every track by a model that never heard it', folds)
      .option('--always-train', 'also on a data set that models were trained on before'),
  )
    .option('--json', 'print it as JSON')
    .action((name: string, options: AddOptions) => {
      const said = (option: string) => command.getOptionValueSource(option) === 'cli';
      const { cron, timezone, steps } = options;
      return runInSession((session) => add(session, name, options, said), {
        action: 'schedule add',
        target: name,
        details: { cron, timezone, steps },
      });
    });
}

async function add(
  session: Session,
  name: string,
  options: AddOptions,
  said: (option: string) => boolean,
): Promise<void> {
  const { cron, timezone } = options;
  const steps = parseSteps(options.steps);
  const { schedule, isNew } = await addSchedule(session, {
    ...{ name, cron, timezone, steps, options: scheduleOptions(steps, options, said) },
  });
  const described = await describeSchedule(session, schedule);
  if (options.json) printJson({ ...described, isNew, working: await isSomebodyAtWork(session) });
  else print(`${isNew ? 'added' : 'changed'}: ${describeDue(described)}`);
  await warnIfIdle(session);
}

/** @throws UserError when the steps cannot be done so, or an option is for none of them */
function scheduleOptions(
  names: readonly StepName[],
  options: AddOptions,
  said: (option: string) => boolean,
): ScheduleOptions {
  const idle = ['source', 'genre', 'years', 'market', 'limit'].filter(said);
  let crawl: ScheduleOptions['crawl'] = null;
  if (names.includes('crawl')) {
    const { genre, market, limit } = queryOf(options);
    crawl = {
      source: options.source,
      genre,
      years: said('years') ? options.years.join('-') : null,
      market,
      limit,
    };
  } else if (idle.length > 0) {
    throw new UserError(`--${idle.join(', --')}: for the step crawl, which is not among the steps`);
  }
  let train: ScheduleOptions['train'] = null;
  if (names.includes('train')) {
    const asked = options.models === 'auto' ? null : parseModelNames(options.models);
    const preset = options.preset ?? null;
    if (asked) checkPreset(asked, preset);
    train = {
      ...{ models: asked?.join() ?? 'auto', preset },
      crossValidate: options.crossValidate ?? null,
      always: options.alwaysTrain ?? false,
    };
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
