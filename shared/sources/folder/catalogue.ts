/** Read one's own catalogue, whatever it is: a manifest, a folder of audio, one song. */
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { UserError } from '../../errors.ts';
import { readAudioFile, readFolder } from './audio-folder.ts';
import { manifestHelp } from './columns.ts';
import { fileReason, isAudioPath } from './files.ts';
import { readManifest } from './manifest.ts';
import type { Catalogue, ReadOptions } from './types.ts';

/**
 * Read a catalogue. A folder is read as audio even where a manifest lies in it: whoever means the
 * manifest names it, and a note says so.
 * @throws UserError when there is nothing at `path`, or nothing to read
 * @throws CancelledError when `options.signal` is aborted
 */
export async function readCatalogue(path: string, options: ReadOptions = {}): Promise<Catalogue> {
  let isFolder: boolean;
  try {
    const stats = await stat(path);
    isFolder = stats.isDirectory();
    if (!isFolder && !stats.isFile()) throw new UserError(`${path} is neither a file nor a folder`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `${path} cannot be read: ${fileReason(error).replace('such file', 'such file or folder')}`,
    );
  }
  if (isFolder) return readFolder(path, options);
  if (isAudioPath(path)) return readAudioFile(path, options);
  if (/^\.(m3u8?|pls|xspf|cue)$/i.test(extname(path))) {
    throw new UserError(`${path} is a playlist, which is not read: ${manifestHelp}`);
  }
  return readManifest(path, options);
}
