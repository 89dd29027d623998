import type { Command } from 'commander';
import { findChampion, type ModelMetrics } from '../../shared/champion.ts';
import { UserError } from '../../shared/errors.ts';
import { parsePublicId, publicId } from '../../shared/identifiers.ts';
import { runInSession } from '../cli.ts';
import { print, printJson, table, withInterval } from '../output.ts';
import type { Session } from '../session.ts';

export function registerModels(program: Command): void {
  program
    .command('models')
    .description('list the registry: every model with its evaluation, and which is champion')
    .option('--json', 'print the list as JSON')
    .action((options: { json?: boolean }) =>
      runInSession((session) => listModels(session, options.json ?? false)),
    );

  program
    .command('promote')
    .description('make a model the champion, the one that scores')
    .argument('<model>', 'e.g. model-3')
    .option('--reason <text>', 'why, kept with the promotion', 'chosen by hand')
    .option('--json', 'print the outcome as JSON')
    .action((text: string, options: { reason: string; json?: boolean }) =>
      runInSession((session) => promote(session, text, options)),
    );
}

async function listModels(session: Session, json: boolean): Promise<void> {
  const { prisma } = session.database;
  const champion = await findChampion(prisma);
  const models = await prisma.model.findMany({ orderBy: { id: 'asc' }, include: { dataSet: true } });
  const list = models.map((model) => ({
    id: publicId('model', model.id),
    name: model.name,
    champion: model.id === champion?.id,
    state: model.state,
    error: model.failureReason,
    dataset: model.dataSet.name,
    parameters: model.parameters,
    backend: model.backend,
    codeVersion: model.codeVersion,
    options: model.options,
    metrics: model.metrics as unknown as ModelMetrics | null,
    finishedAt: model.finishedAt,
  }));
  if (json) {
    printJson({ champion: champion ? publicId('model', champion.id) : null, models: list });
    return;
  }
  if (list.length === 0) {
    print('no models yet: hiphop train makes some');
    return;
  }
  const rows = list.map(({ metrics, ...model }) => {
    const cross = metrics?.crossValidation;
    return [
      `${model.champion ? '* ' : '  '}${model.id}`,
      ...[model.name, model.state, model.dataset, model.parameters, model.backend],
      metrics
        ? `${withInterval(metrics.holdout.rocAuc, metrics.holdout.rocAucCi95)} n=${metrics.holdout.n}`
        : '-',
      cross ? `${withInterval(cross.rocAuc, cross.rocAucCi95)} n=${cross.n}` : '-',
    ];
  });
  const head = [
    '  model',
    'name',
    'state',
    'data set',
    'parameters',
    'back end',
    'holdout ROC-AUC',
    'cross-validation',
  ];
  print(table(head, rows));
  if (champion) {
    const promotion = await prisma.promotion.findFirst({ orderBy: { id: 'desc' } });
    print(`* champion since ${promotion?.promotedAt.toISOString()}: ${promotion?.reason}`);
  }
}

async function promote(
  session: Session,
  text: string,
  options: { reason: string; json?: boolean },
): Promise<void> {
  const { prisma } = session.database;
  const { id } = parsePublicId(text, ['model']);
  const model = await prisma.model.findUnique({ where: { id } });
  const name = publicId('model', id);
  if (!model) throw new UserError(`there is no ${name}; hiphop models lists what there is`);
  if (model.state !== 'ready') throw new UserError(`${name} cannot be champion: it is ${model.state}`);
  if ((model.options as { shuffleLabels?: boolean }).shuffleLabels) {
    throw new UserError(`${name} was trained on permuted labels, as a null test: it must not score songs`);
  }
  await prisma.promotion.create({
    data: { modelId: id, reason: options.reason, promotedBy: 'command line' },
  });
  if (options.json) printJson({ champion: name, reason: options.reason });
  else print(`${name} (${model.name}) is champion now`);
}
