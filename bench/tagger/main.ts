import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { entryPoint } from '../../shared/paths.ts';
import { tensorflowEnvironment } from '../../shared/tensorflow/index.ts';
import { benchClips } from '../clips.ts';
import type { ChildOptions, RoundTook } from './child.ts';
import { measureIngest } from './ingest.ts';

interface Contestant {
  name: string;
  clips: number;
  child: ChildProcess;
  rounds: RoundTook[];
}

/** Clips of the literal network, which takes a second each. */
const literalClips = 2;

/**
 * What the tagger costs a clip of half a minute: the pruned network on both back ends, and the literal one
 * on the native back end, in rounds that take turns after a warm-up round; the median round counts.
 * With `--ingest`: tracks a second through the stages, with and without the tagger.
 */
export async function run(argv: string[]): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: {
      clips: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '5' },
      ingest: { type: 'boolean', default: false },
    },
  });
  if (values.ingest) return measureIngest(Number(values.rounds));
  const paths = benchClips(Number(values.clips));
  const contestants = await Promise.all([
    start('literal, native', { network: 'literal', preference: 'cpu', clips: paths.slice(0, literalClips) }),
    start('pruned, native', { network: 'pruned', preference: 'cpu', clips: paths }),
    start('pruned, wasm', { network: 'pruned', preference: 'wasm', clips: paths }),
  ]);
  try {
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const { child, rounds } of contestants) {
        child.send('round');
        const [took] = (await once(child, 'message')) as [RoundTook];
        if (round > 0) rounds.push(took);
      }
    }
  } finally {
    for (const { child } of contestants) child.kill();
  }
  print(contestants, values.rounds);
}

async function start(name: string, options: ChildOptions): Promise<Contestant> {
  const child = fork(entryPoint('bench/tagger/child.ts'), [JSON.stringify(options)], {
    env: { ...process.env, ...tensorflowEnvironment('cpu') },
  });
  const [said] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (said !== 'ready') throw new Error(`${name} did not start`);
  return { name, clips: options.clips.length, child, rounds: [] };
}

function print(contestants: readonly Contestant[], rounds: string): void {
  const table = new Table({ head: ['a clip of 30 s', 'CPU ms', 'wall ms', 'CPU / literal', 'peak MB'] });
  const rows = contestants.map(({ name, clips, rounds: took }) => ({
    name,
    processorMs: median(took.map((one) => one.processorMs)) / clips,
    wallMs: median(took.map((one) => one.wallMs)) / clips,
    peakMb: Math.max(...took.map((one) => one.peakBytes)) / 1e6,
  }));
  for (const { name, processorMs, wallMs, peakMb } of rows) {
    const share = processorMs / rows[0]!.processorMs;
    table.push([name, processorMs.toFixed(0), wallMs.toFixed(0), share.toFixed(3), peakMb.toFixed(0)]);
  }
  console.log(`${contestants.map(({ clips }) => clips).join(', ')} clips, median of ${rounds} rounds`);
  console.log(table.toString());
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}
