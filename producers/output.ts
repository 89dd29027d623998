/** What a person or another program sees: answers on standard output, everything else on standard error. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import colors from 'picocolors';
import { reasonOf, UserError } from '../shared/errors.ts';

/** The answer of a command with `--json`: one line, alone on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** A line about what is going on. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Write a file that was asked for, its folder too where there is none.
 * @throws UserError when it cannot be written, with the reason
 */
export async function save(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${reasonOf(error)}`);
  }
}

/** A plain table, columns as wide as they need. */
export function table(head: readonly string[], rows: readonly (string | number | null)[][]): string {
  const drawn = new Table({
    head: [...head],
    style: { head: process.stdout.isTTY ? ['bold'] : [], border: [], compact: true },
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
      ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
      ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
    },
  });
  drawn.push(...rows.map((row) => row.map((cell) => String(cell ?? '-'))));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A figure with its interval, e.g. `.790 [.710 to .860]`; a dash where there is none. */
export function withInterval(value: number | null, interval: [number, number] | null): string {
  if (value === null) return '-';
  return interval
    ? `${value.toFixed(3)} [${interval[0].toFixed(3)} to ${interval[1].toFixed(3)}]`
    : value.toFixed(3);
}

export interface Progress {
  update: (done: number, total: number, note?: string) => void;
  stop: () => void;
}

/** How often progress is told where there is no terminal to draw a bar on, in milliseconds. */
const plainEveryMs = 10_000;

/** A progress bar on a terminal; elsewhere a line now and then. Both on standard error. */
export function progress(label: string): Progress {
  if (!process.stderr.isTTY) return plainProgress(label);
  const bar = new SingleBar({
    format: `${label} ${colors.cyan('{bar}')} {value}/{total} {note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream: process.stderr,
    clearOnComplete: false,
    hideCursor: true,
  });
  let started = false;
  return {
    update: (done, total, note = '') => {
      if (!started) bar.start(total, done, { note });
      started = true;
      bar.setTotal(total);
      bar.update(done, { note });
    },
    stop: () => {
      if (started) bar.stop();
    },
  };
}

function plainProgress(label: string): Progress {
  let next = Date.now() + plainEveryMs;
  let latest: string | null = null;
  return {
    update: (done, total, note = '') => {
      latest = `${label}: ${done} of ${total} ${note}`.trimEnd();
      if (Date.now() < next) return;
      next = Date.now() + plainEveryMs;
      tell(latest);
    },
    stop: () => {
      if (latest !== null) tell(latest);
    },
  };
}
