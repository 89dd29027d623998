import type { Command } from 'commander';
import { runInSession } from '../cli.ts';
import { print, printJson } from '../output.ts';
import { rollBack } from '../promotions.ts';

export function registerRollback(program: Command): void {
  program
    .command('rollback')
    .description('make the champion before champion again; once more goes back further')
    .option('--reason <text>', 'why, kept with the promotion')
    .option('--json', 'print the outcome as JSON')
    .action((options: { reason?: string; json?: boolean }) =>
      runInSession(
        async (session) => {
          const done = await rollBack(session, options.reason, 'command line');
          if (options.json) printJson(done);
          else print(`${done.champion} (${done.name}) is champion again instead of ${done.before}`);
        },
        { action: 'rollback', details: { reason: options.reason ?? null } },
      ),
    );
}
