import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CancelledError, UserError } from '../../../shared/errors.ts';
import { readFolder } from '../../../shared/sources/folder/audio-folder.ts';
import { readCatalogue } from '../../../shared/sources/folder/catalogue.ts';
import { readManifest } from '../../../shared/sources/folder/manifest.ts';
import { encodeTag } from '../../../simulator/id3.ts';
import { encodeMp3 } from '../../../simulator/mp3.ts';
import { temporaryFolder, writeFiles } from './helpers.ts';

const folder = temporaryFolder();
const tone = Float32Array.from({ length: 22_050 }, (_, index) => 0.5 * Math.sin(index / 20));
const audio = encodeMp3(tone, 22_050);
const tags = {
  title: 'Étude №1',
  artists: ['Tyler, The Creator', 'Zoë feat. Guest'],
  album: 'Album',
  genre: 'Hip-Hop',
  releaseDate: '2021-02-03',
  isrc: 'XXSIM2100001',
};
const tagged = Buffer.concat([encodeTag(tags), audio]);
let count = 0;

function makeFolder(files: Record<string, string | Uint8Array>): string {
  const path = join(folder, `case-${++count}`);
  mkdirSync(path);
  writeFiles(path, files);
  return path;
}
const namesOf = (path: string, rows: readonly { file: string }[]) =>
  rows.map(({ file }) => relative(path, file));

