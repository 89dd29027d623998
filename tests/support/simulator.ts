/** A world outside for tests: a small made-up catalogue, and the real one behind a server in this process. */
import { encodeMp3 } from '../../simulator/mp3.ts';
import { createRandom } from '../../simulator/random.ts';
import { type Simulator, type SimulatorSettings, startSimulator } from '../../simulator/server/index.ts';
import { drawStyle } from '../../simulator/style.ts';
import { QueryError, type World, type WorldTrack } from '../../simulator/world/types.ts';
import { createWorld } from '../../simulator/world/world.ts';
import { tone } from './audio.ts';

export interface TestSimulatorOptions extends SimulatorSettings {
  /** Default 300. */
  tracks?: number;
  seed?: number;
  years?: [from: number, to: number];
  /** tone: a beep that differs by recording, made in some milliseconds. music: the planted rule can be heard. */
  render?: 'tone' | 'music';
}

export interface TestSimulator extends Simulator {
  /** The catalogue itself: what a crawl is measured against. */
  readonly world: World;
}

/**
 * Start the simulator with its real catalogue in this process; previews are of 3 s. Close it in the end.
 * Music is synthesised in a child process that runs what was built.
 */
export async function startTestSimulator(options: TestSimulatorOptions = {}): Promise<TestSimulator> {
  const { tracks = 300, seed = 1, years = [2019, 2021], render = 'tone', ...settings } = options;
  const worldOptions = { tracks, seed, years };
  const world = createWorld(worldOptions);
  if (render === 'tone') world.renderPreview = renderTone;
  const rendering = render === 'tone' ? { renderers: 0 } : { worldOptions };
  const simulator = await startSimulator(world, { previewSeconds: 3, ...rendering, ...settings });
  return { ...simulator, world };
}

export interface FakeWorld extends World {
  /** Recordings whose preview was rendered, in order. */
  readonly rendered: number[];
}

/**
 * A catalogue that one can count on one's fingers. Any query finds everything, `nothing` finds nothing, and
 * `bad` is refused. Every fifth track has no preview; every tenth is the track before it, released again.
 */
export function fakeWorld({ tracks = 120, seed = 1 } = {}): FakeWorld {
  const rendered: number[] = [];
  return {
    tracks,
    seed,
    rendered,
    track: fakeTrack,
    find: (id) => (/^track\d{17}$/.test(id) && Number(id.slice(5)) < tracks ? Number(id.slice(5)) : null),
    findIsrc: (isrc) => {
      const index = /^XXFAK\d{7}$/.test(isrc) ? Number(isrc.slice(5)) : tracks;
      return index < tracks ? fakeTrack(index).recording : null;
    },
    deezer: (recording) =>
      recording % 7 === 3
        ? null
        : { id: 1000 + recording, rank: 10 * recording, hasPreview: recording % 4 > 0 },
    search: (q) => {
      if (q === 'bad') throw new QueryError('Bad query');
      const total = q === 'nothing' ? 0 : tracks;
      return { total, first: Uint32Array.from({ length: Math.min(total, 1000) }, (_, index) => index) };
    },
    style: (recording) => drawStyle(createRandom(seed, `style ${recording}`), 0.5),
    renderPreview: (recording, seconds) => {
      rendered.push(recording);
      return renderTone(recording, seconds);
    },
  };
}

function fakeTrack(index: number): WorldTrack {
  const artist = { id: `artist${String(index % 9).padStart(16, '0')}`, name: `Artist ${index % 9}` };
  const recording = index % 10 === 9 ? index - 1 : index;
  return {
    index,
    id: `track${String(index).padStart(17, '0')}`,
    title: `Title ${recording}`,
    artists: [artist],
    album: {
      id: `album${String(index % 30).padStart(17, '0')}`,
      name: `Album ${index % 30}`,
      type: 'album',
      releaseDate: '2019-05',
      releaseDatePrecision: 'month',
      totalTracks: 12,
      artists: [artist],
    },
    trackNumber: 1 + (index % 12),
    durationMs: 180_000 + index,
    explicit: index % 2 === 0,
    isrc: `XXFAK${String(recording).padStart(7, '0')}`,
    popularity: index % 101,
    hasPreview: recording % 5 > 0,
    recording,
  };
}

/** Sound that costs a few milliseconds instead of a hundred, and differs by recording. */
export function renderTone(recording: number, seconds: number): Buffer {
  const rate = 22_050;
  return encodeMp3(tone(seconds, 200 + (recording % 6000), rate), rate);
}

/** A fresh token, by any id and secret. */
export async function askForToken(url: string): Promise<string> {
  const response = await fetch(`${url}/api/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('id:secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

/** One search for tracks, as it is answered. */
export function search(
  url: string,
  token: string,
  parameters: Record<string, string> = {},
): Promise<Response> {
  const query = new URLSearchParams({ q: 'anything', type: 'track', ...parameters });
  return fetch(`${url}/v1/search?${query}`, { headers: { authorization: `Bearer ${token}` } });
}
