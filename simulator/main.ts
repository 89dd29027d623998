/** The simulator's command line: a local stand-in for the world outside. */
import { Command, InvalidArgumentError } from 'commander';
import { reasonOf, UserError } from '../shared/errors.ts';
import { writeCatalogue } from './catalogue.ts';

interface CatalogueFlags {
  out: string;
  tracks: number;
  unheard: number;
  seed: number;
  seconds: number;
}

function whole(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`give a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

function buildProgram(signal: AbortSignal): Command {
  const program = new Command('simulator').description('A local stand-in for the world outside.');
  program
    .command('catalogue')
    .description('make a catalogue of synthesised hip-hop with a planted rule of popularity')
    .requiredOption('--out <folder>', 'folder to make')
    .option('--tracks <n>', 'songs with a known popularity', whole(1, 100_000), 120)
    .option('--unheard <n>', 'further songs, by other artists, without one', whole(0, 100_000), 20)
    .option('--seed <n>', 'another seed is another world', whole(0, 2 ** 31 - 1), 1)
    .option('--seconds <n>', 'length of each song', whole(1, 600), 30)
    .action(async (flags: CatalogueFlags) => {
      const summary = await writeCatalogue({ ...flags, signal, onProgress: createProgressLines() });
      process.stdout.write(`${JSON.stringify(summary)}\n`);
    });
  return program;
}

/** Say every tenth part of the way, on standard error. */
function createProgressLines(): (done: number, total: number) => void {
  let said = 0;
  return (done, total) => {
    const tenth = Math.floor((10 * done) / total);
    if (tenth === said) return;
    said = tenth;
    process.stderr.write(`synthesised ${done} of ${total} songs\n`);
  };
}

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
try {
  await buildProgram(abort.signal).parseAsync();
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = error instanceof UserError ? 2 : 1;
}
