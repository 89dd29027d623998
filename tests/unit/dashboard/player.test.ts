import { beforeEach, expect, test, vi } from 'vitest';

interface Player {
  play: (url: string, stretch: { from: number; to: number; band: null }) => Promise<boolean>;
  stopPlaying: () => void;
}

/** Sounds that began, and what stops each. */
let sounds: { url: string; end: () => void; playing: boolean }[];
let answers: Map<string, () => void>;
let player: Player;

const wanted = { from: 0, to: 2, band: null };

beforeEach(async () => {
  sounds = [];
  answers = new Map();
  const silent = { setValueAtTime: () => {}, linearRampToValueAtTime: () => {} };
  const node = { connect: (next: unknown) => next };
  class FakeContext {
    currentTime = 0;
    resume = async () => {};
    createGain = () => ({ ...node, gain: silent });
    decodeAudioData = async (url: string) => ({ url, duration: 30, sampleRate: 22_050 });
    createBufferSource() {
      const source = {
        ...node,
        buffer: null as { url: string } | null,
        onended: () => {},
        start: () => {
          const sound = { url: source.buffer!.url, playing: true, end: () => {} };
          sound.end = () => {
            sound.playing = false;
            source.onended();
          };
          source.stop = sound.end;
          sounds.push(sound);
        },
        stop: () => {},
      };
      return source;
    }
  }
  vi.stubGlobal('AudioContext', FakeContext);
  vi.stubGlobal('fetch', async (url: string) => {
    await new Promise<void>((resolve) => answers.set(url, resolve));
    return { ok: true, arrayBuffer: async () => url };
  });
  vi.resetModules();
  // It is written for the browser, whose types are not known here.
  player = (await import(
    new URL('../../../dashboard/site/pages/songs/player.ts', import.meta.url).pathname
  )) as Player;
});

const loading = (url: string) => vi.waitFor(() => expect(answers.has(url)).toBe(true));

test('of two that are asked for while they load only the newer sounds', async () => {
  const first = player.play('one', wanted);
  await loading('one');
  const second = player.play('two', wanted);
  await loading('two');
  answers.get('two')!();
  answers.get('one')!();
  expect(await first).toBe(false);
  await vi.waitFor(() => expect(sounds.map(({ url }) => url)).toEqual(['two']));
  sounds[0]!.end();
  expect(await second).toBe(true);
});

test('what is played next stops what plays, which does not count as its end', async () => {
  const first = player.play('one', wanted);
  await loading('one');
  answers.get('one')!();
  await vi.waitFor(() => expect(sounds).toHaveLength(1));
  const again = player.play('one', wanted);
  expect(await first).toBe(false);
  await vi.waitFor(() => expect(sounds.map(({ playing }) => playing)).toEqual([false, true]));
  player.stopPlaying();
  expect(await again).toBe(false);
  expect(sounds.some(({ playing }) => playing)).toBe(false);
});

test('what is stopped while it loads never begins', async () => {
  const first = player.play('one', wanted);
  await loading('one');
  player.stopPlaying();
  answers.get('one')!();
  expect(await first).toBe(false);
  expect(sounds).toEqual([]);
});

test('of what was decoded the newest two are kept', async () => {
  const hear = async (url: string) => {
    answers.delete(url);
    const playing = player.play(url, wanted);
    await vi.waitFor(() => {
      answers.get(url)?.();
      expect(sounds.at(-1)).toMatchObject({ url, playing: true });
    });
    sounds.at(-1)!.end();
    await playing;
    return answers.has(url) ? 'loaded' : 'kept';
  };
  const heard: string[] = [];
  for (const url of ['one', 'two', 'three', 'three', 'two', 'one']) heard.push(await hear(url));
  expect(heard).toEqual(['loaded', 'loaded', 'loaded', 'kept', 'kept', 'loaded']);
});
