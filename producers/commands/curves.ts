import { resolve } from 'node:path';
import type { Command } from 'commander';
import { publicId } from '../../shared/identifiers.ts';
import { runInSession } from '../cli.ts';
import { drawCurves, modelsToDraw } from '../curves.ts';
import { print, printJson, save } from '../output.ts';

export function registerCurves(program: Command): void {
  program
    .command('curves')
    .description('draw how models rank and how far their probabilities can be trusted, as an SVG picture')
    .argument('<file>', 'e.g. curves.svg')
    .argument('[models...]', 'e.g. model-3 model-5; those of the newest training run by default')
    .option('--json', 'print what was drawn as JSON')
    .action((file: string, ids: string[], { json }: { json?: boolean }) =>
      runInSession(async (session) => {
        const models = await modelsToDraw(session, ids);
        const path = resolve(file);
        await save(path, drawCurves(models));
        const names = models.map(({ id }) => publicId('model', id));
        if (json) printJson({ file: path, models: names });
        else print(`${path}: ${names.join(', ')}`);
      }),
    );
}
