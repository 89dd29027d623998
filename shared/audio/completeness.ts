import { AVMEDIA_TYPE_AUDIO } from 'node-av/constants';
import type { FormatContext } from 'node-av/lib';

/** Encoders pad: a header's length counts as kept when what came out is this close to it. */
const TOLERANCE_SECONDS = 0.25;
const TOLERANCE_SHARE = 0.01;
/** A WAV written to a pipe carries such a size because its true one was not known yet: 2 GiB, in bytes. */
const UNKNOWN_SIZE_BYTES = 0x7fff_0000;

/** What a file says of its own length. */
export interface ClaimedLength {
  /** Of the sound, in seconds; undefined when the file says nothing. */
  seconds: number | undefined;
  /** The file does not end as its format ends. */
  endMissing: boolean;
}

/**
 * Find out what a file says of its own length. Asked before FFmpeg looks at the packets: where a header is
 * silent it would then estimate a length from the bit rate, which is no claim to hold against the file.
 *
 * @param context just opened
 * @param payload the file that it was opened on
 */
export function claimedLength(context: FormatContext, payload: Uint8Array): ClaimedLength {
  const file = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  switch (context.iformat?.name) {
    case 'wav':
      return { seconds: secondsInWav(file), endMissing: false };
    case 'ogg':
      // Its length is read off its last page, so it is never longer than what is there.
      return { seconds: undefined, endMissing: !endsAsOgg(file) };
    default:
      return { seconds: secondsInHeader(context), endMissing: false };
  }
}

/** The warning that a file is not complete, or nothing. */
export function lengthWarning(seconds: number, { seconds: claimed, endMissing }: ClaimedLength): string[] {
  const after = `the file breaks off after ${seconds.toFixed(1)} s`;
  if (endMissing) return [after];
  if (claimed === undefined) return [];
  const tolerance = Math.max(TOLERANCE_SECONDS, TOLERANCE_SHARE * claimed);
  return seconds < claimed - tolerance ? [`${after} of ${claimed.toFixed(1)} s`] : [];
}

function secondsInHeader(context: FormatContext): number | undefined {
  const stream = context.streams.find((one) => one.codecpar.codecType === AVMEDIA_TYPE_AUDIO);
  if (stream === undefined || stream.duration <= 0n) return undefined;
  return (Number(stream.duration) * stream.timeBase.num) / stream.timeBase.den;
}

const CHUNK_HEADER_BYTES = 8;
const FIRST_CHUNK_AT = 12;
const BYTE_RATE_AT = 8;

/** FFmpeg forgets what the header says when the file is shorter than that. Source: the RIFF WAVE format. */
function secondsInWav(file: Buffer): number | undefined {
  let byteRate = 0;
  for (let at = FIRST_CHUNK_AT; at + CHUNK_HEADER_BYTES <= file.length; ) {
    const name = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = at + CHUNK_HEADER_BYTES;
    if (name === 'fmt ' && body + BYTE_RATE_AT + 4 <= file.length) {
      byteRate = file.readUInt32LE(body + BYTE_RATE_AT);
    }
    if (name === 'data') {
      const known = byteRate > 0 && size > 0 && size < UNKNOWN_SIZE_BYTES;
      return known ? size / byteRate : undefined;
    }
    // Chunks begin at even places.
    at = body + size + (size % 2);
  }
  return undefined;
}

const OGG_FLAGS_AT = 5;
const OGG_LAST_PAGE = 0x04;

/** Whether the last page is marked as such. Source: RFC 3533. */
function endsAsOgg(file: Buffer): boolean {
  const page = file.lastIndexOf('OggS');
  return page >= 0 && ((file[page + OGG_FLAGS_AT] ?? 0) & OGG_LAST_PAGE) !== 0;
}
