/** One contestant of the tagger's bench, in a process of its own: it is sent rounds and tells what they took. */
import { readFileSync } from 'node:fs';
import { makeLogMel } from '../../shared/audio/log-mel.ts';
import { parseConfig } from '../../shared/config.ts';
import { taggerInput } from '../../shared/tagger/input.ts';
import { TaggerNetwork } from '../../shared/tagger/network.ts';
import { cutPatches } from '../../shared/tagger/patches.ts';
import { requireTagger } from '../../shared/tagger/provision.ts';
import { readTaggerWeights } from '../../shared/tagger/weights.ts';
import { loadTensorFlow } from '../../shared/tensorflow/index.ts';
import { runLiterally } from './literal.ts';

export interface ChildOptions {
  network: 'pruned' | 'literal';
  preference: 'cpu' | 'wasm';
  /** Paths of audio. */
  clips: readonly string[];
}

export interface RoundTook {
  /** User and system time of the process, and wall time, for all clips. */
  processorMs: number;
  wallMs: number;
  /** The most memory that the process has held so far. */
  peakBytes: number;
}

async function main({ network, preference, clips }: ChildOptions): Promise<void> {
  const { cacheDir } = parseConfig(process.env);
  const weights = await readTaggerWeights(requireTagger(cacheDir));
  const { tf } = await loadTensorFlow({ preference, cacheDir });
  const pruned = new TaggerNetwork(tf, weights);
  const inputs: Float32Array[] = [];
  for (const path of clips) inputs.push(cutPatches(await makeLogMel(readFileSync(path), taggerInput)));
  const run = (input: Float32Array) =>
    network === 'pruned' ? pruned.run(input) : runLiterally(tf, weights, input);
  process.on('message', () => {
    const before = process.cpuUsage();
    const started = performance.now();
    for (const input of inputs) run(input);
    const { user, system } = process.cpuUsage(before);
    const took: RoundTook = {
      processorMs: (user + system) / 1_000,
      wallMs: performance.now() - started,
      peakBytes: process.resourceUsage().maxRSS * 1_024,
    };
    process.send!(took);
  });
  process.send!('ready');
}

await main(JSON.parse(process.argv[2] ?? '') as ChildOptions);
