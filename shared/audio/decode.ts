import { setImmediate } from 'node:timers/promises';
import * as constants from 'node-av/constants';
import {
  Codec,
  CodecContext,
  Dictionary,
  FormatContext,
  Frame,
  IOContext,
  Log,
  Packet,
  type Stream,
} from 'node-av/lib';
import { CancelledError, PermanentError } from '../errors.ts';
import { type ClaimedLength, claimedLength, lengthWarning } from './completeness.ts';
import {
  ACCEPTED_FORMATS,
  ALLOWED_DECODERS,
  ALLOWED_DEMUXERS,
  DEMUXER_NAMES,
  recogniseInput,
} from './formats.ts';
import { MonoResampler, UnusableFrameError } from './resample.ts';

/** Longest sound that is decoded, in seconds: 160 MB of samples. Songs end long before. */
export const LONGEST_SECONDS = 1_800;
/** Shortest sound that is worth a spectrogram, in seconds. */
export const SHORTEST_SECONDS = 0.1;

/** Part of the packets that may be damaged before the rest no longer stands for the song. */
const MOST_DAMAGED_SHARE = 0.25;
/** How often decoding lets the event loop run, in milliseconds, so that it can be cancelled. */
const YIELD_MS = 100;
const IO_BUFFER_BYTES = 65_536;

/** The sound of a file, from its start. */
export interface DecodedAudio {
  /** Mono, nominally -1 to 1. */
  samples: Float32Array;
  /** For people: what is not right with the file, though it can be used. */
  warnings: string[];
}

/**
 * Decode audio bytes to one mono signal.
 *
 * FFmpeg runs in this process and reads from memory only: the demuxer is chosen here, by content, from
 * an allow list, and every protocol is shut, so no file can make it open another file or an address.
 * FFmpeg is C: where a file may come from anywhere, run this in a process that may crash (SpectrogramPool).
 *
 * @param bytes a whole audio file, in any of ACCEPTED_FORMATS
 * @param sampleRate samples a second wanted, in hertz
 * @param signal stops the decoding
 * @returns the sound, LONGEST_SECONDS at most
 * @throws PermanentError with a reason for people when nothing, or too little, can be decoded
 * @throws CancelledError when the signal is aborted
 */
export async function decodeAudio(
  bytes: Uint8Array,
  sampleRate: number,
  signal?: AbortSignal,
): Promise<DecodedAudio> {
  // FFmpeg would write its remarks on damaged files to the terminal.
  Log.setLevel(constants.AV_LOG_QUIET);
  const { format, payload } = recogniseInput(bytes);
  const io = memoryReader(payload);
  const context = new FormatContext();
  context.allocContext();
  context.pb = io;
  const options = Dictionary.fromObject({
    protocol_whitelist: 'none',
    format_whitelist: ALLOWED_DEMUXERS.join(','),
    codec_whitelist: ALLOWED_DECODERS.join(','),
  });
  try {
    if (context.openInputSync('', format, options) < 0) throw unreadable(format.name);
    const claimed = claimedLength(context, payload);
    if (context.findStreamInfoSync(null) < 0) throw unreadable(format.name);
    const stream = audioStreamOf(context);
    return await decodeStream(context, stream, { sampleRate, claimed, signal });
  } finally {
    // In this order: closing must not find a reader that is already gone.
    context.pb = null;
    context.closeInputSync();
    io.freeContext();
    options.free();
  }
}

function unreadable(demuxer: string | null): PermanentError {
  const name = DEMUXER_NAMES[demuxer ?? ''] ?? (demuxer ?? '').toUpperCase();
  return new PermanentError(
    `this looks like ${name}, but it is damaged or incomplete: nothing can be decoded`,
  );
}

/** Let FFmpeg read bytes in memory. */
function memoryReader(bytes: Uint8Array): IOContext {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = 0;
  const io = new IOContext();
  io.allocContextWithCallbacks(
    IO_BUFFER_BYTES,
    0,
    (size) => {
      const piece = buffer.subarray(position, position + size);
      position += piece.length;
      return piece.length === 0 ? constants.AVERROR_EOF : piece;
    },
    null,
    (offset, whence) => {
      if (whence === constants.AVSEEK_SIZE) return BigInt(buffer.length);
      const base =
        whence === constants.AVSEEK_CUR ? position : whence === constants.AVSEEK_END ? buffer.length : 0;
      position = Math.max(0, Math.min(buffer.length, base + Number(offset)));
      return BigInt(position);
    },
  );
  return io;
}

