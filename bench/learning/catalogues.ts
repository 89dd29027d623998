/** Catalogues with rules of our own planted in real music: none that the models were made on. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { spectrogramParameters } from '../../shared/audio/parameters.ts';
import { makeSpectrogram } from '../../shared/audio/spectrogram.ts';
import { descriptorNames, spectrogramDescriptors } from '../../shared/learning/features/descriptors.ts';
import { normal, randomStream, shuffle } from '../../shared/learning/random.ts';
import { realAudio } from '../clips.ts';

export interface Clip {
  readonly file: string;
  readonly title: string;
  readonly artist: string;
  readonly genre: string;
  readonly track_group: string;
  /** In the order of `descriptorNames`. */
  readonly descriptors: Float64Array;
}

/** Read all clips of the manifest and describe their sound. */
export async function describeClips(): Promise<Clip[]> {
  const rows = parse(readFileSync(join(realAudio(), 'manifest.csv'), 'utf8'), { columns: true }) as Clip[];
  const clips: Clip[] = [];
  for (const row of rows) {
    const file = join(realAudio(), row.file);
    const { levels, frames } = await makeSpectrogram(readFileSync(file), spectrogramParameters());
    clips.push({ ...row, file, descriptors: spectrogramDescriptors({ levels, frames }) });
  }
  return clips;
}

/** How popular a clip is by a rule, before noise; any unit. */
type Rule = (clip: Clip) => number;

function descriptor(name: string): Rule {
  const place = descriptorNames.findIndex((full) => full.startsWith(name));
  if (place < 0) throw new Error(`there is no descriptor ${name}`);
  return ({ descriptors }) => descriptors[place]!;
}

/** A liking for each genre, drawn at random. */
function taste(seed: number): Rule {
  const liking = new Map<string, number>();
  return ({ genre }) => {
    if (!liking.has(genre)) liking.set(genre, normal(randomStream('taste', seed, genre)));
    return liking.get(genre)!;
  };
}

export interface PlantedCatalogue {
  readonly rule: string;
  readonly clips: number;
  readonly popular: Rule;
}

export const planted: readonly PlantedCatalogue[] = [
  { rule: 'bright ones', clips: 178, popular: descriptor('spectral centroid') },
  { rule: 'clear beats', clips: 120, popular: descriptor('beat clarity') },
  { rule: 'little loudness range', clips: 80, popular: (clip) => -descriptor('loudness range')(clip) },
  { rule: 'a taste in genres', clips: 178, popular: taste(1) },
  { rule: 'another taste in genres', clips: 100, popular: taste(2) },
  { rule: 'noise, not tones', clips: 50, popular: descriptor('spectral flatness') },
  {
    rule: 'neither dark nor bright',
    clips: 150,
    popular: (clip) => -Math.abs(descriptor('spectral centroid')(clip) - 45),
  },
];

/** Noise beside the rule, in its standard deviations. */
const noise = 0.7;

/** Write the manifest of a planted catalogue: clips drawn at random, popularity by the rule with noise. */
export function writeManifest(path: string, clips: readonly Clip[], catalogue: PlantedCatalogue): void {
  const random = randomStream('catalogue', catalogue.rule);
  const chosen = shuffle([...clips], random).slice(0, catalogue.clips);
  const values = chosen.map(catalogue.popular);
  const mean = values.reduce((a, b) => a + b) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const rows = chosen.map(({ file, title, artist, track_group }, i) => {
    const wanted = 50 + 15 * ((values[i]! - mean) / spread + noise * normal(random));
    const popularity = Math.round(Math.max(0, Math.min(100, wanted)));
    return { file, title, artist, track_group, popularity };
  });
  writeFileSync(path, stringify(rows, { header: true }));
}
