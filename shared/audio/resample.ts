import { AV_CHANNEL_ORDER_NATIVE, AV_SAMPLE_FMT_FLT, type AVSampleFormat } from 'node-av/constants';
import { type ChannelLayout, type Frame, SoftwareResampleContext } from 'node-av/lib';

/** Frames are mixed as they come and handed on in pieces of about this many samples: 1.5 s. */
const PIECE_SAMPLES = 65_536;
const FLOAT_BYTES = 4;
const MONO: ChannelLayout = { nbChannels: 1, order: AV_CHANNEL_ORDER_NATIVE, mask: 4n };

/** Most channels that a bit mask of channels can name. */
const MOST_CHANNELS = 63;
/** Sample rates that recordings have, in hertz, with room to spare. */
const LEAST_RATE = 4_000;
const MOST_RATE = 768_000;

/**
 * FFmpeg's own resampler (node-av has no soxr), set to come close to soxr's "HQ", which librosa uses:
 * that passes all up to 0.913 of the new upper limit and nothing above it, so it is 6 dB down halfway.
 * Measured on the golden clips, over cells within 60 dB of the maximum, as mean difference from librosa:
 * 72 taps with beta 5, 0.014 dB (1.6 dB in the top band of 128, from 10.5 kHz; what folds back is 54 dB
 * down and more); 128 taps with beta 8, 0.003 dB, but 7 ms more for each clip of 30 s, a sixth of its decoding.
 */
const RESAMPLER_OPTIONS = { filter_size: 72, cutoff: 0.9565, kaiser_beta: 5 };

/** A float whose loudness cannot be meant (80 dB above full scale) comes from damage, as NaN does. */
const LOUDEST_SAMPLE = 10_000;

/** Something in a frame that no recording has; the frame is not used. */
export class UnusableFrameError extends Error {
  override readonly name = 'UnusableFrameError';
}

/**
 * Makes one mono signal of one sample rate out of decoded frames of any format, channels and rate,
 * all of which may change on the way (chained OGG streams do).
 *
 * Mono is the mean of the channels, as in `librosa.to_mono`: FFmpeg's own downmix weighs them
 * otherwise, so it is given a matrix.
 */
export class MonoResampler {
  readonly #sampleRate: number;
  readonly #most: number;
  #signal: Float32Array;
  #length = 0;
  #damaged = 0;
  #segment: Segment | undefined;

  /**
   * @param sampleRate samples a second of the result, in hertz
   * @param expectedSamples how many it will probably be
   * @param mostSamples how many it may be: what comes after is dropped
   */
  constructor(sampleRate: number, expectedSamples: number, mostSamples: number) {
    this.#sampleRate = sampleRate;
    this.#most = mostSamples;
    this.#signal = new Float32Array(Math.min(mostSamples, expectedSamples) + PIECE_SAMPLES);
  }

  /** No more is wanted. */
  get full(): boolean {
    return this.#length >= this.#most;
  }

  /** Samples that were no numbers, or absurdly large, and became zeros. */
  get damagedSamples(): number {
    return this.#damaged;
  }

  /** @throws UnusableFrameError when the frame is not like sound */
  push(frame: Frame): void {
    if (this.#segment === undefined || !this.#segment.fits(frame)) {
      this.#endSegment();
      this.#segment = new Segment(frame, this.#sampleRate);
    }
    this.#segment.push(frame);
    if (this.#segment.held >= PIECE_SAMPLES) this.#drain();
  }

  /** @returns the whole signal, once all frames were pushed */
  finish(): Float32Array {
    this.#endSegment();
    return this.#signal.subarray(0, Math.min(this.#length, this.#most));
  }

  /** Release FFmpeg's memory. Needed when `finish` is not reached. */
  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
  }

