import type { Command } from 'commander';
import { isComparison, signed } from '../../shared/registry/index.ts';
import { runInSession } from '../cli.ts';
import { type Comparison, compare } from '../comparison.ts';
import { print, printJson, table } from '../output.ts';

export function registerCompare(program: Command): void {
  program
    .command('compare')
    .description('compare two models on the same songs, none of which either has learned from')
    .argument('<a>', 'e.g. model-3')
    .argument('<b>', 'e.g. model-4')
    .option('--json', 'print the comparison as JSON')
    .action((a: string, b: string, options: { json?: boolean }) =>
      runInSession(async (session) => {
        const found = await compare(session, a, b);
        if (options.json) printJson(found);
        else print(describeComparison(found));
      }),
    );
}

function describeComparison({ a, b, comparisons, verdict }: Comparison): string {
  const rows = comparisons.map((found) =>
    isComparison(found)
      ? [
          ...[found.basis, found.n, found.groups],
          ...[found.rocAuc[0].toFixed(3), found.rocAuc[1].toFixed(3)],
          `${signed(found.difference)} [${found.ci95.map(signed).join(' to ')}]`,
          found.pValue < 0.001 ? '<0.001' : found.pValue.toFixed(3),
          found.beyondNoise ? 'beyond noise' : 'within noise',
        ]
      : [found.basis, found.n, '-', '-', '-', '-', '-', found.reason],
  );
  if (rows.length === 0) return verdict;
  const head = ['songs', 'n', 'groups', a, b, 'difference [95 %]', 'p', ''];
  const notes = [
    'Songs are resampled by whole groups of one artist or recording, both models on the same ones; p: how often',
    `${b} is then no better than ${a}.`,
    ...(comparisons.some(({ basis }) => basis === 'test')
      ? ['Networks stop training by the test split: there they look a little better than they are.']
      : []),
  ];
  return [table(head, rows), '', verdict, ...notes].join('\n');
}
