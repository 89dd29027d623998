/** What the simulated catalogue holds: the contract between the world and the servers that show it. */

import type { Style } from '../style.ts';

export interface WorldArtist {
  /** 22 characters of base 62, as Spotify's. */
  id: string;
  name: string;
}

export interface WorldAlbum {
  id: string;
  name: string;
  type: 'album' | 'single' | 'compilation';
  /** As precise as `releaseDatePrecision` says: 2019, 2019-05 or 2019-05-17. */
  releaseDate: string;
  releaseDatePrecision: 'year' | 'month' | 'day';
  totalTracks: number;
  artists: WorldArtist[];
}

/** One track, made from the seed whenever it is asked for. */
export interface WorldTrack {
  /** 0 to tracks - 1 */
  index: number;
  id: string;
  title: string;
  /** The main artist first, then the guests. */
  artists: WorldArtist[];
  album: WorldAlbum;
  trackNumber: number;
  durationMs: number;
  explicit: boolean;
  isrc: string;
  /** 0 to 100 */
  popularity: number;
  /** Whether Spotify offers a preview; about one track in five has none. */
  hasPreview: boolean;
  /** Index of the first release of this recording: the same ISRC, sound and preview address. */
  recording: number;
}

/** What Deezer knows of a recording; it knows not all, and has no preview of some. */
export interface DeezerTrack {
  id: number;
  /** Grows with popularity, 0 to about 1,000,000. */
  rank: number;
  hasPreview: boolean;
}

export interface SearchAnswer {
  /** All that match, before any cap. */
  total: number;
  /** Track indices in the order of the results, at most the first 1,000. */
  first: Uint32Array;
}

/** How the search takes the operators NOT and OR; the real one has done each of these. */
export type Operators = 'honoured' | 'ignored' | 'literal';

export interface World {
  readonly tracks: number;
  readonly seed: number;
  track(index: number): WorldTrack;
  /** The index of a Spotify id, or null. */
  find(id: string): number | null;
  /** The first release of a recording, or null. */
  findIsrc(isrc: string): number | null;
  deezer(recording: number): DeezerTrack | null;
  /** @throws QueryError for what Spotify would answer with 400 */
  search(q: string, options: { market: string | null; operators: Operators }): SearchAnswer;
  /** What a recording sounds like: the planted rule is in it. */
  style(recording: number): Style;
  /** The preview of a recording as an MP3 file's bytes; costly, to be cached by the caller. */
  renderPreview(recording: number, seconds: number): Buffer;
}

/** A query that the search refuses: an HTTP status 400 with this message. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}
