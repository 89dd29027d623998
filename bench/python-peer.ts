import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { packageRoot } from '../shared/paths.ts';

/** Time taken, in milliseconds. */
export interface Took {
  /** Of all cores together, by the process that did the work. */
  processorMs: number;
  wallMs: number;
}

export interface PythonPeerOptions {
  /** Where virtual environments are kept. */
  cacheDir: string;
  /** Of the virtual environment. */
  name: string;
  /** With exact versions, as pip takes them. */
  packages: readonly string[];
  /** Path in this repository. It says that it is ready in a first line. */
  script: string;
}

/**
 * A Python program that answers each line of JSON with one, in a process of its own which stays, so that
 * it is measured warm.
 */
export class PythonPeer {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(python: string, script: string) {
    this.#process = spawn(python, [join(packageRoot, script)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Install the packages on first use, in a virtual environment, and start the program. */
  static async start({ cacheDir, name, packages, script }: PythonPeerOptions): Promise<PythonPeer> {
    const folder = join(cacheDir, 'bench', name);
    const python = join(folder, 'bin', 'python');
    const installed = join(folder, 'installed');
    if (!existsSync(installed)) {
      console.log(`installing ${packages.join(', ')} in ${folder}`);
      execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
      execFileSync(python, ['-m', 'pip', 'install', '--quiet', ...packages], { stdio: 'inherit' });
      writeFileSync(installed, `${packages.join('\n')}\n`);
    }
    const peer = new PythonPeer(python, script);
    await peer.#answer();
    return peer;
  }

  async ask<Answer>(question: unknown): Promise<Answer> {
    const answer = this.#answer();
    this.#process.stdin.write(`${JSON.stringify(question)}\n`);
    return JSON.parse(await answer) as Answer;
  }

  async close(): Promise<void> {
    const exit = once(this.#process, 'exit');
    this.#process.stdin.end();
    await exit;
  }

  async #answer(): Promise<string> {
    const { value: line, done } = await this.#lines.next();
    if (done) throw new Error('the Python program ended: its last lines are above');
    return line;
  }
}
