/** Addresses of previews: 40 hexadecimal digits, as the real ones, that tell nobody but us the recording. */
import { createHash } from 'node:crypto';

/** @param recording 0 to 2^32 - 1 */
export function previewHash(seed: number, recording: number): string {
  const mask = digestOf(`${seed}/previews`).readUInt32BE();
  const hidden = ((recording ^ mask) >>> 0).toString(16).padStart(8, '0');
  return hidden + digestOf(`${seed}/preview/${recording}`).toString('hex').slice(0, 32);
}

/** Read an address back without a table of a million. @returns null for what is no address of this seed */
export function recordingOf(seed: number, hash: string): number | null {
  if (!/^[0-9a-f]{40}$/.test(hash)) return null;
  const mask = digestOf(`${seed}/previews`).readUInt32BE();
  const recording = (Number.parseInt(hash.slice(0, 8), 16) ^ mask) >>> 0;
  return previewHash(seed, recording) === hash ? recording : null;
}

function digestOf(text: string): Buffer {
  return createHash('sha1').update(text).digest();
}
