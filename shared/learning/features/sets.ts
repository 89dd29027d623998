/** The sets of features that models which take vectors are made of. */
import { type EmbeddingParts, embeddingParts, embeddingValues, logTags } from '../../tagger/embedding.ts';
import type { Recording, RecordingSource } from '../recording.ts';
import { spectrogramDescriptors } from './descriptors.ts';
import { spectrogramStatistics } from './statistics.ts';

const unheard = new Float32Array(embeddingValues).fill(Number.NaN);
/** Parts of the embedding; NaN where the tagger was not asked, which models take for the mean. */
const partsOf = ({ embedding }: Recording): EmbeddingParts => embeddingParts(embedding ?? unheard);

const makers = {
  /** Of each mel band [3 x bands]: see `spectrogramStatistics`. */
  statistics: spectrogramStatistics,
  /** Tempo, loudness range, spectral shape: see `spectrogramDescriptors`. */
  descriptors: spectrogramDescriptors,
  /** The tagger's mean pool and its spread [1506]. */
  pool: (recording: Recording) => {
    const { mean, spread } = partsOf(recording);
    return Float32Array.of(...mean, ...spread);
  },
  /** The tagger's layer before the tags [200]. */
  penultimate: (recording: Recording) => partsOf(recording).penultimate,
  /** Logarithms of the tags' probabilities [50]. */
  tags: (recording: Recording) => logTags(partsOf(recording).tags),
  /** What is known beside the audio; empty where no model may use it. */
  facts: ({ facts }: Recording) => facts ?? new Float32Array(),
} as const satisfies Record<string, (recording: Recording) => ArrayLike<number>>;

export type FeatureSet = keyof typeof makers;

const taggerSets: readonly FeatureSet[] = ['pool', 'penultimate', 'tags'];

/** Whether any of the sets comes from the music tagger. */
export function needsTagger(sets: readonly FeatureSet[]): boolean {
  return sets.some((set) => taggerSets.includes(set));
}

function joined(parts: readonly ArrayLike<number>[]): Float32Array {
  const vector = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    vector.set(part, offset);
    offset += part.length;
  }
  return vector;
}

/** Make one recording's vector: the sets one after another. */
export function featuresOf(recording: Recording, sets: readonly FeatureSet[]): Float32Array {
  return joined(sets.map((set) => makers[set](recording)));
}

/** Vectors of a source's recordings by index, what is costly being computed once. */
export type FeatureTable = (index: number, sets: readonly FeatureSet[]) => Promise<Float32Array>;

/** Sets that have to look at the whole spectrogram. */
const costly: readonly FeatureSet[] = ['statistics', 'descriptors'];
const noSpectrogram = { levels: new Uint8Array(), frames: 1 };

/** Make a table that computes what a track needs when first asked for it (1.6 KB a track are kept). */
export function featureTable(source: RecordingSource): FeatureTable {
  const kept = new Map<string, Float32Array>();
  const costlyPart = async (index: number, set: FeatureSet): Promise<Float32Array> => {
    const key = `${set} ${index}`;
    const known = kept.get(key);
    if (known) return known;
    const made = featuresOf({ ...(await source.read(index)), embedding: null, facts: null }, [set]);
    kept.set(key, made);
    return made;
  };
  return async (index, sets) => {
    const embedding = needsTagger(sets) ? await source.embedding(index) : null;
    const cheap = { ...noSpectrogram, embedding, facts: source.facts(index) };
    const parts: Float32Array[] = [];
    for (const set of sets) {
      parts.push(costly.includes(set) ? await costlyPart(index, set) : featuresOf(cheap, [set]));
    }
    return joined(parts);
  };
}
