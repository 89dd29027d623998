import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../shared/paths.ts';

const program = join(packageRoot, 'bin', 'hiphop.mjs');

/**
 * Run the program's command line on a data folder, as a user would.
 * @returns what it printed as JSON.
 * @throws Error with what it said when it failed.
 */
export async function hiphop<T>(dataDir: string, args: readonly string[]): Promise<T> {
  const child = spawn(process.execPath, [program, ...args, '--json'], {
    env: { ...process.env, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'exit');
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await exit) as [number | null];
  if (code !== 0) throw new Error(`hiphop ${args[0]} ended with ${code}: ${said.trim().split('\n').at(-1)}`);
  return JSON.parse(out) as T;
}

interface Figures {
  n: number;
  rocAuc: number;
  rocAucCi95: [number, number];
  ece: number;
  top10: { precision: number };
  top20: { precision: number };
}

/** What the benches read of `hiphop train --json`. */
export interface Trained {
  models: { id: string; name: string; crossValidation: Figures; holdout: Figures; error?: string }[];
  champion: string;
}
