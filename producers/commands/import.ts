import type { Command } from 'commander';
import { runInSession } from '../cli.ts';
import { importModel } from '../import.ts';
import { print, printJson } from '../output.ts';

export function registerImport(program: Command): void {
  program
    .command('import')
    .description('put a model that hiphop export wrote into the registry')
    .argument('<file>')
    .option('--json', 'print the outcome as JSON')
    .action((file: string, options: { json?: boolean }) =>
      runInSession(async (session) => {
        const { model, name, isNew, dataset } = await importModel(session, file);
        if (options.json) printJson({ model, name, isNew, dataset });
        else if (!isNew) print(`${model} (${name}) is this model: it is there already`);
        else {
          print(`${model} (${name}), trained on ${dataset}`);
          print(`hiphop promote ${model} makes it the one that scores`);
        }
      }),
    );
}
