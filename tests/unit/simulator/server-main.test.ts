import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { entryPoint } from '../../../shared/paths.ts';
import { SearchFates } from '../../../simulator/server/chaos.ts';
import { chaosOf } from '../../../simulator/server/chaos-table.ts';
import { eventually } from '../../support/eventually.ts';
import { askForToken, search } from '../../support/simulator.ts';

const folder = mkdtempSync(join(tmpdir(), 'hiphop-serve-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const main = entryPoint('simulator/main.ts');
let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
});

async function firstLine(process: ChildProcess): Promise<Record<string, unknown>> {
  const ended = once(process, 'exit').then(([code]) => [`ended with ${code} before it said anything`]);
  const [chunk] = await Promise.race([once(process.stdout!, 'data'), ended]);
  const text = String(chunk);
  expect(text).toMatch(/^\{.*\}\n$/);
  return JSON.parse(text) as Record<string, unknown>;
}

const isUp = (url: string) =>
  fetch(`${url}/simulator/health`).then(
    () => true,
    () => false,
  );

describe('simulator serve', () => {
  it('says where it is in one line, serves what was asked for, and ends on SIGTERM', async () => {
    child = spawn(process.execPath, [
      ...[main, 'serve', '--tracks', '200', '--seed', '4', '--years', '2020', '--quota', 'development'],
      ...['--search-limit', '2', '--operators', 'ignored'],
    ]);
    const said = await firstLine(child);
    expect(said).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      tracks: 200,
      seed: 4,
      years: [2020, 2020],
      quota: 'development',
      chaos: 'none',
      operators: 'ignored',
    });
    const url = String(said['url']);
    const token = await askForToken(url);
    const found = await search(url, token, { q: 'genre:hip-hop year:2020' });
    const { tracks } = (await found.json()) as { tracks: { total: number; items: object[] } };
    expect(tracks.total).toBe(200);
    expect(tracks.items).toHaveLength(5);
    expect(tracks.items[0]).not.toHaveProperty('popularity');
    await search(url, token);
    expect((await search(url, token)).status).toBe(429);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('does not wait for its own slow answers', async () => {
    const slow = { chaos: 'wild', chaosRates: { 'search-slow': 1 } } as const;
    const seconds = (seed: number) => new SearchFates(seed).next(chaosOf('wild', slow.chaosRates)).seconds;
    const seed = [1, 2, 3, 4, 5, 6, 7, 8, 9].find((each) => seconds(each) > 8)!;
    child = spawn(process.execPath, [main, 'serve', '--tracks', '20', '--seed', String(seed)]);
    const url = String((await firstLine(child))['url']);
    await fetch(`${url}/simulator/settings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(slow),
    });
    const answer = search(url, await askForToken(url)).catch(() => 'cut off');
    await sleep(300);
    const told = performance.now();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(performance.now() - told).toBeLessThan(5000);
    expect(await answer).toBe('cut off');
  });

  it('tells who forked it, and ends when that one lets go', async () => {
    child = fork(main, ['serve', '--tracks', '20'], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    const [message] = (await once(child, 'message')) as [{ ready: string }];
    expect(await isUp(message.ready)).toBe(true);
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await isUp(message.ready)).toBe(false);
  });

  it('does not outlive a parent that is killed', async () => {
    const parent = join(folder, 'parent.mjs');
    writeFileSync(
      parent,
      `import { fork } from 'node:child_process';
      const child = fork(${JSON.stringify(main)}, ['serve', '--tracks', '20'], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
      child.once('message', ({ ready }) => process.stdout.write(JSON.stringify({ ready }) + '\\n'));`,
    );
    child = spawn(process.execPath, [parent]);
    const { ready } = await firstLine(child);
    expect(await isUp(String(ready))).toBe(true);
    child.kill('SIGKILL');
    await eventually(async () => !(await isUp(String(ready))), { what: 'the orphan to end' });
  });

  it('keeps synthesised previews where it is told to', async () => {
    const cache = join(folder, 'cache');
    child = spawn(process.execPath, [main, 'serve', '--tracks', '20', '--cache', cache]);
    const { url } = await firstLine(child);
    const token = await askForToken(String(url));
    const found = await search(String(url), token, { q: 'genre:hip-hop' });
    const { tracks } = (await found.json()) as { tracks: { items: { preview_url: string | null }[] } };
    const { preview_url } = tracks.items.find((item) => item.preview_url !== null)!;
    const bytes = await (await fetch(preview_url!)).arrayBuffer();
    // 30 s at 64,000 bits a second
    expect(bytes.byteLength).toBeGreaterThan(230_000);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    const files = readdirSync(cache, { recursive: true, encoding: 'utf8' });
    expect(files.filter((name) => name.endsWith('.mp3'))).toHaveLength(1);
  });

  it('refuses what makes no sense, in words', async () => {
    const run = (...flags: string[]) => promisify(execFile)(process.execPath, [main, 'serve', ...flags]);
    const refusals: [string[], RegExp][] = [
      [['--tracks', '1000001'], /whole number from 1 to 1000000/],
      [['--tracks', '0'], /whole number/],
      [['--years', '2021-2019'], /years/],
      [['--years', 'now'], /years/],
      [['--quota', 'huge'], /extended, development/],
      [['--chaos', 'total'], /none, mild, wild/],
      [['--operators', 'maybe'], /honoured, ignored, literal/],
      [['--search-limit', 'x'], /whole number/],
      [['--audio', join(folder, 'missing')], /cannot be read/],
    ];
    for (const [flags, words] of refusals) {
      await expect(run(...flags)).rejects.toMatchObject({
        code: flags[0] === '--audio' ? 2 : 1,
        stdout: '',
        stderr: expect.stringMatching(words),
      });
    }
  });
});
