import { afterEach, describe, expect, it } from 'vitest';
import { forbiddenPlaces, transientFault } from '../../../simulator/server/chaos.ts';
import { type ChaosRates, chaosOf } from '../../../simulator/server/chaos-table.ts';
import { type Simulator, startSimulator } from '../../../simulator/server/index.ts';
import { previewHash } from '../../../simulator/server/preview-address.ts';
import { type FakeWorld, fakeWorld } from '../../support/simulator.ts';

let simulator: Simulator;
let world: FakeWorld;
afterEach(() => simulator?.close());

/** With these faults and no other. */
async function start(chaosRates: Partial<ChaosRates>): Promise<void> {
  world = fakeWorld();
  simulator = await startSimulator(world, { previewSeconds: 1, chaosRates });
}

const address = (recording: number) => `${simulator.url}/mp3-preview/${previewHash(1, recording)}`;
const preview = (recording: number) => fetch(address(recording), { redirect: 'manual' });

describe('a preview that can never be had', () => {
  it('is missing, forbidden, or a page', async () => {
    await start({ 'preview-404': 1 });
    expect((await preview(1)).status).toBe(404);
    expect((await preview(1)).status).toBe(404);
    simulator.change({ chaosRates: { 'preview-403': 1 } });
    expect((await preview(1)).status).toBe(403);
    simulator.change({ chaosRates: { 'preview-html': 1 } });
    const page = await preview(1);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toMatch(/^<!doctype html>/);
    expect(simulator.statistics().previews).toEqual({ addresses: 0, total: 0 });
    expect(world.rendered).toEqual([]);
  });

  it('leads to every place that no crawler may go to, each time to the same', async () => {
    await start({ 'preview-astray': 1 });
    const places = new Set<string | null>();
    for (let recording = 0; recording < 100; recording++) {
      const response = await preview(recording);
      expect(response.status).toBe(302);
      places.add(response.headers.get('location'));
    }
    expect([...places].sort()).toEqual([...forbiddenPlaces].sort());
    const again = [await preview(5), await preview(5)].map((response) => response.headers.get('location'));
    expect(again[0]).toBe(again[1]);
  });

  it('leads to itself, without end', async () => {
    await start({ 'preview-loop': 1 });
    expect((await preview(1)).headers.get('location')).toBe(address(1));
    await expect(fetch(address(1))).rejects.toMatchObject({ cause: { message: 'redirect count exceeded' } });
  });
});

describe('a preview that is odd, but can be had', () => {
  const good = () => world.renderPreview(1, 1);

  it('has the wrong type', async () => {
    await start({ 'preview-type': 1 });
    const response = await preview(1);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(Buffer.from(await response.arrayBuffer()).equals(good())).toBe(true);
  });

  it('has moved within the same host', async () => {
    await start({ 'preview-moved': 1 });
    const moved = await preview(1);
    expect(moved.status).toBe(302);
    expect(moved.headers.get('location')).toBe(`${address(1)}?moved=1`);
    const response = await fetch(address(1));
    expect(response.redirected).toBe(true);
    expect(Buffer.from(await response.arrayBuffer()).equals(good())).toBe(true);
  });

  it('fails at first: truncated, busy or reset', async () => {
    for (const kind of ['preview-truncated', 'preview-503', 'preview-reset'] as const) {
      await start({ [kind]: 1 });
      const body = good();
      let failures = 0;
      for (let attempt = 0; attempt < 4; attempt++) {
        const fault = transientFault(1, 1, chaosOf('none', { [kind]: 1 }), { cdn: 'spotify', attempt });
        const response = await preview(1).catch(() => null);
        if (!fault) {
          expect(Buffer.from(await response!.arrayBuffer()).equals(body)).toBe(true);
          continue;
        }
        failures++;
        if (kind === 'preview-reset') expect(response).toBeNull();
        else if (kind === 'preview-503') expect(response?.status).toBe(503);
        else {
          expect(response?.headers.get('content-length')).toBe(String(body.length));
          const received = await receive(response!);
          expect(received.ended).toBe(false);
          expect(received.bytes.equals(body.subarray(0, Math.floor(body.length / 2)))).toBe(true);
        }
      }
      expect(failures).toBeGreaterThan(0);
      expect(failures).toBeLessThan(4);
      expect(simulator.statistics().chaos[kind]).toBe(failures);
      expect(simulator.statistics().previews).toEqual({ addresses: 1, total: 4 - failures });
      await simulator.close();
    }
  });

  it('trickles', async () => {
    await start({ 'preview-trickle': 1 });
    const { seconds } = transientFault(1, 1, chaosOf('none', { 'preview-trickle': 1 }), {
      cdn: 'spotify',
      attempt: 0,
    })!;
    const started = performance.now();
    const received = await receive(await preview(1));
    const tookSeconds = (performance.now() - started) / 1000;
    expect(received.bytes.equals(good())).toBe(true);
    expect(received.pieces).toBeGreaterThan(5);
    expect(tookSeconds).toBeGreaterThan(seconds - 1);
    expect(tookSeconds).toBeLessThan(seconds + 10);
    expect(simulator.statistics().previews.total).toBe(1);
  });
});

/** Read a body as far as it comes. */
async function receive(response: Response): Promise<{ bytes: Buffer; pieces: number; ended: boolean }> {
  const pieces: Uint8Array[] = [];
  let ended = false;
  try {
    for await (const piece of response.body!) pieces.push(piece);
    ended = true;
  } catch {
    // What came is what is looked at.
  }
  return { bytes: Buffer.concat(pieces), pieces: pieces.length, ended };
}
