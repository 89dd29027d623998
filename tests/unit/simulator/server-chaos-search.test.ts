import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SearchFates } from '../../../simulator/server/chaos.ts';
import {
  type ChaosLevel,
  type ChaosRates,
  chaosKinds,
  chaosOf,
} from '../../../simulator/server/chaos-table.ts';
import { type Simulator, startSimulator } from '../../../simulator/server/index.ts';
import { askForToken, type FakeWorld, fakeWorld, search } from '../../support/simulator.ts';

let simulator: Simulator;
let world: FakeWorld;
let token: string;
afterEach(() => simulator?.close());

/** With these faults and no other. */
async function start(
  chaosRates: Partial<ChaosRates>,
  { chaos = 'none', seed = 1 }: { chaos?: ChaosLevel; seed?: number } = {},
): Promise<void> {
  world = fakeWorld({ seed });
  simulator = await startSimulator(world, { chaos, chaosRates });
  token = await askForToken(simulator.url);
}

const ask = (parameters: Record<string, string> = {}) => search(simulator.url, token, parameters);

interface Page {
  items: { id: string }[];
  total: number;
}
const pageOf = async (response: Response) => ((await response.json()) as { tracks: Page }).tracks;

describe('the search on a bad day', () => {
  it('fails in bursts of 5xx', async () => {
    await start({ 'search-5xx': 1 });
    const statuses = new Set<number>();
    for (let time = 0; time < 30; time++) {
      const response = await ask();
      statuses.add(response.status);
      expect(await response.json()).toHaveProperty('error.status', response.status);
    }
    expect([...statuses].sort()).toEqual([500, 502, 503]);
    const fates = new SearchFates(5);
    const chaos = chaosOf('none', { 'search-5xx': 0.02 });
    const failed = Array.from({ length: 20_000 }, () => fates.next(chaos).delivery === 'search-5xx');
    const begun = failed.filter((is, index) => is && !failed[index - 1]).length;
    // Bursts of one to five requests, three on average.
    expect(failed.filter(Boolean).length / begun).toBeGreaterThan(2.5);
    expect(failed.filter(Boolean).length / begun).toBeLessThan(3.6);
  });

  it('takes its time', async () => {
    await start({ 'search-slow': 1 });
    const started = performance.now();
    expect((await ask()).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(990);
    expect(performance.now() - started).toBeLessThan(13_000);
    const fates = new SearchFates(1);
    const wild = Array.from({ length: 1000 }, () => fates.next(chaosOf('wild')).seconds);
    expect(Math.max(...wild)).toBeGreaterThan(15);
    expect(Math.max(...wild)).toBeLessThan(20);
  });

  it('does not hold up the end of the simulator', async () => {
    const rates = { ...Object.fromEntries(chaosKinds.map((kind) => [kind, 0])), 'search-slow': 1 };
    // A world whose first answer takes long enough to tell.
    expect(new SearchFates(2).next(chaosOf('wild', rates)).seconds).toBeGreaterThan(10);
    await start(rates, { chaos: 'wild', seed: 2 });
    const answer = ask().catch(() => 'cut off');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const started = performance.now();
    await simulator.close();
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(await answer).toBe('cut off');
  });

  it('cuts the body', async () => {
    await start({ 'search-cut': 1 });
    const response = await ask();
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(simulator.statistics()).toMatchObject({
      requests: { search: { unfinished: 1 } },
      searchRowsServed: 0,
    });
  });

  it('answers what is no JSON', async () => {
    await start({ 'search-malformed': 1 });
    const response = await ask();
    expect(response.headers.get('content-type')).toContain('application/json');
    await expect(response.json()).rejects.toBeInstanceOf(SyntaxError);
    expect(simulator.statistics().searchRowsServed).toBe(0);
  });

  it('resets the connection', async () => {
    await start({ 'search-reset': 1 });
    const { hostname, port } = new URL(simulator.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `GET /v1/search?q=x&type=track HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      socket.once('error', resolve);
      socket.once('end', () => resolve(null));
      socket.once('data', () => resolve(null));
    });
    expect(error?.code).toBe('ECONNRESET');
    expect(simulator.statistics().chaos['search-reset']).toBe(1);
  });

  it('answers 429 for nothing, and 401 with a token that was good', async () => {
    await start({ 'search-429': 1 });
    const waits = new Set<string | null>();
    for (let time = 0; time < 12; time++) {
      const response = await ask();
      expect(response.status).toBe(429);
      waits.add(response.headers.get('retry-after'));
    }
    expect([...waits].sort()).toEqual(['1', '2']);
    simulator.change({ chaosRates: { 'search-401': 1 } });
    expect((await ask()).status).toBe(401);
    simulator.change({ chaosRates: {} });
    expect((await ask()).status).toBe(401);
    token = await askForToken(simulator.url);
    expect((await ask()).status).toBe(200);
  });

  it('is unsure of the total', async () => {
    await start({ 'search-total': 1 });
    const totals = new Set<number>();
    for (let time = 0; time < 40; time++) totals.add((await pageOf(await ask())).total);
    expect(totals.size).toBeGreaterThan(3);
    // 3 % of 120
    for (const total of totals) expect(Math.abs(total - 120)).toBeLessThanOrEqual(4);
  });

  it('brings pages that are short of their last rows', async () => {
    await start({ 'search-short': 1 });
    const lengths = new Set<number>();
    for (let time = 0; time < 20; time++) {
      const { items, total } = await pageOf(await ask());
      expect(total).toBe(120);
      for (const [index, item] of items.entries()) expect(item.id).toBe(world.track(index).id);
      lengths.add(items.length);
    }
    expect([...lengths].sort()).toEqual([17, 18, 19]);
  });

  it('repeats a row in place of another', async () => {
    await start({ 'search-repeat': 1 });
    for (let time = 0; time < 10; time++) {
      const { items } = await pageOf(await ask());
      expect(items).toHaveLength(20);
      expect(new Set(items.map(({ id }) => id)).size).toBe(19);
    }
    expect(simulator.statistics().chaos['search-repeat']).toBe(10);
  });

  it('has the same bad day again for the same seed', async () => {
    const aDay = async () => {
      world = fakeWorld({ seed: 3 });
      const rates = { 'search-slow': 0, 'search-5xx': 0.1, 'search-cut': 0.1, 'search-reset': 0.1 };
      simulator = await startSimulator(world, { chaos: 'wild', chaosRates: rates });
      token = await askForToken(simulator.url);
      const outcomes: string[] = [];
      for (let time = 0; time < 60; time++) {
        const text = await ask().then(
          async (response) => `${response.status} ${await response.text().catch(() => 'cut')}`,
          () => 'reset',
        );
        outcomes.push(text.replaceAll(simulator.url, ''));
        if (text.startsWith('401')) token = await askForToken(simulator.url);
      }
      await simulator.close();
      return outcomes;
    };
    const first = await aDay();
    expect(new Set(first.map((outcome) => outcome.slice(0, 3))).size).toBeGreaterThan(3);
    expect(await aDay()).toEqual(first);
  });
});
