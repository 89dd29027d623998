/** Stage lookup: ask Deezer for the preview or the popularity of a track that its source does not give. */
import type { Database } from '../shared/database/index.ts';
import { PermanentError } from '../shared/errors.ts';
import type { NextJob } from '../shared/queues/queues.ts';
import { hasExpired } from '../shared/sources/deezer/address.ts';
import { createDeezer, type Deezer } from '../shared/sources/deezer/index.ts';
import {
  crawlThatWaits,
  findLookupTrack,
  type LookupTrack,
  putBack,
  storeLocation,
  storeRank,
  storeRecordingLocation,
} from '../shared/sources/deezer/tracks.ts';
import type { LookupPayload } from '../shared/stages.ts';
import { markFailed } from './audio-subject.ts';
import type { Handler, JobContext, Outcome, Services } from './handler.ts';

export function buildLookup(services: Services): Handler<'lookup'> {
  const { database, config } = services;
  const deezer = createDeezer(config.outside.deezer);
  return {
    stage: 'lookup',
    run: (payload, context) => lookUp(payload, context, services, deezer),
    fail: async (payload, reason) => {
      const { trackId, crawlId, parametersHash } = payload;
      const track = await findLookupTrack(database, payload);
      if (!track) return null;
      const subject = { subject: track.title, trackId, crawlId };
      if (parametersHash === null) return { subject };
      // The popularity alone is missing: the audio goes its way.
      if (hasAddress(track)) return { subject, next: previewOf(payload, track) };
      await markFailed(database, { kind: 'track', id: trackId, parametersHash }, reason, { forget: false });
      return { subject };
    },
    // A crawl that sees the track for the first time tries again what failed before.
    askedAgain: async ({ trackId, parametersHash }) => {
      if (parametersHash === null) return [];
      const crawlId = await crawlThatWaits(database, trackId);
      return crawlId === null ? [] : [{ stage: 'lookup', payload: { trackId, crawlId, parametersHash } }];
    },
  };
}

async function lookUp(
  payload: LookupPayload,
  context: JobContext,
  { database }: Services,
  deezer: Deezer,
): Promise<Outcome> {
  const { trackId, parametersHash } = payload;
  const track = await findLookupTrack(database, payload);
  if (!track) return { outcome: 'skipped', why: 'its row is gone' };
  if (!track.wanted) {
    if (parametersHash !== null) await putBack(database, trackId);
    return { outcome: 'skipped', why: 'its crawl was cancelled' };
  }

  const lacked = !hasAddress(track);
  const missing = await takeFromSibling(trackId, track, database);
  if (missing.rank || (missing.address && parametersHash !== null)) {
    const found = track.isrc === null ? null : await deezer.lookup(track.isrc, context.signal);
    if (missing.rank && typeof found?.rank === 'number') {
      await storeRank(database, { trackId, rank: found.rank, crawlIds: track.unread });
      missing.rank = false;
    }
    if (missing.address && found?.preview) {
      const { isrc, source, location: expired } = track;
      await storeRecordingLocation(database, { isrc: isrc!, source, expired }, found.preview);
      missing.address = false;
    }
  }
  if (missing.address && parametersHash !== null) throw new PermanentError(nothingOffered(track));
  if (track.failedBefore) {
    await database.prisma.failure.updateMany({
      where: { trackId, stage: 'lookup', state: { in: ['open', 'retried'] } },
      data: { state: 'resolved' },
    });
  }
  return {
    outcome: 'done',
    ...(missing.rank ? { note: `its popularity stays unknown: ${whyUnknown(track)}` } : {}),
    // An address that was looked up for a track that is ready is wanted for its embedding.
    next: previewOf(payload, { ready: track.ready && !lacked }),
  };
}

/** Use what is known of the same recording on another album. Returns what is missing all the same. */
async function takeFromSibling(
  trackId: number,
  track: LookupTrack,
  database: Database,
): Promise<{ address: boolean; rank: boolean }> {
  const { sibling, siblingRank, unread } = track;
  const missing = { address: !hasAddress(track), rank: unread.length > 0 };
  if (missing.address && sibling && hasAddress(sibling)) {
    await storeLocation(database, trackId, sibling.location);
    missing.address = false;
  }
  if (missing.rank && siblingRank !== null) {
    await storeRank(database, { trackId, rank: siblingRank, crawlIds: unread });
    missing.rank = false;
  }
  return missing;
}

/** An address that has expired has served when the audio was fetched before. */
function hasAddress({ location, fetched }: { location: string | null; fetched: boolean }): boolean {
  return location !== null && (fetched || !hasExpired(location, Date.now()));
}

function previewOf(
  { trackId, parametersHash }: LookupPayload,
  { ready }: Pick<LookupTrack, 'ready'>,
): NextJob[] {
  if (parametersHash === null || ready) return [];
  return [{ stage: 'preview', payload: { kind: 'track', id: trackId, parametersHash } }];
}

function nothingOffered(track: LookupTrack): string {
  const what = 'neither Spotify nor Deezer offers a preview of this recording';
  return track.isrc === null ? `${what}: ${whyUnknown(track)}` : what;
}

function whyUnknown({ isrc }: LookupTrack): string {
  return isrc === null
    ? 'it has no ISRC, by which Deezer could be asked'
    : `Deezer does not know it (ISRC ${isrc})`;
}
