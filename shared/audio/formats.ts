import { InputFormat } from 'node-av/lib';
import { PermanentError } from '../errors.ts';

/** What to tell people who hand in something else. */
export const ACCEPTED_FORMATS =
  'MP3, WAV, AIFF, FLAC, OGG (Vorbis, Opus), M4A/MP4, AAC, W64, CAF and MKA/WebM';

/**
 * FFmpeg's demuxers for these. FFmpeg knows hundreds more, among them playlists and scripts that open
 * other files and addresses: what is not in this list is never run.
 */
export const ALLOWED_DEMUXERS: readonly string[] = [
  'mp3',
  'wav',
  'aiff',
  'flac',
  'ogg',
  'mov,mp4,m4a,3gp,3g2,mj2',
  'aac',
  'w64',
  'caf',
  'matroska,webm',
];

/** What people call these, where that is not FFmpeg's name. */
export const DEMUXER_NAMES: Readonly<Record<string, string>> = {
  'mov,mp4,m4a,3gp,3g2,mj2': 'M4A/MP4',
  'matroska,webm': 'MKA/WebM',
};

/** FFmpeg's decoders for what those hold. None of them looks beyond the packet it is given. */
export const ALLOWED_DECODERS: readonly string[] = [
  'mp3float',
  'mp3',
  'mp2float',
  'mp2',
  'mp1float',
  'mp1',
  'aac',
  'ac3',
  'eac3',
  'vorbis',
  'opus',
  'flac',
  'alac',
  'adpcm_ms',
  'adpcm_ima_wav',
  'adpcm_ima_qt',
  'pcm_alaw',
  'pcm_mulaw',
  'pcm_u8',
  'pcm_s8',
  'pcm_s16le',
  'pcm_s16be',
  'pcm_s24le',
  'pcm_s24be',
  'pcm_s32le',
  'pcm_s32be',
  'pcm_s64le',
  'pcm_s64be',
  'pcm_f32le',
  'pcm_f32be',
  'pcm_f64le',
  'pcm_f64be',
];

/** An input that was recognised by its content. */
export interface RecognisedInput {
  format: InputFormat;
  /** The file without the ID3 tags before it: pictures and lyrics are no business of the demuxer. */
  payload: Uint8Array;
}

/** Enough for nearly every file; a longer look costs 2 ms a file. */
const PROBE_BYTES = 16_384;
/** Some probes want to look farther, across a big header. */
const LONG_PROBE_BYTES = 1_048_576;
/** FFmpeg's probes read up to this much past the end (AVPROBE_PADDING_SIZE). */
const PROBE_PADDING_BYTES = 32;

/**
 * Recognise the container of a file by its content alone; its name means nothing.
 *
 * @throws PermanentError that says what the file looks like, when it is none of the accepted formats
 */
export function recogniseInput(bytes: Uint8Array): RecognisedInput {
  if (bytes.length === 0) throw new PermanentError('the file is empty');
  const payload = bytes.subarray(lengthOfTags(bytes));
  if (payload.length === 0) {
    throw new PermanentError('the file holds a tag (ID3) and no music, or breaks off within the tag');
  }
  const format = probe(payload, PROBE_BYTES) ?? probe(payload, LONG_PROBE_BYTES);
  if (format === null || !ALLOWED_DEMUXERS.includes(format.name ?? '')) {
    throw new PermanentError(`${appearanceOf(payload)}: accepted are ${ACCEPTED_FORMATS}`);
  }
  return { format, payload };
}

function probe(payload: Uint8Array, length: number): InputFormat | null {
  const head = Buffer.alloc(Math.min(length, payload.length) + PROBE_PADDING_BYTES);
  head.set(payload.subarray(0, length));
  return InputFormat.probe(head.subarray(0, -PROBE_PADDING_BYTES));
}

const ID3_HEADER_BYTES = 10;
const ID3_FOOTER_FLAG = 0x10;

/** Length in bytes of the ID3v2 tags at the start, the whole file at most. Source: id3.org, id3v2.4.0. */
function lengthOfTags(bytes: Uint8Array): number {
  let at = 0;
  while (startsWith(bytes.subarray(at), 'ID3') && bytes.length - at >= ID3_HEADER_BYTES) {
    const size = bytes.subarray(at + 6, at + ID3_HEADER_BYTES);
    if (size.some((byte) => byte > 0x7f)) break;
    const footer = bytes[at + 5]! & ID3_FOOTER_FLAG ? ID3_HEADER_BYTES : 0;
    at += ID3_HEADER_BYTES + footer + size.reduce((sum, byte) => sum * 128 + byte, 0);
  }
  return Math.min(at, bytes.length);
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.subarray(0, text.length)).toString('latin1') === text;
}

/** How common text files that are no music begin. */
const TEXT_APPEARANCES: readonly [beginning: RegExp, appearance: string][] = [
  [/^\s*(<!doctype html|<html|<head|<body)/i, 'this is a web page (HTML), not music'],
  [/^\s*<(\?xml|[a-z])/i, 'this is an XML document, not music'],
  [/^\s*#EXTM3U/, 'this is a playlist (M3U), not the music it points to'],
  [/^\s*\[playlist\]/i, 'this is a playlist (PLS), not the music it points to'],
  [/^ffconcat version/, 'this is a script that joins other files, not music'],
  [/^\s*[[{]\s*["{[\]}]/, 'this is JSON text, not music'],
  [/^RIFF.{4}AVI /s, 'this is a video (AVI)'],
  [/^RIFF.{4}WEBP/s, 'this is a picture, not music'],
];

/** How common binary files that are no music begin, in hexadecimal. */
const BINARY_APPEARANCES: readonly [beginning: string, appearance: string][] = [
  ['25504446', 'this is a PDF, not music'],
  ['504b0304', 'this is a ZIP archive: unpack it first'],
  ['52617221', 'this is a RAR archive: unpack it first'],
  ['377abcaf', 'this is a 7-Zip archive: unpack it first'],
  ['1f8b', 'this is a gzip archive: unpack it first'],
  ['89504e47', 'this is a picture (PNG), not music'],
  ['ffd8ff', 'this is a picture (JPEG), not music'],
  ['47494638', 'this is a picture (GIF), not music'],
  ['4d546864', 'this is a MIDI file, which has notes but no sound'],
  ['3026b275', 'this is Windows Media (WMA, WMV)'],
  ['7f454c46', 'this is a program, not music'],
  ['4d5a', 'this is a program, not music'],
];

const UNKNOWN_APPEARANCE = 'this is no audio that can be recognised';

/** Say in plain words what something that is no accepted audio looks like. */
function appearanceOf(payload: Uint8Array): string {
  const head = Buffer.from(payload.subarray(0, 1_024));
  const characters = head.toString('latin1');
  const hexadecimal = head.toString('hex');
  return (
    TEXT_APPEARANCES.find(([beginning]) => beginning.test(characters))?.[1] ??
    BINARY_APPEARANCES.find(([beginning]) => hexadecimal.startsWith(beginning))?.[1] ??
    (head.every((byte) => byte === 0) ? 'this file begins with nothing but zeros' : undefined) ??
    (isText(head) ? 'this is text, not music' : UNKNOWN_APPEARANCE)
  );
}

/** UTF-8 without control characters; the last character of the piece may be cut. */
function isText(head: Buffer): boolean {
  const text = new TextDecoder('utf-8').decode(head, { stream: true });
  return !text.includes('\ufffd') && head.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));
}
