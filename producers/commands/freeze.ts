import { type Command, InvalidArgumentError } from 'commander';
import type { DataSet } from '../../shared/database/generated/client.ts';
import { publicId } from '../../shared/identifiers.ts';
import type { DataSetCounts } from '../../shared/learning/freeze.ts';
import type { ThresholdRule } from '../../shared/learning/threshold.ts';
import { audited } from '../audit.ts';
import { runInSession } from '../cli.ts';
import { freeze } from '../freeze.ts';
import { print, printJson } from '../output.ts';

export interface FreezeOptions {
  name?: string;
  threshold: ThresholdRule;
  holdout: number;
  test: number;
  seed: number;
  keepHoldout?: string;
  json?: boolean;
}

/** The options that say how a data set is cut, shared by `freeze` and `train`. */
export function addFreezeOptions(command: Command): Command {
  return command
    .option(
      '--threshold <popularity>',
      'popular from this popularity on: median, or a number',
      thresholdRule,
      'median',
    )
    .option('--holdout <fraction>', 'part kept for the final word, touched once a model', fraction, 0.1)
    .option('--test <fraction>', 'part that training stops by', fraction, 0.15)
    .option('--seed <number>', 'of the split and of the training', seed, 1);
}

export function registerFreeze(program: Command): void {
  addFreezeOptions(
    program
      .command('freeze')
      .description('freeze the catalogue as it stands into a data set that never changes'),
  )
    .option('--name <name>', 'of the data set; data-set-N where none is given')
    .option(
      '--keep-holdout <data set>',
      'leave tracks on the side where that data set (latest: the newest) had them, and deal only new ones',
    )
    .option('--json', 'print the outcome as JSON')
    .action((options: FreezeOptions) =>
      runInSession(async (session) => {
        const { dataSet, isNew } = await audited(
          session,
          { action: 'freeze', target: options.name ?? null },
          () => freeze(session, freezeRequest(options)),
          (frozen) => frozen.dataSet.name,
        );
        if (options.json) printJson(answerOf(dataSet, isNew));
        else print(describeDataSet(dataSet, isNew));
      }),
    );
}

export function freezeRequest(options: FreezeOptions) {
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    thresholdRule: options.threshold,
    testFraction: options.test,
    holdoutFraction: options.holdout,
    seed: options.seed,
    keepHoldout: options.keepHoldout ?? null,
  };
}

function answerOf(dataSet: DataSet, isNew: boolean) {
  const { id, name, threshold, thresholdRule, counts, contentHash, parametersHash, seed: used } = dataSet;
  return {
    ...{ id: publicId('data-set', id), name, isNew, threshold, thresholdRule },
    ...{ seed: used, counts, contentHash, parametersHash },
  };
}

export function describeDataSet(dataSet: DataSet, isNew: boolean): string {
  const counts = dataSet.counts as unknown as DataSetCounts;
  const side = (name: 'train' | 'test' | 'holdout') =>
    `${name} ${counts[name].tracks} (${counts[name].popular} popular)`;
  return [
    `${dataSet.name}${isNew ? '' : ' (the same as before)'}: ${counts.tracks} tracks in ${counts.groups} groups of one artist or recording`,
    ...(counts.tied > 0
      ? [
          `  ${counts.tied} songs of several artists are left out: with them nearly all tracks would be one group`,
        ]
      : []),
    `  popular from a popularity of ${Number(dataSet.threshold.toFixed(2))} on (${dataSet.thresholdRule === 'median' ? 'median of train' : 'as asked'})`,
    `  ${side('train')}, ${side('test')}, ${side('holdout')}`,
    `  content ${dataSet.contentHash.slice(0, 16)}, spectrograms ${dataSet.parametersHash}`,
  ].join('\n');
}

function thresholdRule(text: string): ThresholdRule {
  if (text === 'median') return text;
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 100)) {
    throw new InvalidArgumentError('expected median or a number above 0 and at most 100');
  }
  return value;
}

function fraction(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1))
    throw new InvalidArgumentError('expected a number between 0 and 1, e.g. 0.15');
  return value;
}

export function seed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 0 on');
  return Number(text);
}
