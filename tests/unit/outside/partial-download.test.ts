import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PartialDownload, removeOldDownloads } from '../../../shared/outside/partial-download.ts';
import { type Answer, never, outside, serve, sound } from './helpers.ts';

const address = 'https://previews.test/1';
let folder: string;
const open: (() => Promise<void>)[] = [];

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'hiphop-partial-')), 'downloads');
});
afterEach(async () => {
  for (const close of open.splice(0)) await close();
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

async function world(answer: Answer) {
  const server = await serve(answer, { https: true });
  const { fetcher } = outside({ port: server.port });
  open.push(() => fetcher.close(), server.close);
  return fetcher;
}

/** A server that gives the end of a file to who asks for it, and says what it was asked for. */
function ranges(asked: (string | undefined)[]): Answer {
  return (request, response) => {
    asked.push(request.headers.range);
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start >= sound.length) {
      response.writeHead(416, { 'content-range': `bytes */${sound.length}` }).end();
    } else if (start > 0) {
      const range = `bytes ${start}-${sound.length - 1}/${sound.length}`;
      response.writeHead(206, { 'content-range': range }).end(sound.subarray(start));
    } else response.end(sound);
  };
}

test('a download that broke off goes on where it stopped, in another process too', async () => {
  const asked: (string | undefined)[] = [];
  let first = true;
  const give = ranges(asked);
  const fetcher = await world((request, response) => {
    if (!first) return give(request, response);
    first = false;
    response.writeHead(200, { 'content-length': sound.length });
    response.write(sound.subarray(0, 10_000), () => setTimeout(() => response.destroy(), 50));
  });
  await expect(fetcher.fetch(address, never, new PartialDownload(folder, address))).rejects.toThrow();
  const again = new PartialDownload(folder, address);
  expect(again.size).toBe(10_000);
  expect(await fetcher.fetch(address, never, again)).toEqual(sound);
  expect(asked).toEqual(['bytes=10000-']);
});

test('what came whole is not asked for again, also when its process died before it said so', async () => {
  const asked: (string | undefined)[] = [];
  const fetcher = await world(ranges(asked));
  // All bytes are there, the end was not seen.
  new PartialDownload(folder, address).append(sound);
  expect(await fetcher.fetch(address, never, new PartialDownload(folder, address))).toEqual(sound);
  expect(asked).toEqual([`bytes=${sound.length}-`]);
  // The end was seen, and what came was not stored elsewhere yet.
  expect(await fetcher.fetch(address, never, new PartialDownload(folder, address))).toEqual(sound);
  expect(asked).toHaveLength(1);
});

test('a server that gives no parts gives the whole, and nothing is mixed', async () => {
  const fetcher = await world((_request, response) => response.end(sound));
  new PartialDownload(folder, address).append(Buffer.from('the beginning of something else'));
  expect(await fetcher.fetch(address, never, new PartialDownload(folder, address))).toEqual(sound);
});

test('another part than was asked for is not taken', async () => {
  const fetcher = await world((_request, response) => {
    response.writeHead(206, { 'content-range': `bytes 5-9/${sound.length}` }).end(sound.subarray(5, 10));
  });
  const partial = new PartialDownload(folder, address);
  partial.append(sound.subarray(0, 3));
  await expect(fetcher.fetch(address, never, partial)).rejects.toThrow('part that was not asked for');
  expect(new PartialDownload(folder, address).size).toBe(0);
});

test('what is removed is gone, and so is what is old', () => {
  const partial = new PartialDownload(folder, address);
  partial.append(sound);
  partial.finish();
  partial.remove();
  expect(readdirSync(folder)).toEqual([]);
  for (const name of ['old.part', 'new.part']) writeFileSync(join(folder, name), 'x');
  const twoDaysAgo = Date.now() / 1_000 - 2 * 86_400;
  utimesSync(join(folder, 'old.part'), twoDaysAgo, twoDaysAgo);
  removeOldDownloads(folder);
  expect(readdirSync(folder)).toEqual(['new.part']);
  removeOldDownloads(join(folder, 'missing'));
  expect(existsSync(join(folder, 'missing'))).toBe(false);
});
