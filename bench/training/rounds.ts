import type { Took } from '../python-peer.ts';

/** Rounds of two peers, each beside the one that ran next to it. */
export interface Pair {
  readonly own: readonly Took[];
  readonly peer: readonly Took[];
}

/** Let two peers take turns, after a round that does not count. */
export async function taking(
  rounds: number,
  own: () => Promise<Took>,
  peer: () => Promise<Took>,
): Promise<Pair> {
  const took: { own: Took; peer: Took }[] = [];
  for (let round = 0; round <= rounds; round++) took.push({ own: await own(), peer: await peer() });
  const counted = took.slice(1);
  return { own: counted.map((round) => round.own), peer: counted.map((round) => round.peer) };
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

/**
 * Compare wall and processor time: medians, and the median of the rounds' ratios, as neighbours ran under
 * the same load.
 * @returns table cells, and the ratio of wall times
 */
export function compare({ own, peer }: Pair): { ratio: number; cells: string[] } {
  const of = (key: keyof Took) => {
    const ratio = median(own.map((took, i) => took[key] / peer[i]![key]));
    const both = [own, peer].map((rounds) => median(rounds.map((took) => took[key])).toFixed(1));
    return { ratio, cells: [...both, ratio.toFixed(2)] };
  };
  const [wall, processor] = [of('wallMs'), of('processorMs')];
  return { ratio: wall.ratio, cells: [...wall.cells, ...processor.cells] };
}

/** Measure work: processor time of this process and wall time, a sample. */
export async function measured(samples: number, work: () => Promise<void>): Promise<Took> {
  const processor = process.cpuUsage();
  const wall = performance.now();
  await work();
  const wallMs = (performance.now() - wall) / samples;
  const { user, system } = process.cpuUsage(processor);
  return { processorMs: (user + system) / 1_000 / samples, wallMs };
}
