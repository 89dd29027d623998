import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spectrogramParameters } from '../../../shared/audio/parameters.ts';
import { makeSpectrogram } from '../../../shared/audio/spectrogram.ts';
import { PermanentError } from '../../../shared/errors.ts';
import { noise, wav } from '../../support/audio.ts';
import { sharedData, sharedDataMissing } from '../../support/shared-data.ts';

const PARAMETERS = spectrogramParameters({ seconds: 5 });

/** How a file ends: with a spectrogram and its warnings, or with a reason. Anything else fails the test. */
async function outcomeOf(file: Uint8Array): Promise<{ warnings: string[] } | { reason: string }> {
  try {
    const { warnings, levels, bands, frames } = await makeSpectrogram(file, PARAMETERS);
    expect(levels.length).toBe(bands * frames);
    return { warnings };
  } catch (error) {
    expect(error).toBeInstanceOf(PermanentError);
    return { reason: (error as Error).message };
  }
}

describe.skipIf(sharedDataMissing)(`hostile files ${sharedDataMissing ?? ''}`, () => {
  const folder = join(sharedData, 'codecs/hostile');
  const EXPECTED: Record<string, RegExp> = {
    'concat.mp3': /^this is a script that joins other files/,
    'empty.mp3': /^the file is empty$/,
    'html.mp3': /^this is a web page/,
    'huge-id3.mp3': /^the file holds a tag/,
    'lying-header.wav': /^this looks like WAV, but it is damaged/,
    'playlist.mp3': /^this is a playlist/,
    'random.mp3': /^this is no audio/,
    'truncated.mp3': /^the file breaks off after 1\.6 s of 8\.0 s$/,
  };
  const files = sharedDataMissing === undefined ? readdirSync(folder) : [];

  it.each(files)('%s ends with a reason or a warning', async (file) => {
    const outcome = await outcomeOf(readFileSync(join(folder, file)));
    expect('reason' in outcome ? outcome.reason : outcome.warnings[0]).toMatch(EXPECTED[file]!);
  });

  const CUT: [file: string, warning: RegExp][] = [
    ['clip-s16.wav', /breaks off after 3\.2 s of 8\.0 s$/],
    ['clip.aiff', /^the file breaks off after 3\.2 s of 8\.0 s$/],
    ['clip.flac', /breaks off after 3\.\d s of 8\.0 s$/],
    ['clip.ogg', /^the file breaks off after 2\.\d s$/],
    ['clip.opus', /^the file breaks off after 3\.\d s$/],
    ['clip-vbr.mp3', /breaks off after 3\.\d s of 8\.0 s$/],
    ['clip.m4a', /^this looks like M4A\/MP4, but it is damaged or incomplete/],
  ];
  it.each(CUT)('two fifths of %s are used or refused, with a word on it', async (file, said) => {
    const whole = readFileSync(join(sharedData, 'codecs', file));
    const outcome = await outcomeOf(whole.subarray(0, 0.4 * whole.length));
    expect('reason' in outcome ? outcome.reason : outcome.warnings.join('; ')).toMatch(said);
  });

  const CASES = 40;
  const VICTIMS = [
    'clip-s16.wav',
    'clip-48k.mp3',
    'clip-vbr.mp3',
    'clip.aiff',
    'clip.flac',
    'clip.m4a',
    'clip.ogg',
    'clip.opus',
  ];
  it.each(VICTIMS)(`${CASES} damaged versions of %s crash nothing`, async (file) => {
    const whole = readFileSync(join(sharedData, 'codecs', file));
    const random = xoroshiro128plus(VICTIMS.indexOf(file) + 1);
    for (let i = 0; i < CASES; i++) {
      const below = (limit: number): number => uniformInt(random, 0, limit - 1);
      const damaged = Buffer.from(whole);
      // Headers are small and decide most: half the damage goes to the first kilobyte.
      for (let flips = 1 + below(30); flips > 0; flips--) {
        damaged[below(below(2) === 0 ? 1_024 : damaged.length)] = below(256);
      }
      const from = below(damaged.length);
      const to = from + below(5_000);
      const cut = [
        damaged,
        damaged.subarray(0, from),
        Buffer.concat([damaged.subarray(0, from), damaged.subarray(to)]),
      ][i % 3]!;
      await outcomeOf(cut);
    }
  });
});

describe('files that point to other files', () => {
  let server: Server;
  let requests = 0;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hiphop-audio-'));
    writeFileSync(join(folder, 'music.wav'), wav([noise(22_050, 0.5)]));
    server = createServer((_request, response) => {
      requests++;
      response.end(wav([noise(22_050, 0.5)]));
    });
    // A protocol other than HTTP would only be seen here.
    server.on('connection', () => requests++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  const POINTERS: [name: string, text: (target: string) => string][] = [
    [
      'an HLS playlist',
      (target) => `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${target}\n#EXT-X-ENDLIST\n`,
    ],
    ['a concat script', (target) => `ffconcat version 1.0\nfile ${target}\n`],
    ['a PLS playlist', (target) => `[playlist]\nNumberOfEntries=1\nFile1=${target}\n`],
    ['a plain M3U', (target) => `${target}\n`],
    [
      'a DASH manifest',
      (target) =>
        `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="128000"><BaseURL>${target}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    ],
    [
      'an SDP description',
      () => 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n',
    ],
  ];

  it.each(POINTERS)('%s opens neither an address nor a file', async (_name, text) => {
    const { port } = server.address() as AddressInfo;
    const targets = [
      `http://127.0.0.1:${port}/music.wav`,
      `tcp://127.0.0.1:${port}`,
      `file:${join(folder, 'music.wav')}`,
      join(folder, 'music.wav'),
    ];
    for (const target of targets) {
      // There is music behind each: a spectrogram would mean that it was opened.
      expect(await outcomeOf(Buffer.from(text(target)))).toHaveProperty('reason');
    }
    expect(requests).toBe(0);
  });
});
