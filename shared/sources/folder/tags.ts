/** What an audio file says about itself. */
import { basename, extname } from 'node:path';
import { parseFile } from 'music-metadata';
import { distinctNames, parseArtists, parseIsrc } from './cells.ts';
import { parseReleaseDate } from './release-date.ts';
import { cleanText } from './text-encoding.ts';
import type { CatalogueRow } from './types.ts';

/** The tags of one file. */
export interface Tags
  extends Pick<CatalogueRow, 'artists' | 'album' | 'genre' | 'releaseDate' | 'isrc' | 'durationMs'> {
  title: string | null;
}

export const noTags: Tags = {
  title: null,
  artists: [],
  album: null,
  genre: null,
  releaseDate: null,
  isrc: null,
  durationMs: null,
};

/**
 * Read a file's tags. The audio itself is not decoded, and a tag that makes no sense is left out.
 * @returns null when the tags cannot be read, which says nothing about the audio
 */
export async function readTags(path: string): Promise<Tags | null> {
  let metadata: Awaited<ReturnType<typeof parseFile>>;
  try {
    metadata = await parseFile(path, { skipCovers: true, duration: false });
  } catch {
    // A hostile or unknown container: the audio stage gives the reason, should there be no audio either.
    return null;
  }
  const { common, format } = metadata;
  const artists = common.artists ?? (common.artist ? [common.artist] : []);
  const date = common.date ?? common.releasedate ?? common.originaldate ?? common.year?.toString() ?? '';
  return {
    title: textOrNull(common.title),
    artists: distinctNames(artists.flatMap((artist) => parseArtists(cleanText(artist)))),
    album: textOrNull(common.album),
    genre: textOrNull(common.genre?.join('; ')),
    releaseDate: parseReleaseDate(cleanText(date)).value,
    isrc: (common.isrc ?? []).map((code) => parseIsrc(cleanText(code)).value).find(Boolean) ?? null,
    durationMs: durationOf(format.duration),
  };
}

/** A file's name without folder and extension: the title of a song that has no other. */
export function titleOfPath(path: string): string {
  return cleanText(basename(path, extname(path))) || basename(path);
}

function textOrNull(text: string | undefined): string | null {
  return cleanText(text ?? '') || null;
}

/** @param seconds of the container's header, which may lie */
function durationOf(seconds: number | undefined): number | null {
  const day = 86_400;
  return seconds !== undefined && seconds > 0 && seconds < day ? Math.round(seconds * 1000) : null;
}
