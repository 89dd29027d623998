/** What a search answers, reduced to what is kept, and checked: an answer may be cut or malformed. */
import { z } from 'zod';

/** PostgreSQL keeps no NUL. */
const text = z.string().transform((given) => given.replaceAll('\0', ''));
const id = text.pipe(z.string().min(1));
const artist = z.object({ id, name: text });
const track = z.object({
  id,
  name: text,
  // One that does not fit its column is not worth the page.
  duration_ms: z.int32().min(0).nullish().catch(null),
  explicit: z.boolean().nullish(),
  popularity: z.number().min(0).max(100).nullish(),
  preview_url: text.nullish(),
  external_ids: z.object({ isrc: text.nullish() }).nullish(),
  artists: z.array(artist),
  album: z.object({
    id,
    name: text,
    album_type: text.nullish(),
    release_date: z.string().nullish(),
    artists: z.array(artist).nullish(),
  }),
});
const answer = z.object({
  tracks: z.object({ total: z.int32().min(0), items: z.array(track.nullable()) }),
});

export interface SpotifyTrack {
  id: string;
  title: string;
  artists: { id: string; name: string }[];
  album: {
    id: string;
    title: string;
    type: string | null;
    releaseDate: string | null;
    artists: { id: string; name: string }[];
  };
  isrc: string | null;
  durationMs: number | null;
  explicit: boolean | null;
  /** 0 to 100; null where the quota mode does not show it. */
  popularity: number | null;
  /** https address; null where there is none or the quota mode does not show it. */
  previewUrl: string | null;
}

export interface SearchRows {
  /** How many results the search promises; it may stop counting at 1,000, and it may waver. */
  total: number;
  tracks: SpotifyTrack[];
  /** Whether popularity is shown at all: development mode does not. */
  showsPopularity: boolean;
}

/** @throws Error when it is not what the search is documented to answer: worth another try */
export function readSearchAnswer(body: unknown): SearchRows {
  const parsed = answer.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new Error(`Spotify's answer is malformed at ${issue.path.join('.') || 'its beginning'}`);
  }
  const { total, items } = parsed.data.tracks;
  const rows = items.filter((item) => item !== null);
  return {
    total,
    tracks: rows.map(readTrack),
    showsPopularity: rows.some((row) => row.popularity !== undefined),
  };
}

function readTrack(row: z.infer<typeof track>): SpotifyTrack {
  const { album } = row;
  return {
    ...{
      id: row.id,
      title: row.name,
      artists: row.artists,
      isrc: row.external_ids?.isrc?.toUpperCase() ?? null,
    },
    album: {
      ...{ id: album.id, title: album.name, type: album.album_type ?? null, artists: album.artists ?? [] },
      releaseDate: wholeDate(album.release_date ?? ''),
    },
    durationMs: row.duration_ms ?? null,
    explicit: row.explicit ?? null,
    popularity: row.popularity ?? null,
    previewUrl: row.preview_url ?? null,
  };
}

/** A release date known to the year or month only becomes its first day; null where it is no date. */
function wholeDate(text: string): string | null {
  const match = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?$/.exec(text);
  if (!match || match[1] === '0000') return null;
  const date = `${match[1]}-${match[2] ?? '01'}-${match[3] ?? '01'}`;
  const time = Date.parse(date);
  // 30 February is taken for a day of March.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date ? null : date;
}
