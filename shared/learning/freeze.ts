import { createHash } from 'node:crypto';
import { UserError } from '../errors.ts';
import { groupTracks, type Relations, withoutTies } from './groups.ts';
import { type Split, splitCandidates } from './split.ts';
import { type ThresholdRule, thresholdOf } from './threshold.ts';

/** A track that may enter a data set; those without popularity cannot be learned from and are left out. */
export interface FreezeTrack<Id> extends Relations {
  readonly id: Id;
  /** 0 to 100, or null when nobody has said. */
  readonly popularity: number | null;
}

export interface FreezeOptions {
  readonly thresholdRule: ThresholdRule;
  readonly testFraction: number;
  readonly holdoutFraction: number;
  readonly seed: number;
}

/** Where tracks were in an earlier data set: their groups stay there, so that models of both can be compared. */
export type EarlierSplits<Id> = ReadonlyMap<Id, Split>;

export interface Assignment<Id> {
  readonly id: Id;
  readonly contentHash: string;
  readonly popularity: number;
  readonly popular: boolean;
  readonly split: Split;
  readonly group: number;
}

export interface SideCounts {
  tracks: number;
  groups: number;
  popular: number;
}

export interface DataSetCounts extends Record<Split, SideCounts> {
  tracks: number;
  groups: number;
  /** Tracks in the largest group: what one artist or recording can weigh. */
  largestGroup: number;
  /** Tracks left out for want of a popularity. */
  unlabelled: number;
  /** Songs of several artists, left out because nearly all tracks would be one group with them. */
  tied: number;
}

export interface FrozenDataSet<Id> {
  /** In the order of content hashes. */
  readonly assignments: Assignment<Id>[];
  /** Popular means a popularity of at least this; fitted on train alone. */
  readonly threshold: number;
  readonly counts: DataSetCounts;
  /** sha256 over audio, labels, splits and groups; neither the input's order nor database ids enter. */
  readonly contentHash: string;
}

/** The least to learn from: below this a split into three sides leaves single tracks to judge by. */
const tracksAtLeast = 20;
const groupsAtLeast = 5;

function check(tracks: number, unlabelled: number, groups: number, options: FreezeOptions): void {
  const { testFraction, holdoutFraction } = options;
  for (const [name, fraction] of [
    ['test', testFraction],
    ['holdout', holdoutFraction],
  ] as const) {
    if (!(fraction > 0 && fraction < 1)) {
      throw new UserError(`the ${name} fraction must lie between 0 and 1, and is ${fraction}`);
    }
  }
  if (testFraction + holdoutFraction > 0.8) {
    throw new UserError('test and holdout together must leave at least a fifth of the tracks to train on');
  }
  if (tracks < tracksAtLeast) {
    throw new UserError(
      `a data set needs at least ${tracksAtLeast} tracks with a spectrogram and a popularity, and there are ${tracks}${unlabelled > 0 ? ` (${unlabelled} more have no popularity)` : ''}: ingest more, from a manifest with a popularity column`,
    );
  }
  if (groups < groupsAtLeast) {
    throw new UserError(
      `the ${tracks} tracks fall into ${groups} group${groups === 1 ? '' : 's'} of one artist or recording each, and a fair split needs at least ${groupsAtLeast}: add other artists, or check that the artist column is not the same for all`,
    );
  }
}

function countSide<Id>(assignments: readonly Assignment<Id>[], split: Split): SideCounts {
  const side = assignments.filter((assignment) => assignment.split === split);
  return {
    tracks: side.length,
    groups: new Set(side.map((assignment) => assignment.group)).size,
    popular: side.filter((assignment) => assignment.popular).length,
  };
}

/**
 * Freeze tracks into a data set: groups by artist, recording and identical audio, whole groups put on
 * train, test and holdout, the threshold fitted on train.
 *
 * @param earlier groups with tracks of an earlier data set stay on their side of it; a group that was on
 *   several goes to where models have learned the most from it: train before test before holdout.
 * @throws UserError when there is too little to learn from, saying what is missing.
 */
