import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { CancelledError, UserError } from '../../../shared/errors.ts';
import { entryPoint } from '../../../shared/paths.ts';
import { readCatalogue } from '../../../shared/sources/folder/catalogue.ts';
import { writeCatalogue } from '../../../simulator/catalogue.ts';
import { planTracks } from '../../../simulator/plan.ts';

const folder = mkdtempSync(join(tmpdir(), 'hiphop-simulator-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const options = { tracks: 8, unheard: 3, seed: 7, seconds: 1 };

function contents(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    files
      .filter((name) => statSync(join(path, name)).isFile())
      .map((name) => [name, readFileSync(join(path, name)).toString('base64')]),
  );
}

describe('planTracks', () => {
  const plan = planTracks({ tracks: 400, seed: 1, world: 'catalogue', reissues: 0.05 });

  it('plans the number asked for, and begins alike whatever the number', () => {
    expect(plan).toHaveLength(400);
    expect(planTracks({ tracks: 50, seed: 1, world: 'catalogue', reissues: 0.05 })).toEqual(
      plan.slice(0, 50),
    );
    expect(new Set(plan.map(({ file }) => file)).size).toBe(400);
  });

  it('gives artists several songs, and some recordings two releases', () => {
    const artists = new Set(plan.map(({ tags }) => tags.artists[0]));
    expect(artists.size).toBeGreaterThan(80);
    expect(artists.size).toBeLessThan(200);
    const byIsrc = new Map<string, typeof plan>();
    for (const track of plan) byIsrc.set(track.tags.isrc, [...(byIsrc.get(track.tags.isrc) ?? []), track]);
    const reissued = [...byIsrc.values()].filter((tracks) => tracks.length > 1);
    expect(reissued.length).toBeGreaterThan(8);
    for (const [first, second] of reissued) {
      expect(second!.songSeed).toBe(first!.songSeed);
      expect(second!.style).toEqual(first!.style);
      expect(second!.tags.album).not.toBe(first!.tags.album);
      expect(Math.abs(second!.popularity - first!.popularity)).toBeLessThanOrEqual(8);
    }
  });

  it('keeps to well-formed dates, codes and numbers', () => {
    for (const { tags, popularity } of plan) {
      expect(tags.isrc).toMatch(/^XX[A-Z0-9]{3}\d{7}$/);
      expect(tags.releaseDate).toMatch(/^20(19|20|21)-\d\d-\d\d$/);
      expect(popularity).toBeGreaterThanOrEqual(0);
      expect(popularity).toBeLessThanOrEqual(100);
    }
  });

  it('shares no artist and no recording with the unheard', () => {
    for (const seed of [1, 2, 3]) {
      const known = planTracks({ tracks: 200, seed, world: 'catalogue', reissues: 0.05 });
      const unheard = planTracks({ tracks: 100, seed, world: 'unheard', reissues: 0 });
      const artists = new Set(known.flatMap(({ tags }) => tags.artists));
      const codes = new Set(known.map(({ tags }) => tags.isrc));
      expect(unheard.filter(({ tags }) => artists.has(tags.artists[0]!) || codes.has(tags.isrc))).toEqual([]);
    }
  });
});

describe('writeCatalogue', () => {
  it('writes the same bytes for the same seed, and others for another', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, name)) as [string, string, string];
    const progress: number[] = [];
    const summary = await writeCatalogue({ ...options, out: a, onProgress: (done) => progress.push(done) });
    expect(summary).toMatchObject({
      tracks: 8,
      unheard: 3,
      made: 11,
      manifest: join(a, 'catalogue/manifest.csv'),
    });
    expect(progress).toEqual(Array.from({ length: 11 }, (_, index) => index + 1));
    await writeCatalogue({ ...options, out: b });
    await writeCatalogue({ ...options, out: c, seed: 8 });
    expect(contents(b)).toEqual(contents(a));
    expect(contents(c)['catalogue/0001.mp3']).not.toBe(contents(a)['catalogue/0001.mp3']);
  });

  it('is read back by the folder source without a complaint', async () => {
    const out = join(folder, 'read');
    const summary = await writeCatalogue({ ...options, tracks: 40, out });
    const known = await readCatalogue(summary.manifest);
    expect(known).toMatchObject({ problems: [], warnings: [], notes: [], hasPopularity: true, repeats: 0 });
    expect(known.rows).toHaveLength(40);
    expect(new Set(known.rows.map(({ isrc }) => isrc)).size).toBe(summary.recordings);
    const unheard = await readCatalogue(summary.unheardFolder);
    expect(unheard.rows).toHaveLength(3);
    for (const row of [...known.rows, ...unheard.rows]) {
      expect(row.artists).toHaveLength(1);
      expect(row.isrc).not.toBeNull();
      expect(row.releaseDate).not.toBeNull();
    }
    expect(readFileSync(summary.truth, 'utf8')).toMatch(/^file,popularity\n0001\.mp3,\d+\n/);
  });

  it('goes on where it stopped, and starts anew for other options', async () => {
    const out = join(folder, 'again');
    await writeCatalogue({ ...options, out });
    expect(await writeCatalogue({ ...options, out })).toMatchObject({ made: 0 });
    rmSync(join(out, 'catalogue/0003.mp3'));
    expect(await writeCatalogue({ ...options, out })).toMatchObject({ made: 1 });
    expect(await writeCatalogue({ ...options, tracks: 5, out })).toMatchObject({ made: 8 });
    expect(readdirSync(join(out, 'catalogue'))).toHaveLength(6);
  });

  it('leaves a folder alone that it did not make', async () => {
    writeFileSync(join(folder, 'mine.txt'), 'x');
    await expect(writeCatalogue({ ...options, out: folder })).rejects.toBeInstanceOf(UserError);
  });

  it('can be cancelled', async () => {
    const call = writeCatalogue({ ...options, out: join(folder, 'cancelled'), signal: AbortSignal.abort() });
    await expect(call).rejects.toBeInstanceOf(CancelledError);
  });
});

describe('the command line', () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [entryPoint('simulator/main.ts'), ...args]);

  it('prints JSON alone on standard output and its progress on standard error', async () => {
    const out = join(folder, 'cli');
    const { stdout, stderr } = await run(
      ...['catalogue', '--out', out, '--tracks', '4', '--unheard', '2', '--seed', '3', '--seconds', '1'],
    );
    expect(JSON.parse(stdout)).toMatchObject({ tracks: 4, unheard: 2, seed: 3, secondsPerTrack: 1, made: 6 });
    expect(stderr).toContain('synthesised 6 of 6 songs');
  });

  it('refuses what makes no sense', async () => {
    await expect(run('catalogue', '--out', join(folder, 'no'), '--tracks', '0')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('whole number'),
    });
    await expect(run('catalogue', '--out', folder)).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('not empty'),
    });
  });
});
