/** Tracks as Spotify's Web API writes them (https://developer.spotify.com/documentation/web-api/reference/search). */
import { createHash } from 'node:crypto';
import type { WorldAlbum, WorldArtist, WorldTrack } from '../world/types.ts';
import { previewHash } from './preview-address.ts';

/** Where everything is to be had; the real list has some 180 countries and only makes answers longer. */
const markets = ['AT', 'AU', 'BR', 'CA', 'CH', 'DE', 'ES', 'FR', 'GB', 'IT', 'JP', 'MX', 'NL', 'SE', 'US'];

export interface TrackView {
  origin: string;
  seed: number;
  /** With one, the answer says `is_playable` and no longer lists the markets. */
  market: string | null;
  quota: 'extended' | 'development';
}

export function trackJson(track: WorldTrack, view: TrackView): Record<string, unknown> {
  const { origin, seed, market, quota } = view;
  const everywhere = market === null ? { available_markets: markets } : {};
  const preview = `${origin}/mp3-preview/${previewHash(seed, track.recording)}?cid=${clientId}`;
  // Development mode lost both in 2024 and 2026: the keys are missing, not null.
  const extended = {
    popularity: track.popularity,
    preview_url: track.hasPreview ? preview : null,
  };
  return {
    album: albumJson(track.album, origin, everywhere),
    artists: track.artists.map((artist) => artistJson(artist, origin)),
    ...everywhere,
    disc_number: 1,
    duration_ms: track.durationMs,
    explicit: track.explicit,
    external_ids: { isrc: track.isrc },
    ...linksOf('track', track.id, origin),
    is_local: false,
    ...(market === null ? {} : { is_playable: true }),
    name: track.title,
    ...(quota === 'extended' ? extended : {}),
    track_number: track.trackNumber,
    type: 'track',
  };
}

/** Spotify puts the asking application into preview addresses; ours is always the same. */
const clientId = createHash('md5').update('hiphop-popularity').digest('hex');

function albumJson(album: WorldAlbum, origin: string, everywhere: object): Record<string, unknown> {
  const cover = createHash('sha1').update(album.id).digest('hex');
  return {
    album_type: album.type,
    artists: album.artists.map((artist) => artistJson(artist, origin)),
    ...everywhere,
    ...linksOf('album', album.id, origin),
    images: [640, 300, 64].map((size) => ({
      height: size,
      width: size,
      url: `${origin}/image/${cover}-${size}`,
    })),
    name: album.name,
    release_date: album.releaseDate,
    release_date_precision: album.releaseDatePrecision,
    total_tracks: album.totalTracks,
    type: 'album',
  };
}

function artistJson(artist: WorldArtist, origin: string): Record<string, unknown> {
  return { ...linksOf('artist', artist.id, origin), name: artist.name, type: 'artist' };
}

function linksOf(kind: 'track' | 'album' | 'artist', id: string, origin: string): Record<string, unknown> {
  return {
    external_urls: { spotify: `https://open.spotify.com/${kind}/${id}` },
    href: `${origin}/v1/${kind}s/${id}`,
    id,
    uri: `spotify:${kind}:${id}`,
  };
}
