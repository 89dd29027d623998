import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { CancelledError, UserError } from '../../../shared/errors.ts';
import { readManifest } from '../../../shared/sources/folder/manifest.ts';
import { temporaryFolder, writeFiles } from './helpers.ts';

const folder = temporaryFolder();
let count = 0;

/** Write a manifest beside the songs and read it. */
function read(text: string | Uint8Array, options = {}) {
  const path = join(folder, `manifest-${++count}.csv`);
  writeFileSync(path, text);
  return readManifest(path, options);
}
const problemsOf = async (text: string) =>
  (await read(text)).problems.map(({ line, file, reason }) => `${line} ${file}: ${reason}`);

beforeAll(() => {
  writeFiles(folder, {
    'a.mp3': 'audio a',
    'b.mp3': 'audio b',
    'c.mp3': 'audio c',
    'same-as-a.mp3': 'audio a',
    'empty.mp3': '',
    'sub/déjà vu.mp3': 'audio d',
  });
  mkdirSync(join(folder, 'folder.mp3'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling.mp3'));
  symlinkSync(join(folder, 'a.mp3'), join(folder, 'link-to-a.mp3'));
});

describe('readManifest', () => {
  it('reads every column', async () => {
    const { rows, problems, warnings, hasPopularity } = await read(
      'File, POPULARITY ,Title,Artist,Album,Release Date,genre,track_group,ISRC,Label,\n' +
        'a.mp3,"45,5",Song A,A feat. B,Album,2020-03-04,Rap,g1,us-rc1-76-07839,Some Label,\n',
    );
    expect(problems).toEqual([]);
    expect(warnings).toEqual([]);
    expect(hasPopularity).toBe(true);
    expect(rows).toEqual([
      {
        file: join(folder, 'a.mp3'),
        line: 2,
        contentHash: createHash('sha256').update('audio a').digest('hex'),
        sizeBytes: 7,
        title: 'Song A',
        artists: ['A', 'B'],
        album: 'Album',
        genre: 'Rap',
        releaseDate: new Date('2020-03-04'),
        isrc: 'USRC17607839',
        trackGroup: 'g1',
        popularity: 45.5,
        durationMs: null,
        attributes: { Label: 'Some Label' },
        duplicateOf: null,
      },
    ]);
  });

  it.each([
    ['UTF-8 with a mark', (text: string) => Buffer.from(`\ufeff${text}`)],
    ['UTF-16 LE', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 BE', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['Windows-1252', (text: string) => Buffer.from(text, 'latin1')],
  ])('reads %s with the line ends of Windows', async (name, encode) => {
    const { rows, notes } = await read(encode('file;popularity;artist\r\nsub\\déjà vu.mp3;12;Zoë\r\n'));
    expect(rows).toMatchObject([{ popularity: 12, artists: ['Zoë'], line: 2, title: 'déjà vu' }]);
    expect(notes.some((note) => note.includes('Windows-1252'))).toBe(name === 'Windows-1252');
  });

  it('finds files however their paths are written', async () => {
    const { rows, problems } = await read(
      [
        'path\tpopularity',
        `${join(folder, 'a.mp3')}\t1`,
        '.\\b.mp3\t2',
        `${pathToFileURL(join(folder, 'c.mp3'))}\t3`,
        `${'sub/déjà vu.mp3'.normalize('NFD')}\t4`,
      ].join('\r'),
    );
    expect(problems).toEqual([]);
    expect(rows.map(({ popularity }) => popularity)).toEqual([1, 2, 3, 4]);
  });

  it('takes the good rows and reports the others by line', async () => {
    const path = [
      'file,popularity,title',
      'a.mp3,10,"Two',
      'Lines"',
      'missing.mp3,20,x',
      '',
      'folder.mp3,20,x',
      'empty.mp3,20,x',
      ',20,x',
      'b.mp3,many,x',
      'b.mp3,101,x',
      'b.mp3,20,Hello, World',
      'b.mp3,20',
      'b.mp3,20,"x',
      'dangling.mp3,20,x',
      '/proc/self/mem,20,x',
      'https://example.org/a.mp3,20,x',
      'C:\\Music\\a.mp3,20,x',
      'b.mp3,20,good',
    ].join('\n');
    const { rows, problems } = await read(path);
    expect(rows.map(({ line, title }) => [line, title])).toEqual([
      [2, 'Two Lines'],
      [18, 'good'],
    ]);
    expect(problems.map(({ line, file, reason }) => `${line} ${file}: ${reason}`)).toEqual([
      '4 missing.mp3: there is no such file',
      '6 folder.mp3: is a folder, not an audio file',
      '7 empty.mp3: is empty (0 bytes)',
      '8 null: names no file',
      '9 b.mp3: popularity is not a number: "many"',
      '10 b.mp3: popularity must be 0 to 100, and is "101"',
      expect.stringMatching(/^11 b.mp3: has 4 columns where the header has 3/),
      '12 b.mp3: has 2 columns where the header has 3',
      '13 null: a quotation mark in this row is not closed',
      '14 dangling.mp3: there is no such file',
      expect.stringMatching(/^15 \/proc\/self\/mem: /),
      '16 https://example.org/a.mp3: is an address, not a file',
      '17 C:\\Music\\a.mp3: there is no such file (a Windows drive is not known here)',
    ]);
  });

  it('ignores delimiters too many at the end of a row', async () => {
    expect((await read('file;popularity;;\na.mp3;1;;\nb.mp3;2;;;;\n')).rows).toHaveLength(2);
  });

  it('takes a file once, and refuses a second popularity for it', async () => {
    const { rows, repeats, problems } = await read(
      'file,popularity\na.mp3,10\n./a.mp3,10\nlink-to-a.mp3,10\na.mp3,11\nb.mp3,bad\nb.mp3,5\n',
    );
    expect(rows.map(({ line }) => line)).toEqual([2, 7]);
    expect(repeats).toBe(2);
    expect(problems.map(({ line }) => line)).toEqual([5, 6]);
    expect(problems[0]?.reason).toBe(
      'is the same file as line 2, which has popularity 10 and not 11: the earlier row was kept',
    );
  });

  it('says which rows have the same bytes', async () => {
    const { rows } = await read('file,popularity\nb.mp3,1\na.mp3,2\nsame-as-a.mp3,3\n');
    expect(rows.map(({ duplicateOf }) => duplicateOf)).toEqual([null, null, { file: 'a.mp3', line: 3 }]);
  });

  it('takes rows without a popularity as songs to score, and says so', async () => {
    const mixed = await read('file,popularity\na.mp3,10\nb.mp3,\n');
    expect(mixed.rows.map(({ popularity }) => popularity)).toEqual([10, null]);
    expect(mixed.warnings).toMatchObject([{ line: 3, reason: expect.stringMatching(/popularity is empty/) }]);
    const none = await read('file,title\na.mp3,x\n');
    expect(none.hasPopularity).toBe(false);
    expect(none.warnings).toEqual([]);
    expect(none.notes.join()).toMatch(/no column "popularity"/);
  });

  it('warns of cells that make no sense and keeps the row', async () => {
    const { rows, warnings } = await read(
      'file,popularity,release_date,isrc\na.mp3,1,03/04/2020,nonsense\nb.mp3,2,soon,\nmissing.mp3,2,soon,\n',
    );
    expect(rows).toMatchObject([
      { releaseDate: null, isrc: null },
      { releaseDate: null, isrc: null },
    ]);
    expect(warnings.map(({ line, reason }) => [line, reason.split(' ')[0]])).toEqual([
      [2, 'release'],
      [2, 'not'],
      [3, 'release'],
    ]);
  });

  it('lets one date of a column settle the others', async () => {
    const { rows } = await read('file,popularity,date\na.mp3,1,03/04/2020\nb.mp3,2,31/12/2020\n');
    expect(rows[0]?.releaseDate).toEqual(new Date('2020-04-03'));
  });

  it('prefers the proper name of a column to a synonym, and keeps the other', async () => {
    const { rows } = await read('path,file,popularity,year,release_date\nx,a.mp3,1,1999,2020\n');
    expect(rows[0]).toMatchObject({
      file: join(folder, 'a.mp3'),
      releaseDate: new Date('2020-01-01'),
      attributes: { path: 'x', year: '1999' },
    });
  });

  it('keeps attributes with awkward names', async () => {
    const { rows } = await read('file,popularity,__proto__,bpm,bpm,\na.mp3,1,p,90,91,z\n');
    expect(Object.entries(rows[0]!.attributes)).toEqual([
      ['__proto__', 'p'],
      ['bpm', '90'],
      ['bpm (column 5)', '91'],
      ['column 6', 'z'],
    ]);
  });

  it('says what is wrong with a manifest that is none', async () => {
    await expect(read('title,popularity\nx,1\n')).rejects.toThrow(
      /has no column "file". Columns found: "title", "popularity"\. A manifest needs a column "file"/,
    );
    for (const [bytes, message] of [
      [Buffer.alloc(0), /is empty/],
      [Buffer.from('\r\n\r\n'), /is empty/],
      [Buffer.from([0xff, 0xfb, 0x90, 0, 0, 1, 2, 3]), /not text/],
      [Buffer.from('PK\x03\x04rest of an xlsx'), /save it as CSV/],
      [Buffer.from('file,"popularity\na.mp3,1'), /header cannot be read/],
    ] as const) {
      await expect(read(bytes)).rejects.toThrow(message);
      await expect(read(bytes)).rejects.toBeInstanceOf(UserError);
    }
    await expect(readManifest(join(folder, 'none.csv'))).rejects.toThrow(/there is no such file/);
    await expect(readManifest(folder)).rejects.toThrow(UserError);
  });

  it('takes a header without rows for an empty catalogue', async () => {
    expect(await read('file,popularity\n')).toMatchObject({
      rows: [],
      problems: [],
      notes: ['the manifest has a header and no rows'],
    });
  });

  it('tells its progress and can be cancelled', async () => {
    const seen: number[][] = [];
    await read('file,popularity\na.mp3,1\nb.mp3,2\nc.mp3,3\n', {
      onProgress: (done: number, total: number) => seen.push([done, total]),
    });
    expect(seen).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    await expect(read('file,popularity\na.mp3,1\n', { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(
      CancelledError,
    );
  });

  it('reads many rows in time that grows with their number', async () => {
    const line = (index: number) =>
      `missing-${index}.mp3,${index % 100},Title ${index},Artist ${index % 500}`;
    const text = (n: number) =>
      `file,popularity,title,artist\n${Array.from({ length: n }, (_, i) => line(i)).join('\n')}`;
    const timed = async (n: number) => {
      const started = performance.now();
      expect((await problemsOf(text(n))).length).toBe(n);
      return performance.now() - started;
    };
    await timed(1000);
    const small = await timed(5000);
    const large = await timed(20_000);
    expect(large).toBeLessThan(small * 12 + 1000);
  });
});
