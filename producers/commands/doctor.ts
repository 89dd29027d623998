import { access, constants } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import type { Command } from 'commander';
import { openDatabase } from '../../shared/database/index.ts';
import { reasonOf } from '../../shared/errors.ts';
import { openQueueBackend } from '../../shared/queues/backend.ts';
import { findTagger, setUpTagger, taggerName } from '../../shared/tagger/provision.ts';
import { inspectTensorFlow, setUpTensorFlow } from '../../shared/tensorflow/index.ts';
import { type Cli, exitStatus, runCommand } from '../cli.ts';
import { print, printJson, tell } from '../output.ts';

interface Check {
  what: string;
  ok: boolean;
  found: string;
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'look whether everything works here, which TensorFlow is in use and what would make it faster',
    )
    .option(
      '--fix',
      'set up what is missing: TensorFlow for this machine and the music tagger (downloads of about 274 and 29 MB, once)',
    )
    .option('--json', 'print the findings as JSON')
    .action((options: { fix?: boolean; json?: boolean }) =>
      runCommand(false, async (cli) => {
        const { cacheDir, tensorflow: preference, tagger: setting } = cli.config;
        if (options.fix) {
          tell((await setUpTensorFlow({ cacheDir, preference, log: tell })).note);
          const { note } = await setUpTagger({ cacheDir, setting, log: tell, insist: true });
          if (note !== undefined) tell(note);
        }
        const tensorflow = await inspectTensorFlow({ cacheDir });
        const checks = [
          { what: 'Node.js', ok: true, found: `${process.version} on ${platform()} ${arch()}` },
          await check('data folder', () => writable(cli.config.dataDir)),
          await check('database', () => databaseAnswers(cli)),
          await check('FFmpeg', ffmpegLoads),
          { what: 'Spotify', ok: true, found: spotifyIs(cli) },
        ];
        if (options.json) {
          const tagger = { setting, name: taggerName, ready: findTagger(cacheDir) !== undefined };
          printJson({ ok: checks.every(({ ok }) => ok), checks, preference, tensorflow, tagger });
        } else {
          for (const { what, ok, found } of checks) print(`${ok ? 'ok     ' : 'BROKEN '} ${what}: ${found}`);
          print(
            `ok      TensorFlow: ${describeBackend(tensorflow.backend)}${preference === 'auto' ? '' : ` (TENSORFLOW=${preference} asks for another choice)`}`,
          );
          print(`ok      music tagger: ${taggerIs(cli)}`);
          for (const line of tensorflow.advice) print(`faster: ${line}`);
        }
        if (checks.some(({ ok }) => !ok)) process.exitCode = exitStatus.failed;
      }),
    );
}

function describeBackend(backend: string): string {
  if (backend === 'wasm') return 'WebAssembly, the slowest of three: training takes several times as long';
  return backend === 'tensorflow-gpu' ? 'native, on the GPU' : 'native, on the CPU';
}

async function check(what: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { what, ok: true, found: await look() };
  } catch (error) {
    return { what, ok: false, found: reasonOf(error) };
  }
}

async function writable(dataDir: string): Promise<string> {
  await access(dataDir, constants.W_OK);
  return dataDir;
}

async function databaseAnswers({ config, log }: Cli): Promise<string> {
  const database = await openDatabase(config, log);
  try {
    const rows = await database.prisma.$queryRaw<{ server_version: string }[]>`SHOW server_version`;
    const backend = await openQueueBackend(config, database.url);
    await backend.close();
    const where = database.kind === 'embedded' ? 'embedded in the data folder' : 'at DATABASE_URL';
    return `PostgreSQL ${rows[0]?.server_version}, ${where}; queues on ${backend.kind === 'redis' ? 'Redis' : 'PostgreSQL'}`;
  } finally {
    await database.close();
  }
}

function spotifyIs({ config }: Cli): string {
  const { simulator, spotifyClientId, spotifyClientSecret } = config.outside;
  if (simulator) return `simulated at ${simulator} (SIMULATOR_URL)`;
  return spotifyClientId && spotifyClientSecret
    ? 'credentials are set (a crawl finds out the quota mode)'
    : 'no credentials: hiphop crawl needs SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET; own catalogues need none';
}

function taggerIs({ config }: Cli): string {
  if (config.tagger === 'off') return 'off (TAGGER=off): no embeddings, no tags';
  if (findTagger(config.cacheDir) !== undefined) return `${taggerName} is set up`;
  return 'not set up: recordings get no embeddings and tags; hiphop doctor --fix';
}

async function ffmpegLoads(): Promise<string> {
  await import('node-av/lib');
  return 'loads (node-av, in process)';
}
