import type { Command } from 'commander';
import { UserError } from '../../shared/errors.ts';
import { type FailureFilter, failureWhere, listFailures } from '../../shared/failures.ts';
import { parsePublicId, publicId } from '../../shared/identifiers.ts';
import { audioStages } from '../../shared/stages.ts';
import { audited } from '../audit.ts';
import { cancel } from '../cancel.ts';
import { runInSession } from '../cli.ts';
import { dismissFailures, retryFailures } from '../failures.ts';
import { print, printJson, table } from '../output.ts';
import { isIdle, waitFor } from '../wait.ts';

interface FilterOptions {
  stage?: string;
  reason?: string;
  all?: boolean;
  json?: boolean;
}

export function registerFailures(program: Command): void {
  program
    .command('failures')
    .description('list what failed for good, with the reason; newest first')
    .option('--stage <name>', 'only of this stage')
    .option('--reason <text>', 'only where the reason contains this')
    .option('--all', 'also those that were retried, resolved or dismissed')
    .option('--limit <rows>', 'at most this many', Number, 50)
    .option('--dismiss <ids...>', 'take these off the list, e.g. failure-3; "all" for all that fit')
    .option('--json', 'print the list as JSON')
    .action((options: FilterOptions & { limit: number; dismiss?: string[] }) =>
      runInSession(async (session) => {
        const { prisma } = session.database;
        const filter = filterOf(options, options.dismiss);
        if (options.dismiss) {
          const dismissed = await audited(session, { action: 'dismiss', details: filter }, () =>
            dismissFailures(session, filter),
          );
          if (options.json) printJson({ dismissed });
          else print(`${dismissed} dismissed`);
          return;
        }
        const failures = await listFailures(prisma, filter, options.limit);
        const total = await prisma.failure.count({ where: failureWhere(filter) });
        const list = failures.map((failure) => ({
          id: publicId('failure', failure.id),
          ...{ state: failure.state, stage: failure.stage, kind: failure.kind, subject: failure.subject },
          ...{ reason: failure.reason, attempts: failure.attempts, at: failure.updatedAt },
        }));
        if (options.json) printJson({ total, failures: list });
        else if (total === 0) print('nothing failed');
        else {
          const rows = list.map(({ id, state, stage, subject, reason }) => [
            id,
            state,
            stage,
            subject,
            reason,
          ]);
          print(table(['failure', 'state', 'stage', 'what', 'reason'], rows));
          if (total > list.length) print(`… and ${total - list.length} more (--limit, --stage, --reason)`);
        }
      }),
    );

  program
    .command('retry')
    .description('put failed work back into its queue')
    .argument('[ids...]', 'e.g. failure-3')
    .option('--all', 'all that is open, or all that fit --stage and --reason')
    .option('--stage <name>', 'only of this stage')
    .option('--reason <text>', 'only where the reason contains this')
    .option('--json', 'print the outcome as JSON')
    .action((ids: string[], options: FilterOptions) =>
      runInSession(async (session) => {
        if (ids.length === 0 && !options.all && !options.stage && !options.reason) {
          throw new UserError(
            'say what to retry: ids (hiphop failures lists them), --stage, --reason or --all',
          );
        }
        const filter = filterOf({ ...options, all: false }, ids.length > 0 ? ids : undefined);
        const result = await audited(session, { action: 'retry', details: filter }, () =>
          retryFailures(session, filter),
        );
        const stages = result.stages.includes('train')
          ? result.stages
          : (['search', 'lookup', ...audioStages(session.config), 'score'] as const);
        if (result.retried > 0 && (await session.workforce.missing(stages)).length > 0) {
          await waitFor(session, {
            stages,
            finished: () => isIdle(session, stages),
          });
        }
        if (options.json) printJson(result);
        else {
          print(`${result.retried} put back into their queues; hiphop failures shows what fails again`);
          for (const { subject, why } of result.left) print(`left: ${subject}: ${why}`);
          const more = result.leftTotal - result.left.length;
          if (more > 0) print(`left: ${more} more`);
        }
      }),
    );

  program
    .command('cancel')
    .description('cancel work under way: what waits is taken out, what runs is stopped, what is done stays')
    .argument('<ids...>', 'crawl-N, run-N, model-N, batch-N or night-N')
    .option('--json', 'print the outcome as JSON')
    .action((ids: string[], options: { json?: boolean }) =>
      runInSession(async (session) => {
        const done: string[] = [];
        for (const id of ids)
          done.push(await audited(session, { action: 'cancel', target: id }, () => cancel(session, id)));
        if (options.json) printJson({ cancelled: done });
        else for (const line of done) print(line);
      }),
    );
}

function filterOf(options: FilterOptions, ids: string[] | undefined): FailureFilter {
  const named = ids?.filter((id) => id !== 'all').map((id) => parsePublicId(id, ['failure']).id);
  return {
    ...(options.all ? {} : { state: 'open' as const }),
    ...(options.stage ? { stage: options.stage } : {}),
    ...(options.reason ? { reason: options.reason } : {}),
    ...(named && named.length > 0 ? { ids: named } : {}),
  };
}
