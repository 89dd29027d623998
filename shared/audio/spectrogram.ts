import { createHash } from 'node:crypto';
import { decodeAudio } from './decode.ts';
import { findExcerpt, sumOfSquares } from './excerpt.ts';
import { levelsOfPower, type Spectrogram } from './levels.ts';
import { frameCount, MelSpectrogram } from './mel.ts';
import { parametersHash, type SpectrogramParameters } from './parameters.ts';

/** Root mean square below which a recording counts as silent: 80 dB under full scale. */
const SILENT_RMS = 1e-4;

/** A spectrogram with what was learned on the way to it. */
export interface SpectrogramResult extends Spectrogram {
  /** SHA-256 of frames and levels, in hexadecimal: two files that decode to the same sound share it. */
  audioHash: string;
  /** Length of all that was decoded, in seconds, whatever part of it was looked at. */
  durationSeconds: number;
  /** Where the part that was looked at begins, in seconds. */
  excerptStartSeconds: number;
  /** For people: what is not right with the file, though it could be used. */
  warnings: string[];
}

const melSpectrograms = new Map<string, Promise<MelSpectrogram>>();

/** Filter bank and memory are made once a process for each set of parameters. */
function melSpectrogramFor(parameters: SpectrogramParameters): Promise<MelSpectrogram> {
  const key = parametersHash(parameters);
  let made = melSpectrograms.get(key);
  if (made === undefined) {
    made = MelSpectrogram.create(parameters);
    melSpectrograms.set(key, made);
  }
  return made;
}

/**
 * Make the spectrogram of an audio file, in this process. Files from outside go to a SpectrogramPool.
 *
 * @param bytes a whole audio file
 * @param parameters which part, and how
 * @param signal stops the decoding
 * @returns levels of shape [bands][frames] with frames = 1 + floor(samples / hop), at most
 *   1 + floor(seconds x sampleRate / hop); a short clip keeps its true length
 * @throws PermanentError with a reason for people when the file cannot be used
 * @throws CancelledError when the signal is aborted
 */
export async function makeSpectrogram(
  bytes: Uint8Array,
  parameters: SpectrogramParameters,
  signal?: AbortSignal,
): Promise<SpectrogramResult> {
  const mel = await melSpectrogramFor(parameters);
  const { samples, warnings } = await decodeAudio(bytes, parameters.sampleRate, signal);
  const { start, end } = findExcerpt(samples, parameters);
  const excerpt = samples.subarray(start, end);
  if (Math.sqrt(sumOfSquares(excerpt, 0, excerpt.length) / excerpt.length) < SILENT_RMS) {
    warnings.push('silent');
  }
  const frames = frameCount(excerpt.length, parameters.hop);
  const spectrogram = levelsOfPower(mel.power(excerpt), parameters.bands, frames, parameters.dynamicRangeDb);
  return {
    ...spectrogram,
    audioHash: createHash('sha256').update(`${frames} `).update(spectrogram.levels).digest('hex'),
    durationSeconds: samples.length / parameters.sampleRate,
    excerptStartSeconds: start / parameters.sampleRate,
    warnings,
  };
}
