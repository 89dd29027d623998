import type { LogMelParameters } from '../audio/log-mel.ts';
import { mostInput } from './pruning.ts';
import { bands } from './weights.ts';

/**
 * The tagger's input, as it was trained with (the package `musicnn`, its `configuration.py` and
 * `extractor.py`; whose detour over float16 overflows and is left out). The stretch of the recording is the
 * one that spectrograms are made of by default, whatever their settings: an embedding belongs to the audio.
 */
export const taggerInput: LogMelParameters = {
  sampleRate: 16_000,
  fftSize: 512,
  hop: 256,
  bands,
  minHz: 0,
  maxHz: 8_000,
  gain: 10_000,
  most: mostInput,
  seconds: 30,
  excerpt: 'auto',
};
