/** Write the tags of an MP3: ID3v2.4.0 (https://id3.org/id3v2.4.0-structure). */

export interface SongTags {
  title: string;
  artists: readonly string[];
  album: string;
  genre: string;
  /** YYYY-MM-DD */
  releaseDate: string;
  isrc: string;
}

/** @returns a tag to be put in front of the audio */
export function encodeTag(tags: SongTags): Buffer {
  const frames = Buffer.concat([
    textFrame('TIT2', tags.title),
    textFrame('TPE1', tags.artists.join('\0')),
    textFrame('TALB', tags.album),
    textFrame('TCON', tags.genre),
    textFrame('TDRC', tags.releaseDate),
    textFrame('TSRC', tags.isrc),
  ]);
  const version = [4, 0];
  const flags = [0];
  return Buffer.concat([
    Buffer.from('ID3'),
    Buffer.from([...version, ...flags]),
    synchsafe(frames.length),
    frames,
  ]);
}

function textFrame(id: string, text: string): Buffer {
  const utf8 = 3;
  const body = Buffer.concat([Buffer.from([utf8]), Buffer.from(text, 'utf8')]);
  return Buffer.concat([Buffer.from(id), synchsafe(body.length), Buffer.from([0, 0]), body]);
}

/** Four bytes of seven bits: sizes must not look like an MP3's frame header. */
function synchsafe(size: number): Buffer {
  return Buffer.from([(size >> 21) & 127, (size >> 14) & 127, (size >> 7) & 127, size & 127]);
}