  #drain(): void {
    const segment = this.#segment!;
    const into = this.#room(segment.mostOutput());
    this.#accept(segment.drain(into));
  }

  #endSegment(): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    this.#drain();
    const into = this.#room(segment.mostOutput());
    into.fill(0);
    this.#accept(segment.flush(into));
    this.close();
  }

  #room(samples: number): Float32Array {
    if (this.#length + samples > this.#signal.length) {
      const larger = new Float32Array(Math.ceil(1.5 * (this.#length + samples)));
      larger.set(this.#signal.subarray(0, this.#length));
      this.#signal = larger;
    }
    return this.#signal.subarray(this.#length, this.#length + samples);
  }

  #accept(samples: number): void {
    const from = this.#length;
    this.#length = Math.max(0, this.#length + samples);
    for (let i = from; i < this.#length; i++) {
      // The comparison is this way around so that it also fails for NaN.
      if (!(Math.abs(this.#signal[i]!) < LOUDEST_SAMPLE)) {
        this.#signal[i] = 0;
        this.#damaged++;
      }
    }
  }
}

/** A run of frames that are alike: one mixer, and one resampler where the rate is not yet right. */
class Segment {
  held = 0;
  readonly #format: number;
  readonly #channels: number;
  readonly #rate: number;
  readonly #targetRate: number;
  /** Some files do not say which channel is which. A mean does not care, but FFmpeg's mixer does. */
  readonly #namesChannels: boolean;
  readonly #layout: ChannelLayout;
  readonly #mixer: SoftwareResampleContext;
  readonly #resampler: SoftwareResampleContext | undefined;
  #piece = new Float32Array(2 * PIECE_SAMPLES);
  #mixed = 0;
  #produced = 0;

  constructor(frame: Frame, targetRate: number) {
    this.#format = frame.format;
    this.#channels = frame.channels;
    this.#rate = frame.sampleRate;
    this.#targetRate = targetRate;
    if (!(this.#channels >= 1 && this.#channels <= MOST_CHANNELS)) {
      throw new UnusableFrameError(`it has ${this.#channels} channels`);
    }
    if (!(this.#rate >= LEAST_RATE && this.#rate <= MOST_RATE)) {
      throw new UnusableFrameError(`it claims ${this.#rate} samples a second`);
    }
    const layout = frame.channelLayout;
    this.#namesChannels = layout.order === AV_CHANNEL_ORDER_NATIVE;
    this.#layout = this.#namesChannels ? layout : layoutOf(this.#channels);
    this.#mixer = this.#openMixer(frame);
    if (this.#rate !== targetRate) this.#resampler = this.#openResampler();
  }

  fits(frame: Frame): boolean {
    return (
      frame.format === this.#format && frame.sampleRate === this.#rate && frame.channels === this.#channels
    );
  }

  push(frame: Frame): void {
    if (!this.#namesChannels) frame.channelLayout = this.#layout;
    if (this.#mixer.convertFrame(null, frame) < 0) throw new UnusableFrameError('its sound cannot be mixed');
    this.held += frame.nbSamples;
  }

  /** The most samples that one `drain` or `flush` may write now. */
  mostOutput(): number {
    const delayed = this.#resampler === undefined ? 0 : Number(this.#resampler.getDelay(BigInt(this.#rate)));
    return Math.ceil(((this.held + delayed) * this.#targetRate) / this.#rate) + 64;
  }

  /** @returns how many samples were written to `into` */
  drain(into: Float32Array): number {
    if (this.held > this.#piece.length) this.#piece = new Float32Array(this.held);
    const mixed = this.#resampler === undefined ? into : this.#piece;
    const count = Math.max(0, this.#mixer.convertSync([bufferOf(mixed)], this.held, null, 0));
    this.held = 0;
    this.#mixed += count;
    return this.#resample(mixed.subarray(0, count), into);
  }

  /**
   * Write what is still in the filter, to exactly ceil(samples x ratio) in all, as librosa does.
   * @param into zeros
   * @returns how many samples were added; below 0 when that many were too many
   */
  flush(into: Float32Array): number {
    if (this.#resampler === undefined) return 0;
    const wanted = Math.ceil((this.#mixed * this.#targetRate) / this.#rate) - this.#produced;
    this.#resampler.convertSync([bufferOf(into)], into.length, null, 0);
    return Math.min(wanted, into.length);
  }

  close(): void {
    this.#mixer.free();
    this.#resampler?.free();
  }

  #resample(mixed: Float32Array, into: Float32Array): number {
    let count = mixed.length;
    if (this.#resampler !== undefined) {
      const written = this.#resampler.convertSync([bufferOf(into)], into.length, [bufferOf(mixed)], count);
      count = Math.max(0, written);
    }
    this.#produced += count;
    return count;
  }

  #openMixer(frame: Frame): SoftwareResampleContext {
    const mixer = new SoftwareResampleContext();
    // Frames of pictures have other formats; these come from an audio decoder.
    const format = frame.format as AVSampleFormat;
    let result = mixer.allocSetOpts2(MONO, AV_SAMPLE_FMT_FLT, this.#rate, this.#layout, format, this.#rate);
    if (result >= 0 && this.#channels > 1) {
      const mean = new Array<number>(this.#channels).fill(1 / this.#channels);
      result = mixer.setMatrix(mean, this.#channels);
    }
    if (result >= 0) result = mixer.init();
    if (result < 0) throw new UnusableFrameError(`its ${this.#channels} channels cannot be mixed`);
    return mixer;
  }

  #openResampler(): SoftwareResampleContext {
    const resampler = new SoftwareResampleContext();
    let result = resampler.allocSetOpts2(
      MONO,
      AV_SAMPLE_FMT_FLT,
      this.#targetRate,
      MONO,
      AV_SAMPLE_FMT_FLT,
      this.#rate,
    );
    for (const [name, value] of Object.entries(RESAMPLER_OPTIONS)) {
      if (result >= 0) result = resampler.setOption(name, value);
    }
    if (result >= 0) result = resampler.init();
    if (result < 0) throw new UnusableFrameError(`${this.#rate} samples a second cannot be resampled`);
    return resampler;
  }
}

function layoutOf(channels: number): ChannelLayout {
  if (channels === 1) return MONO;
  return { nbChannels: channels, order: AV_CHANNEL_ORDER_NATIVE, mask: (1n << BigInt(channels)) - 1n };
}

/** The same memory as a Buffer, which is what the bindings take. */
function bufferOf(samples: Float32Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.length * FLOAT_BYTES);
}
