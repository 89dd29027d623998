import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Simulator, type SimulatorSettings, startSimulator } from '../../../simulator/server/index.ts';
import { previewHash } from '../../../simulator/server/preview-address.ts';
import { eventually } from '../../support/eventually.ts';
import { fakeWorld, startTestSimulator } from '../../support/simulator.ts';

let simulator: Simulator;
afterEach(() => simulator?.close());
const start = async (settings: SimulatorSettings = {}) => {
  simulator = await startSimulator(fakeWorld(), settings);
};
const ask = (isrc: string) => fetch(`${simulator.url}/track/isrc:${isrc}`);
const quotaError = { error: { type: 'Exception', message: 'Quota limit exceeded', code: 4 } };

describe('Deezer’s API', () => {
  it('knows a recording by its ISRC', async () => {
    await start();
    const response = await ask('XXFAK0000005');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      id: 1005,
      title: 'Title 5',
      isrc: 'XXFAK0000005',
      duration: 180,
      rank: 50,
      preview: `${simulator.url}/stream/${previewHash(1, 5)}.mp3`,
      artist: { name: 'Artist 5' },
      album: { title: 'Album 5' },
    });
    expect(await (await ask('XXFAK0000004')).json()).toMatchObject({ isrc: 'XXFAK0000004', preview: '' });
  });

  it('says with status 200 that it has no data', async () => {
    await start();
    // Unknown here, known to Spotify alone, and no ISRC at all.
    for (const isrc of ['XXFAK0000999', 'XXFAK0000003', 'nonsense']) {
      const response = await ask(isrc);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        error: { type: 'DataException', message: 'no data', code: 800 },
      });
    }
    expect(simulator.statistics().deezerLookups).toBe(3);
    await eventually(() => simulator.statistics().requests.deezer?.['200'] === 3, { what: 'three counted' });
  });

  it('answers over its quota with error 4, until the window has rolled on', async () => {
    await start({ deezerLimit: 3, deezerWindowSeconds: 3 });
    for (let time = 0; time < 3; time++)
      expect(await (await ask('XXFAK0000001')).json()).toHaveProperty('id');
    for (let time = 0; time < 2; time++) {
      const response = await ask('XXFAK0000001');
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual(quotaError);
    }
    await sleep(3_050);
    expect(await (await ask('XXFAK0000001')).json()).toHaveProperty('id');
    expect(simulator.statistics().deezerLookups).toBe(4);
  });

  it('allows 50 in 5 s unless told otherwise', async () => {
    await start();
    const answers = await Promise.all(
      Array.from({ length: 55 }, async () => (await ask('XXFAK0000001')).json()),
    );
    expect(answers.filter((answer) => 'id' in (answer as object))).toHaveLength(50);
  });

  it('has its bad days: 5xx, a quota error for nothing, what is no JSON', async () => {
    await start({ chaosRates: { 'deezer-5xx': 1 } });
    expect((await ask('XXFAK0000001')).status).toBe(503);
    simulator.change({ chaosRates: { 'deezer-quota': 1 } });
    expect(await (await ask('XXFAK0000001')).json()).toEqual(quotaError);
    simulator.change({ chaosRates: { 'deezer-malformed': 1 } });
    const malformed = await ask('XXFAK0000001');
    expect(malformed.status).toBe(200);
    await expect(malformed.json()).rejects.toBeInstanceOf(SyntaxError);
    expect(simulator.statistics()).toMatchObject({
      chaos: { 'deezer-5xx': 1, 'deezer-quota': 1, 'deezer-malformed': 1 },
      deezerLookups: 0,
    });
  });

  it('knows the real world’s recordings, and serves their audio', async () => {
    const real = await startTestSimulator({ tracks: 60, deezerLimit: 1000 });
    simulator = real;
    let served = 0;
    for (let index = 0; index < 60; index++) {
      const { isrc, recording } = real.world.track(index);
      const known = real.world.deezer(recording);
      const answer = (await (await ask(isrc)).json()) as { rank?: number; preview?: string };
      expect(answer.rank).toBe(known?.rank);
      if (answer.preview && served++ < 3) {
        const audio = await fetch(answer.preview);
        expect(audio.headers.get('content-type')).toBe('audio/mpeg');
        expect((await audio.arrayBuffer()).byteLength).toBeGreaterThan(10_000);
      }
    }
    expect(served).toBeGreaterThan(30);
  });
});
