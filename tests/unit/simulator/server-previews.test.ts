import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { decodeAudio } from '../../../shared/audio/decode.ts';
import { UserError } from '../../../shared/errors.ts';
import { type Simulator, type SimulatorSettings, startSimulator } from '../../../simulator/server/index.ts';
import { previewHash, recordingOf } from '../../../simulator/server/preview-address.ts';
import { createWorld } from '../../../simulator/world/world.ts';
import { eventually } from '../../support/eventually.ts';
import {
  askForToken,
  type FakeWorld,
  fakeWorld,
  search,
  startTestSimulator,
} from '../../support/simulator.ts';

const folder = mkdtempSync(join(tmpdir(), 'hiphop-cdn-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let simulator: Simulator;
let world: FakeWorld;
afterEach(() => simulator?.close());

async function start(settings: SimulatorSettings = {}): Promise<void> {
  world = fakeWorld();
  simulator = await startSimulator(world, { previewSeconds: 1, ...settings });
}

const path = (recording: number) => `/mp3-preview/${previewHash(1, recording)}`;
const get = (address: string) => fetch(simulator.url + address);
const bytesOf = async (address: string) => Buffer.from(await (await get(address)).arrayBuffer());

describe('preview addresses', () => {
  it('are 40 digits that only this seed reads back', () => {
    const hashes = Array.from({ length: 2000 }, (_, recording) => previewHash(7, recording));
    expect(new Set(hashes).size).toBe(2000);
    for (const [recording, hash] of hashes.entries()) {
      expect(hash).toMatch(/^[0-9a-f]{40}$/);
      expect(recordingOf(7, hash)).toBe(recording);
    }
    expect(recordingOf(8, hashes[5]!)).toBeNull();
    expect(recordingOf(7, `${hashes[5]!.slice(0, 39)}x`)).toBeNull();
    expect(
      recordingOf(
        7,
        hashes[5]!.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      ),
    ).toBeNull();
  });
});

describe('the preview CDNs', () => {
  it('serve an MP3 that decodes, the same every time and at both', async () => {
    await start();
    const response = await get(`${path(12)}?cid=x`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('audio/mpeg');
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
    const { samples, warnings } = await decodeAudio(bytes, 22_050);
    expect(warnings).toEqual([]);
    expect(samples.length / 22_050).toBeGreaterThanOrEqual(1);
    expect(samples.length / 22_050).toBeLessThan(1.1);
    expect((await bytesOf(path(12))).equals(bytes)).toBe(true);
    expect((await bytesOf(`/stream/${previewHash(1, 12)}.mp3`)).equals(bytes)).toBe(true);
    expect((await bytesOf(path(13))).equals(bytes)).toBe(false);
    expect(world.rendered).toEqual([12, 13]);
  });

  it('know nothing of other addresses', async () => {
    await start();
    for (const address of [
      path(120),
      path(4_000_000_000),
      '/mp3-preview/x',
      '/stream/x.mp3',
      '/mp3-preview/',
    ]) {
      expect((await get(address)).status).toBe(404);
    }
  });

  it('render once for all who ask at once', async () => {
    await start();
    const all = await Promise.all(Array.from({ length: 8 }, () => bytesOf(path(3))));
    expect(new Set(all.map((bytes) => bytes.toString('base64'))).size).toBe(1);
    expect(world.rendered).toEqual([3]);
  });

  it('count full bodies by address', async () => {
    await start();
    for (const recording of [1, 2, 2, 3, 3, 3]) await bytesOf(path(recording));
    await bytesOf(`/stream/${previewHash(1, 1)}.mp3`);
    await eventually(() => simulator.statistics().previews.total === 7, { what: 'seven bodies' });
    expect(simulator.statistics()).toMatchObject({
      previews: { addresses: 4, total: 7 },
      previewsServedTwice: 2,
      previewsServedTwiceExamples: [path(2), path(3)],
      requests: { preview: { '200': 6 }, stream: { '200': 1 } },
    });
  });
});

describe('the preview store', () => {
  it('keeps its files for the next run, and takes a temporary folder with it', async () => {
    const cacheFolder = join(folder, 'kept');
    await start({ cacheFolder });
    await simulator.prerender([4, 5]);
    expect(world.rendered).toEqual([4, 5]);
    const first = await bytesOf(path(4));
    await simulator.close();
    const files = readdirSync(cacheFolder, { recursive: true, encoding: 'utf8' });
    expect(files.filter((name) => name.endsWith('.mp3'))).toHaveLength(2);
    expect(files.filter((name) => name.includes('partial'))).toEqual([]);
    await start({ cacheFolder });
    expect((await bytesOf(path(4))).equals(first)).toBe(true);
    expect(world.rendered).toEqual([]);
    await simulator.close();

    const temporary = () => readdirSync(tmpdir()).filter((name) => name.startsWith('hiphop-previews-'));
    const before = temporary();
    await start();
    const own = temporary().filter((name) => !before.includes(name));
    expect(own.length).toBeGreaterThan(0);
    await simulator.close();
    expect(temporary()).not.toEqual(expect.arrayContaining(own));
  });

  it('does not take other seconds or another seed for the same', async () => {
    const cacheFolder = join(folder, 'mixed');
    await start({ cacheFolder });
    const short = await bytesOf(path(6));
    await simulator.close();
    await start({ cacheFolder, previewSeconds: 2 });
    expect((await bytesOf(path(6))).length).toBeGreaterThan(1.5 * short.length);
  });

  it('serves clips of a folder instead, byte for byte', async () => {
    const audioFolder = mkdtempSync(join(folder, 'clips-'));
    for (const name of ['b.mp3', 'a.wav', 'c.FLAC'])
      writeFileSync(join(audioFolder, name), `bytes of ${name}`);
    writeFileSync(join(audioFolder, 'LICENCE.txt'), 'no audio');
    await start({ audioFolder });
    const bodies = await Promise.all([0, 1, 2, 3].map((recording) => bytesOf(path(recording))));
    expect(bodies.map(String)).toEqual(
      ['a.wav', 'b.mp3', 'c.FLAC', 'a.wav'].map((name) => `bytes of ${name}`),
    );
    expect(world.rendered).toEqual([]);
  });

  it('says what is wrong with a folder', async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    const file = join(empty, 'file.txt');
    writeFileSync(file, '');
    for (const settings of [
      { audioFolder: empty },
      { audioFolder: join(empty, 'no') },
      { cacheFolder: file },
    ]) {
      await expect(start(settings)).rejects.toBeInstanceOf(UserError);
    }
  });

  it('synthesises the real world’s songs in a child process, while the server goes on answering', async () => {
    const cacheFolder = join(folder, 'children');
    const options = { tracks: 40, seed: 2, years: [2020, 2021] as [number, number] };
    const real = await startTestSimulator({ ...options, render: 'music', previewSeconds: 10, cacheFolder });
    simulator = real;
    real.world.renderPreview = () => {
      throw new Error('synthesised in the server’s process');
    };
    const recordings = [...new Set([0, 1, 2, 3, 4, 5].map((index) => real.world.track(index).recording))];
    let done = false;
    const bodies = Promise.all(
      recordings.map((recording) => bytesOf(`/mp3-preview/${previewHash(2, recording)}`)),
    ).finally(() => {
      done = true;
    });
    const token = await askForToken(real.url);
    let answers = 0;
    while (!done) {
      expect((await search(real.url, token, { q: 'genre:hip-hop' })).status).toBe(200);
      answers++;
    }
    expect(answers).toBeGreaterThan(10);
    const same = createWorld(options);
    for (const [index, bytes] of (await bodies).entries()) {
      expect(bytes.equals(same.renderPreview(recordings[index]!, 10))).toBe(true);
    }
    const files = readdirSync(cacheFolder, { recursive: true, encoding: 'utf8' });
    const first = files.find((name) => name.endsWith(`${previewHash(2, recordings[0]!)}.mp3`))!;
    expect(readFileSync(join(cacheFolder, first)).equals((await bodies)[0]!)).toBe(true);
  });
});