describe('readFolder', () => {
  it('reads tags', async () => {
    const { rows, hasPopularity } = await readFolder(makeFolder({ 'x.MP3': tagged }));
    expect(hasPopularity).toBe(false);
    expect(rows).toMatchObject([
      {
        line: null,
        title: 'Étude №1',
        artists: ['Tyler, The Creator', 'Zoë', 'Guest'],
        album: 'Album',
        genre: 'Hip-Hop',
        releaseDate: new Date('2021-02-03'),
        isrc: 'XXSIM2100001',
        popularity: null,
        sizeBytes: tagged.length,
      },
    ]);
    expect(rows[0]!.durationMs).toBeGreaterThan(900);
    expect(rows[0]!.durationMs).toBeLessThan(1200);
  });

  it('names songs without readable tags after their files', async () => {
    const path = makeFolder({
      'My Song.mp3': audio,
      'broken.flac': 'not flac at all',
      'huge-id3.mp3': Buffer.concat([Buffer.from('ID3\x04\0\0\x7f\x7f\x7f\x7f'), audio.subarray(0, 3000)]),
      'noise.ogg': Buffer.from(
        Array.from({ length: 50_000 }, (_, index) => (index * 7919 + (index >> 3)) % 256),
      ),
    });
    const { rows, problems } = await readFolder(path);
    expect(problems).toEqual([]);
    expect(rows.map(({ title, artists }) => [title, artists])).toEqual([
      ['My Song', []],
      ['broken', []],
      ['huge-id3', []],
      ['noise', []],
    ]);
  });

  it('walks folders in a fixed order, past hidden files, and counts what is not audio', async () => {
    const path = makeFolder({
      'b.mp3': 'b',
      'a/z.wav': 'z',
      'a/a.flac': 'a',
      'A.ogg': 'A',
      'ä.m4a': 'ä',
      '.hidden.mp3': 'h',
      '.git/x.mp3': 'x',
      'cover.jpg': 'j',
      'a/notes.TXT': 't',
      'a/more.txt': 't',
      README: 'r',
      'manifest.csv': 'file,popularity\nb.mp3,1\n',
    });
    const { rows, notes } = await readFolder(path);
    expect(namesOf(path, rows)).toEqual(['A.ogg', 'a/a.flac', 'a/z.wav', 'b.mp3', 'ä.m4a']);
    expect(notes[0]).toBe('not audio, left alone: 1 (none), 1 .csv, 1 .jpg, 2 .txt');
    expect(notes[1]).toMatch(/this folder holds manifest.csv/);
  });

  it('follows links, each folder once', async () => {
    const path = makeFolder({ 'in/x.mp3': 'x', 'in/deep/y.mp3': 'y' });
    const outside = makeFolder({ 'z.mp3': 'z' });
    symlinkSync('..', join(path, 'in/up'));
    symlinkSync('.', join(path, 'in/deep/self'));
    symlinkSync('loop', join(path, 'loop'));
    symlinkSync(outside, join(path, 'outside'));
    symlinkSync('in/x.mp3', join(path, 'x-again.mp3'));
    symlinkSync('nowhere', join(path, 'gone.mp3'));
    const { rows, problems, repeats } = await readFolder(path);
    expect(namesOf(path, rows)).toEqual(['in/deep/y.mp3', 'in/x.mp3', 'outside/z.mp3']);
    expect(repeats).toBe(1);
    expect(problems).toEqual([{ line: null, file: join(path, 'gone.mp3'), reason: 'there is no such file' }]);
  });

  it('reports files that cannot be read and says what is the same', async () => {
    const path = makeFolder({ 'a.mp3': 'x', 'b.mp3': 'x', 'c.mp3': '' });
    const { rows, problems } = await readFolder(path);
    expect(rows.map(({ duplicateOf }) => duplicateOf)).toEqual([
      null,
      { file: join(path, 'a.mp3'), line: null },
    ]);
    expect(problems).toEqual([{ line: null, file: join(path, 'c.mp3'), reason: 'is empty (0 bytes)' }]);
  });

  it('refuses a folder without audio', async () => {
    const path = makeFolder({ 'a.txt': 'x', 'b.pdf': 'x' });
    await expect(readFolder(path)).rejects.toThrow(/holds no audio \(other files: 1 \.pdf, 1 \.txt\)/);
    await expect(readFolder(join(path, 'none'))).rejects.toBeInstanceOf(UserError);
  });

  it('can be cancelled', async () => {
    const path = makeFolder({ 'a.mp3': 'x' });
    await expect(readFolder(path, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(CancelledError);
  });
});

describe('readManifest with bare files', () => {
  it('fills titles and artists from tags only where the manifest has neither', async () => {
    const path = makeFolder({
      'x.mp3': tagged,
      'bare.csv': 'file,popularity,genre\nx.mp3,5,Drill\n',
      'full.csv': 'file,popularity,title\nx.mp3,5,\n',
    });
    expect((await readManifest(join(path, 'bare.csv'))).rows).toMatchObject([
      { title: 'Étude №1', artists: { length: 3 }, genre: 'Drill', isrc: 'XXSIM2100001', popularity: 5 },
    ]);
    expect((await readManifest(join(path, 'full.csv'))).rows).toMatchObject([
      { title: 'x', artists: [], isrc: null },
    ]);
  });
});

describe('readCatalogue', () => {
  it('tells a manifest, a folder and a song apart', async () => {
    const path = makeFolder({
      'x.mp3': tagged,
      'list.txt': 'file|popularity\nx.mp3|5\n',
      'm.m3u': 'x.mp3\n',
    });
    copyFileSync(join(path, 'list.txt'), join(path, 'list.csv'));
    expect(await readCatalogue(path)).toMatchObject({ kind: 'folder', rows: [{ popularity: null }] });
    expect(await readCatalogue(join(path, 'x.mp3'))).toMatchObject({
      kind: 'file',
      rows: [{ title: tags.title }],
    });
    for (const name of ['list.csv', 'list.txt']) {
      expect(await readCatalogue(join(path, name))).toMatchObject({
        kind: 'manifest',
        rows: [{ popularity: 5 }],
      });
    }
    await expect(readCatalogue(join(path, 'm.m3u'))).rejects.toThrow(/playlist/);
    await expect(readCatalogue(join(path, 'none'))).rejects.toThrow(/no such file or folder/);
    await expect(readCatalogue('/dev/null')).rejects.toThrow(/neither a file nor a folder/);
  });

  it('reports one song that cannot be read', async () => {
    const file = join(makeFolder({ 'empty.mp3': '' }), 'empty.mp3');
    expect(await readCatalogue(file)).toMatchObject({
      rows: [],
      problems: [{ line: null, file, reason: 'is empty (0 bytes)' }],
    });
  });
});
