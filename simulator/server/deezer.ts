/** Deezer's API: a recording by its ISRC. Its errors are JSON with status 200. */
import express, { type Response, type Router } from 'express';
import type { DeezerTrack, WorldTrack } from '../world/types.ts';
import { type Answer, jsonAnswer, send } from './answers.ts';
import { DeezerFates } from './chaos.ts';
import type { Context } from './context.ts';
import { RollingWindow } from './limits.ts';
import { previewHash } from './preview-address.ts';

export function deezerRouter(context: Context): Router {
  const router = express.Router();
  const fates = new DeezerFates(context.world.seed);
  const window = new RollingWindow();
  router.get('/track/isrc\\::isrc', (req, res) => {
    const { deezerLimit, deezerWindowSeconds } = context.live;
    if (window.take(performance.now(), deezerLimit, deezerWindowSeconds * 1000) > 0) {
      return send(res, quotaError);
    }
    const fault = fates.next(context.chaos);
    if (fault) context.counters.struck(fault);
    if (fault === 'deezer-quota') return send(res, quotaError);
    if (fault === 'deezer-5xx') return send(res, jsonAnswer(503, { error: 'Service Unavailable' }));
    // The path's colon confuses Express' types, not Express.
    const { isrc } = req.params as unknown as { isrc: string };
    const answer = lookUp(context, isrc);
    if (fault === 'deezer-malformed') {
      return send(res, { ...answer, body: Buffer.concat([Buffer.from('<br />\n'), answer.body]) });
    }
    sendLookup(context, res, answer);
  });
  return router;
}

const quotaError = jsonAnswer(200, {
  error: { type: 'Exception', message: 'Quota limit exceeded', code: 4 },
});
const noData = jsonAnswer(200, { error: { type: 'DataException', message: 'no data', code: 800 } });

function sendLookup(context: Context, res: Response, answer: Answer): void {
  context.counters.deezerLookups++;
  send(res, answer);
}

function lookUp({ world, origin }: Context, isrc: string): Answer {
  const recording = world.findIsrc(isrc);
  const known = recording === null ? null : world.deezer(recording);
  if (recording === null || known === null) return noData;
  const preview = known.hasPreview ? `${origin}/stream/${previewHash(world.seed, recording)}.mp3` : '';
  return jsonAnswer(200, deezerJson(known, world.track(recording), preview));
}

function deezerJson(known: DeezerTrack, track: WorldTrack, preview: string): Record<string, unknown> {
  const [main] = track.artists;
  return {
    id: known.id,
    readable: true,
    title: track.title,
    isrc: track.isrc,
    link: `https://www.deezer.com/track/${known.id}`,
    duration: Math.round(track.durationMs / 1000),
    track_position: track.trackNumber,
    rank: known.rank,
    release_date: track.album.releaseDate,
    explicit_lyrics: track.explicit,
    preview,
    artist: { name: main?.name ?? '', type: 'artist' },
    album: { title: track.album.name, type: 'album' },
    type: 'track',
  };
}
