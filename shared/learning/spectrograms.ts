/** The levels' range: level 255 is the clip's maximum, level 0 is this many dB below it, or more. */
export const rangeDb = 80;

/** A clip as the spectrogram stage stores it. */
export interface Spectrogram {
  /** uint8 [bands, frames], band after band; dB below the clip's maximum = (level / 255 - 1) * 80. */
  readonly levels: Uint8Array;
  /** True frames, at least 1: no padding. */
  readonly frames: number;
}

/** Spectrograms by index, read when asked for, so that memory does not grow with their number. */
export interface SpectrogramSource {
  readonly count: number;
  readonly bands: number;
  /** The most frames that one of them can have. */
  readonly frames: number;
  read(index: number): Promise<Spectrogram>;
}

/** Serve spectrograms that are in memory. */
export function memorySource(
  spectrograms: readonly Spectrogram[],
  shape: { bands: number; frames: number },
): SpectrogramSource {
  return { ...shape, count: spectrograms.length, read: async (index) => spectrograms[index]! };
}
