import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { spectrogramParameters } from '../shared/audio/parameters.ts';
import { SpectrogramPool } from '../shared/audio/pool.ts';
import { makeSpectrogram } from '../shared/audio/spectrogram.ts';
import { parseConfig } from '../shared/config.ts';
import { benchClips } from './clips.ts';
import { LibrosaPeer, type Took } from './librosa/peer.ts';

const PARAMETERS = spectrogramParameters();
/** Of librosa's processor time: what this project set out to stay under. */
const TARGET_SHARE = 0.4;

async function measured(work: () => Promise<void>): Promise<Took> {
  const processor = process.cpuUsage();
  const wall = performance.now();
  await work();
  const { user, system } = process.cpuUsage(processor);
  return { processorMs: (user + system) / 1_000, wallMs: performance.now() - wall };
}

const CLOCK_TICK_MS = 10;
const USER_TICKS_AT = 11;

/** Processor time of all children so far, in milliseconds; Linux tells, other systems do not. */
function processorMsOfChildren(): number {
  if (process.platform !== 'linux') return Number.NaN;
  const tasks = readdirSync('/proc/self/task');
  const children = tasks.flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
  const ticks = children.map((child) => {
    // The second field, the command in parentheses, may hold spaces.
    const fields = readFileSync(`/proc/${child}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[USER_TICKS_AT]) + Number(fields[USER_TICKS_AT + 1]);
  });
  return CLOCK_TICK_MS * ticks.reduce((sum, one) => sum + one, 0);
}

/** The same with the children, which must outlive the work. */
async function measuredWithChildren(work: () => Promise<void>): Promise<Took> {
  const before = processorMsOfChildren();
  const took = await measured(work);
  return { ...took, processorMs: took.processorMs + processorMsOfChildren() - before };
}

async function inProcess(paths: string[]): Promise<void> {
  for (const path of paths) await makeSpectrogram(readFileSync(path), PARAMETERS);
}

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

/**
 * Decode and mel spectrogram of the same clips by this project and by librosa (load, melspectrogram,
 * power_to_db), in rounds that take turns after a warm-up round; the median round counts. Processor time is
 * that of the process that works, user and system; of the pool, that of its children and of the transport.
 */
export async function run(argv: string[]): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: { clips: { type: 'string', default: '40' }, rounds: { type: 'string', default: '5' } },
  });
  const paths = benchClips(Number(values.clips));
  const processes = availableParallelism();
  const librosa = await LibrosaPeer.start(parseConfig(process.env).cacheDir);
  const pool = new SpectrogramPool({ processes, timeoutSeconds: 60 });
  const throughPool = async (): Promise<void> => {
    await Promise.all(paths.map((path) => pool.make(readFileSync(path), PARAMETERS)));
  };
  const peers: { name: string; work: () => Promise<Took>; rounds: Took[] }[] = [
    { name: 'librosa 0.11', work: () => librosa.make(paths), rounds: [] },
    { name: 'this project', work: () => measured(() => inProcess(paths)), rounds: [] },
    { name: `pool of ${processes}`, work: () => measuredWithChildren(throughPool), rounds: [] },
  ];
  try {
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const peer of peers) {
        const took = await peer.work();
        if (round > 0) peer.rounds.push(took);
      }
    }
  } finally {
    await Promise.all([librosa.close(), pool.close()]);
  }
  const rows = peers.map(({ name, rounds }) => ({
    name,
    processorMs: median(rounds.map((took) => took.processorMs)) / paths.length,
    wallMs: median(rounds.map((took) => took.wallMs)) / paths.length,
  }));
  const reference = rows[0]!;
  const table = new Table({ head: ['a track', 'CPU ms', 'wall ms', 'CPU / librosa', 'wall / librosa'] });
  for (const { name, processorMs, wallMs } of rows) {
    table.push([
      name,
      processorMs.toFixed(1),
      wallMs.toFixed(1),
      (processorMs / reference.processorMs).toFixed(2),
      (wallMs / reference.wallMs).toFixed(2),
    ]);
  }
  console.log(`${paths.length} clips, median of ${values.rounds} rounds`);
  console.log(table.toString());
  const share = rows[1]!.processorMs / reference.processorMs;
  console.log(
    `${share.toFixed(2)} x librosa's CPU: the target of ${TARGET_SHARE} is ${share <= TARGET_SHARE ? 'met' : 'missed'}`,
  );
}
