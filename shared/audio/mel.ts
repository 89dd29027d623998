import PFFFT, { type PffftModule } from '@echogarden/pffft-wasm/simd';
import type { SpectrogramParameters } from './parameters.ts';

// Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above.
const HZ_PER_MEL = 200 / 3;
const BREAK_HZ = 1_000;
const BREAK_MEL = BREAK_HZ / HZ_PER_MEL;
const LOG_STEP = Math.log(6.4) / 27;

function melOfHz(hz: number): number {
  return hz < BREAK_HZ ? hz / HZ_PER_MEL : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
}

function hzOfMel(mel: number): number {
  return mel < BREAK_MEL ? mel * HZ_PER_MEL : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL));
}

type MelParameters = Pick<SpectrogramParameters, 'sampleRate' | 'fftSize' | 'bands' | 'minHz' | 'maxHz'>;

/** What a mel spectrogram is made by: the bank of filters, and how far apart the frames are. */
export type MelSpectrogramParameters = MelParameters & Pick<SpectrogramParameters, 'hop'>;

/** The edges of the bands, in hertz: band b rises from edge b to b + 1 and falls to b + 2. */
export function bandEdges({ bands, minHz, maxHz }: MelParameters): number[] {
  const lowest = melOfHz(minHz);
  const step = (melOfHz(maxHz) - lowest) / (bands + 1);
  return Array.from({ length: bands + 2 }, (_, i) => hzOfMel(lowest + step * i));
}

/**
 * A bank of triangular filters, laid out to be applied in one pass over a power spectrum: between two
 * neighbouring edges a bin lies on the rising side of one band and on the falling side of the band
 * before, and in no other.
 */
export interface MelFilterBank {
  bands: number;
  /** Bins 0 Hz to half the sample rate, fftSize / 2 + 1. */
  bins: number;
  /** Stretch i, between edges i and i + 1, has the bins starts[i] up to (not including) starts[i + 1]. */
  starts: Int32Array;
  /** Weight of each bin in band i of its stretch i. */
  rising: Float64Array;
  /** Weight of each bin in band i - 1 of its stretch i. */
  falling: Float64Array;
}

/**
 * Build the mel filter bank: triangles between neighbouring edges that lie evenly on Slaney's mel
 * scale, each scaled by 2 / (its width in hertz), so that a band's level does not grow with its width.
 * The same numbers as `librosa.filters.mel` (see {@link denseFilters}).
 */
export function melFilterBank(parameters: MelParameters): MelFilterBank {
  const { sampleRate, fftSize, bands } = parameters;
  const edges = bandEdges(parameters);
  const bins = fftSize / 2 + 1;
  const hzPerBin = sampleRate / fftSize;
  const rising = new Float64Array(bins);
  const falling = new Float64Array(bins);
  const starts = Int32Array.from(edges, (hz) => Math.min(bins, Math.ceil(hz / hzPerBin)));
  const norm = (band: number): number => 2 / (edges[band + 2]! - edges[band]!);
  for (let i = 0; i <= bands; i++) {
    const low = edges[i]!;
    const high = edges[i + 1]!;
    for (let bin = starts[i]!; bin < starts[i + 1]!; bin++) {
      const position = (bin * hzPerBin - low) / (high - low);
      if (i < bands) rising[bin] = norm(i) * position;
      if (i > 0) falling[bin] = norm(i - 1) * (1 - position);
    }
  }
  return { bands, bins, starts, rising, falling };
}

/**
 * Write a filter bank out in full, to look at or to compare.
 * @returns weights, shape [bands][bins], band after band
 */
export function denseFilters({ bands, bins, starts, rising, falling }: MelFilterBank): Float32Array {
  const weights = new Float32Array(bands * bins);
  for (let i = 0; i <= bands; i++) {
    for (let bin = starts[i]!; bin < starts[i + 1]!; bin++) {
      if (i < bands) weights[i * bins + bin] = rising[bin]!;
      if (i > 0) weights[(i - 1) * bins + bin] = falling[bin]!;
    }
  }
  return weights;
}

/** How many frames a signal has: one on each multiple of the hop, the ends included. */
export function frameCount(samples: number, hop: number): number {
  return 1 + Math.floor(samples / hop);
}

const FORWARD = 0;
const REAL = 0;
const FLOAT_BYTES = 4;

/**
 * Turns signals into mel power spectrograms. Holds memory of a WebAssembly module, as much as the
 * longest signal so far needed, for as long as the process lives: make one and keep it.
 */
export class MelSpectrogram {
  readonly #parameters: MelSpectrogramParameters;
  readonly #bank: MelFilterBank;
  readonly #fft: PffftModule;
  readonly #setup: number;
  readonly #spectrum: number;
  readonly #work: number;
  #signal = 0;
  #signalSamples = 0;