export function freezeDataSet<Id>(
  tracks: readonly FreezeTrack<Id>[],
  options: FreezeOptions,
  earlier: EarlierSplits<Id> = new Map(),
): FrozenDataSet<Id> {
  const usable = tracks
    .flatMap((track) =>
      track.popularity !== null && Number.isFinite(track.popularity)
        ? [{ ...track, popularity: track.popularity }]
        : [],
    )
    .sort((a, b) =>
      a.contentHash < b.contentHash ? -1 : a.contentHash > b.contentHash ? 1 : a.popularity - b.popularity,
    );
  const unlabelled = tracks.length - usable.length;
  const stays = withoutTies(usable);
  const labelled = usable.filter((_, index) => stays[index]);
  const group = groupTracks(labelled);
  const sizes = new Map<number, number>();
  for (const number of group) sizes.set(number, (sizes.get(number) ?? 0) + 1);
  check(labelled.length, unlabelled, sizes.size, options);

  const items = labelled.map(({ popularity }, index) => ({ popularity, group: group[index]! }));
  let problem: unknown;
  const settled = settledSides(
    labelled.map(({ id }) => earlier.get(id)),
    group,
  );
  for (const sides of splitCandidates(items, options, settled)) {
    try {
      const splitOf = (index: number): Split => sides.get(group[index]!) ?? 'train';
      const train = labelled
        .filter((_, index) => splitOf(index) === 'train')
        .map((track) => track.popularity);
      const threshold = thresholdOf(train, options.thresholdRule);
      const assignments = labelled.map(({ id, contentHash, popularity }, index) => ({
        ...{ id, contentHash, popularity, popular: popularity >= threshold },
        ...{ split: splitOf(index), group: group[index]! },
      }));
      const counts = {
        ...{ tracks: labelled.length, groups: sizes.size, unlabelled },
        tied: usable.length - labelled.length,
        largestGroup: [...sizes.values()].reduce((a, b) => Math.max(a, b), 0),
        train: countSide(assignments, 'train'),
        test: countSide(assignments, 'test'),
        holdout: countSide(assignments, 'holdout'),
      };
      refuseOneClass(counts);
      return { assignments, threshold, counts, contentHash: hashOf(assignments, threshold) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problem ??= error;
    }
  }
  throw problem;
}

/** The side of each group that has tracks of an earlier data set. */
function settledSides(earlier: readonly (Split | undefined)[], group: readonly number[]): Map<number, Split> {
  const settled = new Map<number, Split>();
  for (const split of ['holdout', 'test', 'train'] as const) {
    for (const [index, side] of earlier.entries()) if (side === split) settled.set(group[index]!, split);
  }
  return settled;
}

function refuseOneClass(counts: DataSetCounts): void {
  for (const split of ['train', 'test', 'holdout'] as const) {
    const { tracks, groups, popular } = counts[split];
    if (popular > 0 && popular < tracks) continue;
    const found =
      tracks === 0
        ? 'no tracks'
        : `${tracks} tracks of ${groups} groups, all ${popular > 0 ? 'popular' : 'unpopular'}`;
    throw new UserError(
      `no split of the ${counts.tracks} tracks in ${counts.groups} groups (largest: ${counts.largestGroup}) gives popular and unpopular tracks on every side (the ${split} side has ${found}): add tracks of more artists, choose another threshold, or give ${split === 'train' ? 'the other sides a smaller' : `${split} a larger`} fraction`,
    );
  }
}

function hashOf<Id>(assignments: readonly Assignment<Id>[], threshold: number): string {
  const lines = assignments.map(
    ({ contentHash, popularity, split, group }) => `${contentHash} ${popularity} ${split} ${group}\n`,
  );
  return createHash('sha256').update(`threshold ${threshold}\n`).update(lines.join('')).digest('hex');
}
