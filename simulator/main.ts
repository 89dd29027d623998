/** The simulator's command line: a local stand-in for the world outside. */
import { once } from 'node:events';
import { Command, InvalidArgumentError, Option } from 'commander';
import { reasonOf, UserError } from '../shared/errors.ts';
import { writeCatalogue } from './catalogue.ts';
import { type SimulatorSettings, startSimulator } from './server/index.ts';
import { createWorld } from './world/world.ts';

interface CatalogueFlags {
  out: string;
  tracks: number;
  unheard: number;
  seed: number;
  seconds: number;
}

interface ServeFlags {
  tracks: number;
  seed: number;
  port: number;
  years: [from: number, to: number];
  audio?: string;
  cache?: string;
  searchLimit?: number;
  quota: NonNullable<SimulatorSettings['quota']>;
  chaos: NonNullable<SimulatorSettings['chaos']>;
  operators: NonNullable<SimulatorSettings['operators']>;
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

function years(text: string): [from: number, to: number] {
  const match = /^(\d{4})(?:-(\d{4}))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (!(from >= 1950 && from <= to && to <= 2100)) {
    throw new InvalidArgumentError('give years from 1950 to 2100, like 2019-2021.');
  }
  return [from, to];
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
  program
    .command('serve')
    .description('stand in for Spotify and Deezer on this machine; one line of JSON says where')
    .option('--tracks <n>', 'size of the catalogue', whole(1, 1_000_000), 10_000)
    .option('--seed <n>', 'another seed is another world', whole(0, 2 ** 31 - 1), 1)
    .option('--years <from-to>', 'years of release', years, [2019, 2021] as [number, number])
    .option('--port <n>', '0 takes a free one', whole(0, 65_535), 0)
    .option('--audio <folder>', 'serve the clips of this folder as previews')
    .option('--cache <folder>', 'keep synthesised previews here (default: until the end)')
    .option('--search-limit <n>', 'searches in 30 s before 429 (default: no limit)', whole(1, 1_000_000))
    .addOption(choice('--quota <mode>', "Spotify's quota mode", ['extended', 'development']))
    .addOption(choice('--chaos <level>', 'how bad the day is', ['none', 'mild', 'wild']))
    .addOption(choice('--operators <how>', 'how NOT and OR are taken', ['honoured', 'ignored', 'literal']))
    .action((flags: ServeFlags) => serve(flags, signal));
  return program;
}

/** An option with few values, the first of which is the default. */
function choice(flags: string, description: string, values: readonly [string, ...string[]]): Option {
  return new Option(flags, description).choices(values).default(values[0]);
}

/** Serve until told to end: by a signal, or by the end of the process that forked this one. */
async function serve(flags: ServeFlags, signal: AbortSignal): Promise<void> {
  const { tracks, seed, years, port, quota, chaos, operators } = flags;
  const isForked = process.connected === true;
  const worldOptions = { tracks, seed, years };
  const simulator = await startSimulator(createWorld(worldOptions), {
    ...{ worldOptions, port, quota, chaos, operators },
    searchLimit: flags.searchLimit ?? null,
    audioFolder: flags.audio ?? null,
    cacheFolder: flags.cache ?? null,
  });
  const ended = [signal.aborted ? Promise.resolve() : once(signal, 'abort')];
  // Whoever forked this may be gone already, for a large catalogue takes seconds.
  if (isForked) ended.push(process.connected ? once(process, 'disconnect') : Promise.resolve());
  const { url } = simulator;
  process.stdout.write(`${JSON.stringify({ url, tracks, seed, years, quota, chaos, operators })}\n`);
  if (process.connected) process.send?.({ ready: url });
  await Promise.race(ended);
  await simulator.close();
  if (process.connected) process.disconnect();
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
