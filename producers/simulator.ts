/** The simulator as a process of its own: it stands for the world outside. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { entryPoint } from '../shared/paths.ts';

export interface SimulatedWorld {
  /** What SIMULATOR_URL would be. */
  url: string;
  stop: () => Promise<void>;
}

/** Start the simulator and wait until it answers. It ends with this process at the latest. */
export async function startSimulator(options: readonly string[]): Promise<SimulatedWorld> {
  const child = fork(entryPoint('simulator/main.ts'), ['serve', ...options], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // Ctrl-C on the terminal is for the command, which then stops it.
    detached: true,
  });
  const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  const url = (first as { ready?: string } | null)?.ready;
  if (url === undefined) throw new Error('the simulator did not start: see its lines above');
  return { url, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** Have the simulator write songs of artists that its catalogue does not know. */
export async function writeUnheardSongs(
  folder: string,
  options: { songs: number; seed: number },
  signal: AbortSignal,
): Promise<void> {
  const child = spawn(
    process.execPath,
    [
      ...[entryPoint('simulator/main.ts'), 'catalogue', '--out', folder, '--tracks', '1'],
      ...['--unheard', String(options.songs), '--seed', String(options.seed)],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], signal },
  );
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the unheard songs could not be made (exit status ${code})`);
}
