import type { Spectrogram, SpectrogramSource } from './spectrograms.ts';

/** All that a model may judge a recording by. */
export interface Recording extends Spectrogram {
  /** What the music tagger says of it (shared/tagger/embedding.ts); null where it was not asked. */
  readonly embedding: Float32Array | null;
  /** What is known beside the audio (facts.ts), NaN where unknown; null where no model may use it. */
  readonly facts: Float32Array | null;
}

/** The recordings of a data set by index, each part read when asked for. */
export interface RecordingSource extends SpectrogramSource {
  /** Null where the tagger was not asked. */
  embedding(index: number): Promise<Float32Array | null>;
  /** Null where the training does without. */
  facts(index: number): Float32Array | null;
}
