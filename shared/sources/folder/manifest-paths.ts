/** Find the file that a cell of a manifest names. */
import { access } from 'node:fs/promises';
import { resolve, win32 } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Find a file, relative to the manifest's folder. Spreadsheets come from other systems than the one
 * that reads them, so backslashes, file: addresses and the other way to compose accents (macOS) are
 * tried when the name as written is not there.
 * @returns an absolute path, which may turn out not to exist; or why there can be none
 */
export async function locateFile(
  written: string,
  folder: string,
): Promise<{ path: string } | { reason: string }> {
  if (written.includes('\0')) return { reason: 'is not a file name' };
  if (/^file:\/\//i.test(written)) {
    try {
      return { path: fileURLToPath(written) };
    } catch {
      return { reason: 'is not an address of a file on this machine' };
    }
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(written)) return { reason: 'is an address, not a file' };

  const slashed = written.replaceAll('\\', '/');
  const candidates = new Set<string>();
  for (const name of [written, slashed]) {
    for (const form of [name, name.normalize('NFC'), name.normalize('NFD')]) {
      candidates.add(resolve(folder, form));
    }
  }
  for (const path of candidates) {
    if (await exists(path)) return { path };
  }
  const drive = process.platform !== 'win32' && /^[a-z]:[\\/]/i.test(written) && win32.isAbsolute(written);
  if (drive) return { reason: 'there is no such file (a Windows drive is not known here)' };
  return { path: resolve(folder, slashed) };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
