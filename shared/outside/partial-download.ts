/**
 * What has come of a download, on disk as it comes: a download that was interrupted, by the network or by
 * the death of its process, goes on where it stopped, and one that was whole is not made again.
 */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';

/** What is older belongs to nobody any more, in milliseconds. */
const keptMs = 24 * 3_600_000;

export class PartialDownload {
  readonly #part: string;
  readonly #whole: string;
  #size: number;

  /** @param folder of this machine alone; it is made */
  constructor(folder: string, address: string) {
    mkdirSync(folder, { recursive: true });
    const name = join(folder, createHash('sha256').update(address).digest('hex'));
    this.#part = `${name}.part`;
    this.#whole = `${name}.whole`;
    this.#size = existsSync(this.#part) ? statSync(this.#part).size : 0;
  }

  /** Bytes that have come. */
  get size(): number {
    return this.#size;
  }

  /** All bytes of a download that had come to its end, or null. */
  readWhole(): Buffer | null {
    return existsSync(this.#whole) ? readFileSync(this.#whole) : null;
  }

  /** Written at once, so that whatever the process has seen survives it. */
  append(piece: Buffer): void {
    appendFileSync(this.#part, piece);
    this.#size += piece.length;
  }

  /** The download has come to its end. Returns all of it. */
  finish(): Buffer {
    renameSync(this.#part, this.#whole);
    return readFileSync(this.#whole);
  }

  /** Begin anew: what has come is of no use, or is kept elsewhere now. */
  remove(): void {
    rmSync(this.#part, { force: true });
    rmSync(this.#whole, { force: true });
    this.#size = 0;
  }
}

/** Remove what was left behind long ago. */
export function removeOldDownloads(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > keptMs) rmSync(path, { force: true });
  }
}
