/** What a model has heard of a recording, to be listened to. */
import { decodeAudio } from './decode.ts';
import { findExcerpt } from './excerpt.ts';
import type { SpectrogramParameters } from './parameters.ts';

const headerBytes = 44;
const bytesPerSample = 2;

/**
 * Decode an audio file and write the excerpt that its spectrogram is made of as a WAV file: mono, 16 bit,
 * at the parameters' sample rate.
 * @throws PermanentError with a reason for people when the file cannot be used
 */
export async function makeExcerptWav(
  bytes: Uint8Array,
  parameters: SpectrogramParameters,
): Promise<Uint8Array> {
  const { sampleRate } = parameters;
  const { samples } = await decodeAudio(bytes, sampleRate);
  const { start, end } = findExcerpt(samples, parameters);
  const dataBytes = (end - start) * bytesPerSample;
  const file = Buffer.alloc(headerBytes + dataBytes);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22); // mono
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(sampleRate * bytesPerSample, 28);
  file.writeUInt16LE(bytesPerSample, 32);
  file.writeUInt16LE(8 * bytesPerSample, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(dataBytes, 40);
  for (let i = start; i < end; i++) {
    const sample = Math.max(-1, Math.min(1, samples[i]!));
    file.writeInt16LE(Math.round(sample * 32_767), headerBytes + (i - start) * bytesPerSample);
  }
  return file;
}
