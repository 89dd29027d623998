import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { packageRoot } from '../../shared/paths.ts';

const LIBROSA = 'librosa==0.11.0';

/** Time taken, in milliseconds. */
export interface Took {
  /** Of all cores together, by the process that did the work. */
  processorMs: number;
  wallMs: number;
}

/** librosa in a Python process of its own, which stays, so that it is measured warm. */
export class LibrosaPeer {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;

  private constructor(python: string) {
    this.#process = spawn(python, [join(packageRoot, 'bench/librosa/mel.py')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#process.stdout });
  }

  /** Install librosa on first use, in a virtual environment under `cacheDir`, and start it. */
  static async start(cacheDir: string): Promise<LibrosaPeer> {
    const folder = join(cacheDir, 'bench', 'librosa');
    const python = join(folder, 'bin', 'python');
    if (!existsSync(join(folder, 'bin', 'numba'))) {
      console.log(`installing ${LIBROSA} in ${folder}`);
      execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
      execFileSync(python, ['-m', 'pip', 'install', '--quiet', LIBROSA], { stdio: 'inherit' });
    }
    const peer = new LibrosaPeer(python);
    await once(peer.#lines, 'line');
    return peer;
  }

  /** Have it make the spectrograms of these files, one after the other. */
  async make(paths: string[]): Promise<Took> {
    const answer = once(this.#lines, 'line');
    this.#process.stdin.write(`${JSON.stringify(paths)}\n`);
    const [line] = (await answer) as [string];
    return JSON.parse(line) as Took;
  }

  async close(): Promise<void> {
    const exit = once(this.#process, 'exit');
    this.#process.stdin.end();
    await exit;
  }
}
