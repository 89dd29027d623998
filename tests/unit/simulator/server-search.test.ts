import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Simulator, type SimulatorSettings, startSimulator } from '../../../simulator/server/index.ts';
import { RollingWindow } from '../../../simulator/server/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { askForToken, fakeWorld, search } from '../../support/simulator.ts';

interface Page {
  href: string;
  // biome-ignore lint/suspicious/noExplicitAny: the answer's own shape is what is looked at
  items: any[];
  limit: number;
  next: string | null;
  offset: number;
  previous: string | null;
  total: number;
}

let simulator: Simulator;
let token: string;
afterEach(() => simulator?.close());

async function start(settings: SimulatorSettings = {}, tracks = 120): Promise<void> {
  simulator = await startSimulator(fakeWorld({ tracks }), settings);
  token = await askForToken(simulator.url);
}

const ask = (parameters: Record<string, string> = {}) => search(simulator.url, token, parameters);

async function page(parameters: Record<string, string> = {}): Promise<Page> {
  const response = await ask(parameters);
  expect(response.status).toBe(200);
  return ((await response.json()) as { tracks: Page }).tracks;
}

describe('a search page', () => {
  it('has the shape of Spotify’s', async () => {
    await start();
    const found = await page({ limit: '2', offset: '4' });
    const { url } = simulator;
    expect(found).toMatchObject({
      href: `${url}/v1/search?offset=4&limit=2&query=anything&type=track`,
      limit: 2,
      next: `${url}/v1/search?offset=6&limit=2&query=anything&type=track`,
      offset: 4,
      previous: `${url}/v1/search?offset=2&limit=2&query=anything&type=track`,
      total: 120,
    });
    const artist = {
      external_urls: { spotify: 'https://open.spotify.com/artist/artist0000000000000004' },
      href: `${url}/v1/artists/artist0000000000000004`,
      id: 'artist0000000000000004',
      name: 'Artist 4',
      type: 'artist',
      uri: 'spotify:artist:artist0000000000000004',
    };
    const id = 'track00000000000000004';
    const markets = expect.arrayContaining(['DE', 'US']);
    expect(found.items[0]).toEqual({
      album: {
        album_type: 'album',
        artists: [artist],
        available_markets: markets,
        external_urls: { spotify: 'https://open.spotify.com/album/album00000000000000004' },
        href: `${url}/v1/albums/album00000000000000004`,
        id: 'album00000000000000004',
        images: [640, 300, 64].map((size) => ({ height: size, width: size, url: expect.any(String) })),
        name: 'Album 4',
        release_date: '2019-05',
        release_date_precision: 'month',
        total_tracks: 12,
        type: 'album',
        uri: 'spotify:album:album00000000000000004',
      },
      artists: [artist],
      available_markets: markets,
      disc_number: 1,
      duration_ms: 180_004,
      explicit: true,
      external_ids: { isrc: 'XXFAK0000004' },
      external_urls: { spotify: `https://open.spotify.com/track/${id}` },
      href: `${url}/v1/tracks/${id}`,
      id,
      is_local: false,
      name: 'Title 4',
      popularity: 4,
      preview_url: expect.stringMatching(new RegExp(`^${url}/mp3-preview/[0-9a-f]{40}\\?cid=[0-9a-f]{32}$`)),
      track_number: 5,
      type: 'track',
      uri: `spotify:track:${id}`,
    });
    expect(found.items[1].preview_url).toBeNull();
  });

  it('says is_playable instead of the markets where one is given', async () => {
    await start();
    const found = await page({ market: 'US', limit: '1' });
    expect(found.items[0]).toMatchObject({ is_playable: true });
    expect(JSON.stringify(found)).not.toContain('available_markets');
    expect(found.next).toContain('market=US');
  });

  it('gives one preview address to all releases of a recording', async () => {
    await start();
    const { items } = await page({ limit: '50' });
    expect(items[9].preview_url).toBe(items[8].preview_url);
    expect(items[9].id).not.toBe(items[8].id);
    expect(new Set(items.map((item) => item.preview_url)).size).toBe(36);
  });

  it('lacks popularity and preview in development mode, and is smaller', async () => {
    await start({ quota: 'development' });
    const found = await page();
    expect(found.items).toHaveLength(5);
    expect(Object.keys(found.items[0])).not.toContain('popularity');
    expect(Object.keys(found.items[0])).not.toContain('preview_url');
    expect(found.items[0].external_ids.isrc).toBe('XXFAK0000000');
    expect((await page({ limit: '10' })).items).toHaveLength(10);
    expect((await ask({ limit: '11' })).status).toBe(400);
    simulator.change({ quota: 'extended' });
    expect((await page()).items).toHaveLength(20);
    expect((await page({ limit: '50' })).items).toHaveLength(50);
  });

  it('can be followed by its links to the end', async () => {
    await start();
    const seen: number[] = [];
    let next: string | null = `${simulator.url}/v1/search?q=x&type=track&limit=50`;
    while (next) {
      const response = await fetch(next, { headers: { authorization: `Bearer ${token}` } });
      const { tracks } = (await response.json()) as { tracks: Page };
      seen.push(...tracks.items.map((item) => Number(item.id.slice(5))));
      next = tracks.next;
    }
    expect(seen).toEqual(Array.from({ length: 120 }, (_, index) => index));
    expect(simulator.statistics()).toMatchObject({ searchRowsServed: 120 });
  });

  it('ends at 1,000 rows, and total stops at its cap', async () => {
    await start({}, 2500);
    const last = await page({ limit: '50', offset: '950' });
    expect(last).toMatchObject({ total: 1000, next: null });
    expect(last.items).toHaveLength(50);
    simulator.change({ totalCap: 700 });
    expect((await page()).total).toBe(700);
    simulator.change({ totalCap: 10_000 });
    expect((await page()).total).toBe(2500);
    // A further page would reach beyond what may be asked for.
    expect((await page({ limit: '50', offset: '950' })).next).toBeNull();
    expect((await page({ limit: '50', offset: '901' })).next).toBeNull();
    expect((await page({ limit: '50', offset: '900' })).next).toContain('offset=950');
    expect((await page({ q: 'nothing' })).total).toBe(0);
  });
});

