/** Encode MP3 through FFmpeg's libmp3lame, in process. */
import { AV_CHANNEL_LAYOUT_MONO, AV_SAMPLE_FMT_FLTP, FF_ENCODER_LIBMP3LAME } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Option, Packet, Rational } from 'node-av/lib';

/** LAME's quickest search takes half the time of its default; a few plain sounds need no better. */
const quickest = 9;

/**
 * Encode one channel as MP3, without tags.
 * @param samples within -1 and 1
 * @param sampleRate Hz, one of MPEG's
 * @param bitRate bits a second; 64,000 keeps all that 22,050 Hz can hold
 * @throws FFmpegError when the encoder refuses
 */
export function encodeMp3(samples: Float32Array, sampleRate: number, bitRate = 64_000): Buffer {
  const codec = Codec.findEncoderByName(FF_ENCODER_LIBMP3LAME);
  if (!codec) throw new Error('this build of FFmpeg has no MP3 encoder');
  using context = new CodecContext();
  context.allocContext3(codec);
  context.sampleRate = sampleRate;
  context.sampleFormat = AV_SAMPLE_FMT_FLTP;
  context.channelLayout = AV_CHANNEL_LAYOUT_MONO;
  context.bitRate = BigInt(bitRate);
  context.timeBase = new Rational(1, sampleRate);
  // Option and not a dictionary for open2: node-av 6.1.1 frees such a dictionary twice, and dies.
  FFmpegError.throwIfError(Option.setInt(context.getNative(), 'compression_level', quickest), 'set up MP3');
  FFmpegError.throwIfError(context.open2Sync(codec, null), 'open the MP3 encoder');

  using packet = new Packet();
  packet.alloc();
  const parts: Buffer[] = [];
  const collect = () => {
    while (context.receivePacketSync(packet) >= 0) {
      if (packet.data) parts.push(Buffer.from(packet.data));
      packet.unref();
    }
  };
  for (let start = 0; start < samples.length; start += context.frameSize) {
    const piece = samples.subarray(start, start + context.frameSize);
    using frame = Frame.fromAudioBuffer(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength), {
      sampleRate,
      nbSamples: piece.length,
      format: AV_SAMPLE_FMT_FLTP,
      channelLayout: AV_CHANNEL_LAYOUT_MONO,
      timeBase: { num: 1, den: sampleRate },
      pts: BigInt(start),
    });
    FFmpegError.throwIfError(context.sendFrameSync(frame), 'encode MP3');
    collect();
  }
  FFmpegError.throwIfError(context.sendFrameSync(null), 'finish the MP3');
  collect();
  return Buffer.concat(parts);
}