  private constructor(parameters: MelSpectrogramParameters, fft: PffftModule) {
    this.#parameters = parameters;
    this.#bank = melFilterBank(parameters);
    this.#fft = fft;
    this.#setup = fft._pffft_new_setup(parameters.fftSize, REAL);
    if (this.#setup === 0) throw new RangeError(`no Fourier transform of ${parameters.fftSize} samples`);
    // Two more than the transform writes: room for the last bin in the order of all others.
    this.#spectrum = this.#allocate(parameters.fftSize + 2);
    this.#work = this.#allocate(parameters.fftSize);
  }

  /** @throws RangeError when `fftSize` is no size that can be transformed */
  static async create(parameters: MelSpectrogramParameters): Promise<MelSpectrogram> {
    return new MelSpectrogram(parameters, await PFFFT());
  }

  /**
   * Compute the mel power spectrogram of a signal, zeros assumed before its start and after its end.
   *
   * @param signal mono samples, nominally -1 to 1, at the parameters' sample rate
   * @returns power (0 and up), shape [bands][frames], band after band;
   *   frames = 1 + floor(samples / hop), frame i centred on sample i x hop.
   *   As `librosa.feature.melspectrogram` 0.11 with its defaults, but for rounding
   */
  power(signal: Float32Array): Float32Array {
    const { fftSize, hop, bands } = this.#parameters;
    const frames = frameCount(signal.length, hop);
    this.#load(signal);
    const spectrum = this.#floats(this.#spectrum, fftSize + 2);
    const mel = new Float32Array(bands * frames);
    for (let frame = 0; frame < frames; frame++) {
      // Every hop is a multiple of 16 bytes, so a frame is transformed where it lies.
      const at = this.#signal + frame * hop * FLOAT_BYTES;
      this.#fft._pffft_transform_ordered(this.#setup, at, this.#spectrum, this.#work, FORWARD);
      // PFFFT puts the real value of the last bin where bin 0 would have its imaginary one; both are real.
      spectrum[fftSize] = spectrum[1]!;
      spectrum[fftSize + 1] = 0;
      spectrum[1] = 0;
      melOfSpectrum(spectrum, this.#bank, mel, frame, frames);
    }
    return mel;
  }

  /** Copy a signal to the module's memory, half a frame of zeros before it and after it. */
  #load(signal: Float32Array): void {
    const half = this.#parameters.fftSize / 2;
    const samples = signal.length + 2 * half;
    if (samples > this.#signalSamples) {
      if (this.#signal !== 0) this.#fft._pffft_aligned_free(this.#signal);
      this.#signal = this.#allocate(samples);
      this.#signalSamples = samples;
    }
    const memory = this.#floats(this.#signal, samples);
    memory.fill(0, 0, half);
    memory.set(signal, half);
    memory.fill(0, half + signal.length);
  }

  #allocate(floats: number): number {
    const pointer = this.#fft._pffft_aligned_malloc(floats * FLOAT_BYTES);
    if (pointer === 0) throw new RangeError(`no memory for ${floats} samples`);
    return pointer;
  }

  /** A view on the module's memory. Another one is needed whenever that has grown. */
  #floats(pointer: number, length: number): Float32Array {
    return this.#fft.HEAPF32.subarray(pointer / FLOAT_BYTES, pointer / FLOAT_BYTES + length);
  }
}

/**
 * Window a spectrum, take its power, and apply the filter bank, all in one pass.
 *
 * The periodic Hann window is 1/2 - 1/4 (e^ix + e^-ix), so that to multiply a frame by it is to replace
 * each bin X[k] by X[k]/2 - (X[k-1] + X[k+1])/4. That is exact, and cheaper than to multiply the frame,
 * for which it would have to be copied.
 *
 * @param spectrum of one frame: real and imaginary value of each bin
 * @param mel shape [bands][frames]; column `frame` is written
 */
function melOfSpectrum(
  spectrum: Float32Array,
  { bands, bins, starts, rising, falling }: MelFilterBank,
  mel: Float32Array,
  frame: number,
  frames: number,
): void {
  const last = bins - 1;
  // Bin 0 and the last bin lie on the outer edges of the bank, or beyond: their weight is 0.
  let realBefore = spectrum[0]!;
  let imaginaryBefore = spectrum[1]!;
  let real = spectrum[2]!;
  let imaginary = spectrum[3]!;
  let bin = 1;
  let risen = 0;
  for (let stretch = 0; stretch <= bands; stretch++) {
    const end = Math.min(starts[stretch + 1]!, last);
    let rise = 0;
    let fall = 0;
    for (; bin < end; bin++) {
      const realAfter = spectrum[2 * bin + 2]!;
      const imaginaryAfter = spectrum[2 * bin + 3]!;
      const windowedReal = 0.5 * real - 0.25 * (realBefore + realAfter);
      const windowedImaginary = 0.5 * imaginary - 0.25 * (imaginaryBefore + imaginaryAfter);
      const power = windowedReal * windowedReal + windowedImaginary * windowedImaginary;
      rise += rising[bin]! * power;
      fall += falling[bin]! * power;
      realBefore = real;
      imaginaryBefore = imaginary;
      real = realAfter;
      imaginary = imaginaryAfter;
    }
    if (stretch > 0) mel[(stretch - 1) * frames + frame] = risen + fall;
    risen = rise;
  }
}