describe('a search that is refused', () => {
  it('is told so with 400', async () => {
    await start();
    const wrong: [Record<string, string>, string][] = [
      [{ q: '' }, 'No search query'],
      [{ q: 'bad' }, 'Bad query'],
      [{ type: 'album' }, 'Bad search type field album'],
      [{ limit: '0' }, 'Invalid limit'],
      [{ limit: '51' }, 'Invalid limit'],
      [{ limit: '1.5' }, 'Invalid limit'],
      [{ limit: 'ten' }, 'Invalid limit'],
      [{ offset: '-1' }, 'Invalid offset'],
      [{ offset: 'x' }, 'Invalid offset'],
      [{ offset: '951', limit: '50' }, '1000'],
      [{ offset: '1000' }, '1000'],
      [{ market: 'usa' }, 'Invalid market'],
    ];
    for (const [parameters, message] of wrong) {
      const response = await ask(parameters);
      expect({ parameters, status: response.status }).toEqual({ parameters, status: 400 });
      expect(await response.json()).toEqual({
        error: { status: 400, message: expect.stringContaining(message) },
      });
    }
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${simulator.url}/v1/search?q=x`, { headers })).status).toBe(400);
    expect((await fetch(`${simulator.url}/v1/search?type=track`, { headers })).status).toBe(400);
  });
});

describe('the rate limit', () => {
  it('answers 429 until the window has room, and counts who does not wait', async () => {
    await start({ searchLimit: 3, searchWindowSeconds: 1.9 });
    for (let time = 0; time < 3; time++) expect((await ask()).status).toBe(200);
    expect(simulator.statistics().insideRetryAfter).toBe(0);
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(await refused.json()).toEqual({ error: { status: 429, message: 'API rate limit exceeded' } });
    expect(simulator.statistics().insideRetryAfter).toBe(0);
    await sleep(100);
    expect((await ask()).status).toBe(429);
    const { insideRetryAfter, insideRetryAfterWorstMs } = simulator.statistics();
    expect(insideRetryAfter).toBe(1);
    expect(insideRetryAfterWorstMs).toBeGreaterThan(90);
    await sleep(2050);
    expect((await ask()).status).toBe(200);
    expect(simulator.statistics().insideRetryAfter).toBe(1);
    await eventually(() => simulator.statistics().requests.search?.['429'] === 2, {
      what: 'both 429 counted',
    });
  });

  it('rolls: a place is free as soon as one is old enough', () => {
    const window = new RollingWindow();
    const take = (now: number) => window.take(now, 3, 1000);
    expect([0, 100, 900].map(take)).toEqual([0, 0, 0]);
    expect(take(950)).toBe(50);
    expect(take(1000)).toBe(0);
    expect(take(1001)).toBe(99);
    expect(take(1100)).toBe(0);
    // Half the places: two of those taken at 900, 1000 and 1100 must be gone.
    expect(window.take(1200, 1, 1000)).toBe(900);
  });

  it('storms: every search is refused with what is left of it', async () => {
    await start();
    simulator.change({ storm: 1.9 });
    expect((await ask()).headers.get('retry-after')).toBe('2');
    await sleep(1000);
    const later = await ask();
    expect(later.status).toBe(429);
    expect(later.headers.get('retry-after')).toBe('1');
    expect(simulator.statistics().insideRetryAfter).toBe(1);
    await sleep(1250);
    expect((await ask()).status).toBe(200);
    expect(simulator.statistics().insideRetryAfter).toBe(1);
  });
});
