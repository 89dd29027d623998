import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findSongs } from '../../producers/score.ts';
import { UserError } from '../../shared/errors.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hiphop-songs-'));
  mkdirSync(join(folder, 'album', 'demos'), { recursive: true });
  mkdirSync(join(folder, 'empty'));
  for (const file of ['b.wav', 'a.MP3', 'demos/c.flac', 'cover.jpg', 'notes.txt', '._a.mp3']) {
    writeFileSync(join(folder, 'album', file), '');
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = async (...paths: string[]) => (await findSongs(paths)).map(({ file }) => file);

test('a folder gives all audio below it in a fixed order, and nothing else', async () => {
  const album = join(folder, 'album');
  expect(await findSongs([album])).toEqual(
    ['a.MP3', 'b.wav', 'demos/c.flac'].map((name) => ({
      file: join(album, name),
      location: join(album, name),
    })),
  );
});

test('a file that is named is a row, whatever it is, and so is a missing one', async () => {
  const named = [join(folder, 'album/notes.txt'), join(folder, 'nowhere.mp3')];
  expect(await files(...named)).toEqual(named);
});

test('a song is shown as it was named, and found from anywhere', async () => {
  const path = relative(process.cwd(), join(folder, 'album/b.wav'));
  expect(await findSongs([path])).toEqual([{ file: path, location: join(folder, 'album/b.wav') }]);
});

test('a song that is named twice is scored once', async () => {
  const album = join(folder, 'album');
  const song = join(album, 'b.wav');
  expect(await files(song, album, join(album, 'demos', '..', 'b.wav'))).toHaveLength(3);
});

test('a link to a folder is followed, a folder without audio is refused', async () => {
  symlinkSync(join(folder, 'album'), join(folder, 'link'));
  expect(await files(join(folder, 'link'))).toHaveLength(3);
  await expect(findSongs([join(folder, 'album'), join(folder, 'empty')])).rejects.toThrow(
    new UserError(`there is no audio file in ${join(folder, 'empty')}`),
  );
});