function audioStreamOf(context: FormatContext): Stream {
  const index = context.findBestStream(constants.AVMEDIA_TYPE_AUDIO);
  const stream = context.streams[index];
  if (index < 0 || stream === undefined) {
    throw new PermanentError(`there is no sound in this file: accepted are ${ACCEPTED_FORMATS}`);
  }
  // Pictures and video are not even read out of the container.
  for (const other of context.streams) if (other.index !== index) other.discard = constants.AVDISCARD_ALL;
  return stream;
}

function openDecoder(stream: Stream): CodecContext {
  const codec = Codec.findDecoder(stream.codecpar.codecId);
  if (codec === null || !ALLOWED_DECODERS.includes(codec.name ?? '')) {
    const name = codec?.name ?? 'of an unknown kind';
    throw new PermanentError(`the sound in this file is ${name}: accepted are ${ACCEPTED_FORMATS}`);
  }
  const decoder = new CodecContext();
  decoder.allocContext3(codec);
  decoder.parametersToContext(stream.codecpar);
  decoder.pktTimebase = stream.timeBase;
  // Files are decoded side by side, a process each: threads within one would only fight over cores.
  decoder.threadCount = 1;
  if (decoder.open2Sync(codec, null) < 0) {
    decoder.freeContext();
    throw new PermanentError('the description of the sound in this file is damaged: it cannot be decoded');
  }
  return decoder;
}

interface StreamOptions {
  sampleRate: number;
  claimed: ClaimedLength;
  signal: AbortSignal | undefined;
}

async function decodeStream(
  context: FormatContext,
  stream: Stream,
  { sampleRate, claimed, signal }: StreamOptions,
): Promise<DecodedAudio> {
  const decoder = openDecoder(stream);
  const expected = Math.min(claimed.seconds ?? 0, LONGEST_SECONDS) * sampleRate;
  const resampler = new MonoResampler(sampleRate, Math.ceil(expected), LONGEST_SECONDS * sampleRate);
  const packet = new Packet();
  const frame = new Frame();
  packet.alloc();
  frame.alloc();
  const damage = new Damage();
  /** Hand on every frame that the decoder has ready. */
  const receive = (): void => {
    for (;;) {
      const result = decoder.receiveFrameSync(frame);
      if (result === constants.AVERROR_EAGAIN || result === constants.AVERROR_EOF) return;
      if (result < 0) {
        damage.add();
        return;
      }
      try {
        if (frame.nbSamples > 0) resampler.push(frame);
      } catch (error) {
        if (!(error instanceof UnusableFrameError)) throw error;
        damage.add(error.message);
      } finally {
        frame.unref();
      }
    }
  };
  try {
    let packets = 0;
    let yielded = performance.now();
    while (!resampler.full && context.readFrameSync(packet) >= 0) {
      if (packet.streamIndex === stream.index) {
        packets++;
        if (decoder.sendPacketSync(packet) < 0) damage.add();
        receive();
      }
      packet.unref();
      if (performance.now() - yielded > YIELD_MS) {
        await setImmediate();
        if (signal?.aborted) throw new CancelledError('decoding was cancelled');
        yielded = performance.now();
      }
    }
    const cutOff = resampler.full;
    decoder.sendPacketSync(null);
    receive();
    const samples = resampler.finish();
    const seconds = samples.length / sampleRate;
    damage.refuseTooMuch(packets, seconds);
    return {
      samples,
      warnings: [
        ...damage.warnings(packets),
        ...(cutOff ? [`only the first ${LONGEST_SECONDS / 60} minutes were looked at`] : []),
        ...(cutOff ? [] : lengthWarning(seconds, claimed)),
        ...(resampler.damagedSamples > 0
          ? [`${resampler.damagedSamples} damaged samples were silenced`]
          : []),
      ],
    };
  } finally {
    resampler.close();
    packet.free();
    frame.free();
    decoder.freeContext();
  }
}

/** What could not be decoded, and whether that is too much. */
class Damage {
  #count = 0;
  #detail: string | undefined;

  add(detail?: string): void {
    this.#count++;
    this.#detail ??= detail;
  }

  refuseTooMuch(packets: number, seconds: number): void {
    if (seconds === 0) {
      const why = this.#detail === undefined ? '' : ` (${this.#detail})`;
      throw new PermanentError(`nothing in this file can be decoded${why}`);
    }
    if (this.#count > MOST_DAMAGED_SHARE * packets) {
      throw new PermanentError(
        `this file is damaged: ${this.#count} of its ${packets} parts cannot be decoded`,
      );
    }
    if (seconds < SHORTEST_SECONDS) {
      throw new PermanentError(
        `this file is too short: ${seconds.toFixed(2)} s of sound, at least ${SHORTEST_SECONDS} s is needed`,
      );
    }
  }

  warnings(packets: number): string[] {
    return this.#count === 0 ? [] : [`${this.#count} of ${packets} parts are damaged and were left out`];
  }
}
