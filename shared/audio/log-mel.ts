import { decodeAudio } from './decode.ts';
import { findExcerpt } from './excerpt.ts';
import { MelSpectrogram, type MelSpectrogramParameters } from './mel.ts';
import type { SpectrogramParameters } from './parameters.ts';

/** How a logarithmic mel spectrogram is made: log10(gain x power + 1). Plain JSON. */
export interface LogMelParameters
  extends MelSpectrogramParameters,
    Pick<SpectrogramParameters, 'seconds' | 'excerpt'> {
  /** What mel power is multiplied by before 1 is added and the logarithm taken. */
  gain: number;
  /** Largest value: what is louder, as damaged float files are, counts as this loud. */
  most: number;
}

const melSpectrograms = new Map<string, Promise<MelSpectrogram>>();

/** Filter bank and memory are made once a process for each set of parameters. */
function melSpectrogramFor(parameters: LogMelParameters): Promise<MelSpectrogram> {
  const key = JSON.stringify(parameters);
  const made = melSpectrograms.get(key) ?? MelSpectrogram.create(parameters);
  melSpectrograms.set(key, made);
  return made;
}

/** A logarithmic mel spectrogram, and where in the recording it begins. */
export interface LogMelExcerpt {
  /** Shape [frames][bands], frame after frame. */
  logMel: Float32Array;
  /** Where the stretch that was looked at begins, in seconds. */
  start: number;
}

/**
 * Make the logarithmic mel spectrogram of an audio file, in this process. Unlike the levels of
 * `makeSpectrogram` it keeps the absolute loudness. Files from outside go to a SpectrogramPool.
 *
 * @param bytes a whole audio file
 * @param signal stops the decoding
 * @returns shape [frames][bands], frame after frame, each 0 to `most`; frames as `makeSpectrogram` has them
 * @throws PermanentError with a reason for people when the file cannot be used
 * @throws CancelledError when the signal is aborted
 */
export async function makeLogMel(
  bytes: Uint8Array,
  parameters: LogMelParameters,
  signal?: AbortSignal,
): Promise<Float32Array> {
  return (await makeLogMelExcerpt(bytes, parameters, signal)).logMel;
}

/** As `makeLogMel`, with the place of the excerpt. */
export async function makeLogMelExcerpt(
  bytes: Uint8Array,
  parameters: LogMelParameters,
  signal?: AbortSignal,
): Promise<LogMelExcerpt> {
  const mel = await melSpectrogramFor(parameters);
  const { samples } = await decodeAudio(bytes, parameters.sampleRate, signal);
  const { start, end } = findExcerpt(samples, parameters);
  const logMel = logMelOfPower(mel.power(samples.subarray(start, end)), parameters);
  return { logMel, start: start / parameters.sampleRate };
}

/**
 * @param power shape [bands][frames], band after band
 * @returns shape [frames][bands], frame after frame
 */
export function logMelOfPower(
  power: Float32Array,
  { bands, gain, most }: Pick<LogMelParameters, 'bands' | 'gain' | 'most'>,
): Float32Array {
  const frames = power.length / bands;
  const logMel = new Float32Array(power.length);
  for (let band = 0, at = 0; band < bands; band++) {
    for (let frame = 0; frame < frames; frame++, at++) {
      logMel[frame * bands + band] = Math.min(most, Math.log10(gain * power[at]! + 1));
    }
  }
  return logMel;
}
