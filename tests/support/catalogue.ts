import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noise, SAMPLE_RATE, wav } from './audio.ts';

/** Seconds of each clip, and of each excerpt where `settings` are in force. */
const seconds = 3;

/** Settings that make work on these clips short: without the tagger, but in tests of it. */
export const settings = { AUDIO_SECONDS: String(seconds), AUDIO_PROCESSES: '1', TAGGER: 'off' };

/**
 * Audio with a rule in it that can be heard: songs with a bass note under the noise are popular,
 * songs with a high one are not.
 */
export function clip(kind: 'bass' | 'treble', seed: number): Buffer {
  const base = (kind === 'bass' ? 80 : 3_000) * (1 + (seed % 7) / 10);
  const samples = noise(seconds * SAMPLE_RATE, 0.2, seed + 1);
  for (let i = 0; i < samples.length; i++)
    samples[i]! += 0.3 * Math.sin((2 * Math.PI * base * i) / SAMPLE_RATE);
  return wav([samples], SAMPLE_RATE, 's16');
}

export interface CatalogueTrack {
  /** Relative to the catalogue's folder. */
  file: string;
  kind: 'bass' | 'treble';
  artist: string;
  popularity: number;
}

/** Write so many clips and a manifest of them; every artist has one song of each kind. */
export function writeCatalogue(
  folder: string,
  count: number,
): { manifest: string; tracks: CatalogueTrack[] } {
  mkdirSync(join(folder, 'audio'), { recursive: true });
  const tracks = Array.from({ length: count }, (_, index): CatalogueTrack => {
    const kind = index % 2 === 0 ? 'bass' : 'treble';
    const file = `audio/${kind}-${index}.wav`;
    writeFileSync(join(folder, file), clip(kind, index));
    const popularity = (kind === 'bass' ? 60 : 10) + (index % 30);
    return { file, kind, artist: `Artist ${Math.floor(index / 2)}`, popularity };
  });
  const manifest = join(folder, 'manifest.csv');
  writeFileSync(manifest, manifestOf(tracks));
  return { manifest, tracks };
}

export function manifestOf(tracks: readonly CatalogueTrack[], moreLines: readonly string[] = []): string {
  const lines = tracks.map(({ file, artist, popularity }) => `${file},${file},${artist},${popularity}`);
  return `${['file,title,artist,popularity', ...lines, ...moreLines].join('\n')}\n`;
}
