import type { Command } from 'commander';
import { runInSession } from '../cli.ts';
import { exportModel } from '../export.ts';
import { print, printJson } from '../output.ts';

export function registerExport(program: Command): void {
  program
    .command('export')
    .description('write a model with its weights and evaluation to one file')
    .argument('<model>', 'e.g. model-3')
    .argument('<file>', 'to write; an older export is replaced, any other file is not')
    .option('--json', 'print the outcome as JSON')
    .action((model: string, file: string, options: { json?: boolean }) =>
      runInSession(async (session) => {
        const done = await exportModel(session, model, file);
        if (options.json) printJson(done);
        else print(`${done.model} is in ${file} (${Math.ceil(done.bytes / 1000).toLocaleString('en')} kB)`);
      }),
    );
}
