import type { Command } from 'commander';
import { publicId } from '../../shared/identifiers.ts';
import { newestPromotion } from '../../shared/registry/index.ts';
import { runInSession } from '../cli.ts';
import { type ListedModel, listModels, showModel } from '../models.ts';
import { print, printJson, table, withInterval } from '../output.ts';
import { promoteByHand } from '../promotions.ts';
import type { Session } from '../session.ts';
import { describeShown, precision } from './models-text.ts';

export function registerModels(program: Command): void {
  const models = program
    .command('models')
    .description('list the registry: every model with its evaluation, and which is champion')
    .option('--json', 'print the list as JSON')
    .action((options: { json?: boolean }) => runInSession((session) => list(session, options.json ?? false)));

  models
    .command('show')
    .description('everything about one model: options, evaluation, and how it was decided on')
    .argument('<model>', 'e.g. model-3')
    // Not an option of its own: `models` has it, and takes it wherever it stands.
    .action((text: string, _options: object, command: Command) =>
      runInSession(async (session) => {
        const shown = await showModel(session.database.prisma, text);
        if (command.optsWithGlobals()['json']) printJson(shown);
        else print(describeShown(shown));
      }),
    );

  program
    .command('promote')
    .description('make a model the champion, the one that scores')
    .argument('<model>', 'e.g. model-3')
    .option('--reason <text>', 'why, kept with the promotion', 'chosen by hand')
    .option('--json', 'print the outcome as JSON')
    .action((text: string, { reason, json }: { reason: string; json?: boolean }) =>
      runInSession(
        async (session) => {
          const { id, name } = await promoteByHand(session, text, reason, 'command line');
          const champion = publicId('model', id);
          if (json) printJson({ champion, reason });
          else print(`${champion} (${name}) is champion now`);
        },
        { action: 'promote', target: text, details: { reason } },
      ),
    );
}

async function list(session: Session, json: boolean): Promise<void> {
  const { prisma } = session.database;
  const registry = await listModels(prisma);
  if (json) {
    printJson(registry);
    return;
  }
  if (registry.models.length === 0) {
    print('no models yet: hiphop train makes some');
    return;
  }
  const head = [
    ...['  model', 'name', 'state', 'data set', 'holdout ROC-AUC', 'cross-validation'],
    ...['calibration error', 'popular in the top 10 %'],
  ];
  print(table(head, registry.models.map(rowOf)));
  const promotion = await newestPromotion(prisma);
  if (promotion) print(`* champion since ${promotion.promotedAt.toISOString()}: ${promotion.reason}`);
}

function rowOf({ champion, id, name, state, dataset, metrics }: ListedModel) {
  const cross = metrics?.crossValidation;
  const most = cross ?? metrics?.holdout;
  return [
    ...[`${champion ? '* ' : '  '}${id}`, name, state, dataset],
    metrics
      ? `${withInterval(metrics.holdout.rocAuc, metrics.holdout.rocAucCi95)} n=${metrics.holdout.n}`
      : '-',
    cross ? `${withInterval(cross.rocAuc, cross.rocAucCi95)} n=${cross.n}` : '-',
    most?.ece?.toFixed(3) ?? '-',
    precision(most?.top10),
  ];
}
