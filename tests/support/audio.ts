/** Sounds and files that tests make for themselves. */

export const SAMPLE_RATE = 22_050;

/** A tone that swells, so that no two windows of it are alike. Amplitude 0 to 0.5. */
export function tone(seconds: number, hz: number, sampleRate = SAMPLE_RATE): Float32Array {
  const samples = Math.round(seconds * sampleRate);
  return Float32Array.from(
    { length: samples },
    (_, i) => 0.5 * (i / samples) * Math.sin((2 * Math.PI * hz * i) / sampleRate),
  );
}

/** White noise of a fixed seed, -amplitude to amplitude. */
export function noise(samples: number, amplitude: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: samples }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return amplitude * (state / 2 ** 31 - 1);
  });
}

const WAV_HEADER_BYTES = 44;
const PCM = 1;
const FLOAT = 3;

/**
 * Write a WAV file in memory.
 * @param channels the samples of each channel, all of the same length
 * @param sampleFormat s16 rounds to 16 bits, f32 keeps what it is given
 */
export function wav(
  channels: Float32Array[],
  sampleRate = SAMPLE_RATE,
  sampleFormat: 's16' | 'f32' = 'f32',
): Buffer {
  const bytes = sampleFormat === 's16' ? 2 : 4;
  const frames = channels[0]?.length ?? 0;
  const dataBytes = frames * channels.length * bytes;
  const file = Buffer.alloc(WAV_HEADER_BYTES + dataBytes);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(sampleFormat === 's16' ? PCM : FLOAT, 20);
  file.writeUInt16LE(channels.length, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(sampleRate * channels.length * bytes, 28);
  file.writeUInt16LE(channels.length * bytes, 32);
  file.writeUInt16LE(8 * bytes, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(dataBytes, 40);
  let at = WAV_HEADER_BYTES;
  for (let frame = 0; frame < frames; frame++) {
    for (const channel of channels) {
      const sample = channel[frame]!;
      if (sampleFormat === 's16') file.writeInt16LE(Math.round(sample * 32_767), at);
      else file.writeFloatLE(sample, at);
      at += bytes;
    }
  }
  return file;
}
