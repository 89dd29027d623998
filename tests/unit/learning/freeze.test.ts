import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../shared/errors.ts';
import { artistKey, isArtist } from '../../../shared/learning/artists.ts';
import { type FreezeTrack, freezeDataSet } from '../../../shared/learning/freeze.ts';
import { groupTracks } from '../../../shared/learning/groups.ts';
import { thresholdOf } from '../../../shared/learning/threshold.ts';

type Track = FreezeTrack<number>;
const options = { thresholdRule: 'median', testFraction: 0.15, holdoutFraction: 0.1, seed: 1 } as const;

function track(id: number, changes: Partial<Track> = {}): Track {
  const base = { id, artists: [`artist ${id}`], isrc: null, trackGroup: null, audioHash: null };
  return {
    ...base,
    contentHash: `hash ${String(id).padStart(4, '0')}`,
    popularity: (id * 37) % 101,
    ...changes,
  };
}

const many = (count: number, change: (id: number) => Partial<Track> = () => ({})): Track[] =>
  Array.from({ length: count }, (_, id) => track(id, change(id)));

const names = [
  '',
  'unknown',
  'Various Artists',
  'Nas',
  'NAS',
  'Náš',
  'Missy',
  'Rakim',
  'MF DOOM',
  'mf-doom',
  'Q-Tip',
  'Lauryn',
  'Big L',
];
const catalogue = fc
  .array(
    fc.record({
      artists: fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 0, max: 400 }).map((n) => [`artist ${n}`]) },
        { weight: 1, arbitrary: fc.array(fc.constantFrom(...names), { maxLength: 3 }) },
      ),
      isrc: fc.option(
        fc.integer({ min: 0, max: 300 }).map((n) => (n % 2 ? `US-AB1-00-${n}` : `usab100${n}`)),
      ),
      trackGroup: fc.option(
        fc.constantFrom('unknown', '', ...Array.from({ length: 60 }, (_, n) => `Song ${n}`)),
        { freq: 2 },
      ),
      content: fc.integer({ min: 0, max: 2000 }),
      audioHash: fc.option(fc.integer({ min: 0, max: 1500 }).map(String)),
      popularity: fc.option(fc.integer({ min: 0, max: 100 }), { freq: 20 }),
    }),
    { minLength: 60, maxLength: 250 },
  )
  .map((tracks) =>
    tracks.map(({ content, ...rest }, id): Track => ({ id, contentHash: `content ${content}`, ...rest })),
  );

/** Everything that two tracks may not share across sides, written apart from what is under test. */
function identities(t: Track): string[] {
  const recording = (text: string | null) => text !== null && text !== '' && text !== 'unknown';
  return [
    ...t.artists.filter(isArtist).map((name) => `a ${artistKey(name)}`),
    ...(recording(t.isrc) ? [`i ${t.isrc!.toLowerCase().replaceAll('-', '')}`] : []),
    ...(recording(t.trackGroup) ? [`g ${t.trackGroup!.toLowerCase()}`] : []),
    ...[`c ${t.contentHash}`, ...(t.audioHash ? [`h ${t.audioHash}`] : [])],
  ];
}

describe('freezeDataSet', () => {
  it('never has an artist, a recording or identical audio on two sides, whatever the catalogue', () => {
    let frozenOnes = 0;
    fc.assert(
      fc.property(catalogue, fc.integer({ min: 0, max: 1000 }), (tracks, seed) => {
        let frozen: ReturnType<typeof freezeDataSet<number>>;
        try {
          frozen = freezeDataSet(tracks, { ...options, seed });
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          return;
        }
        frozenOnes++;
        const sideOf = new Map<string, string>();
        for (const { id, split } of frozen.assignments) {
          for (const identity of identities(tracks[id]!)) {
            expect(sideOf.get(identity) ?? split, identity).toBe(split);
            sideOf.set(identity, split);
          }
        }
        expect(frozen.assignments.length + frozen.counts.unlabelled + frozen.counts.tied).toBe(tracks.length);
      }),
      { numRuns: 150, seed: 7 },
    );
    expect(frozenOnes).toBeGreaterThan(20);
  });

  it('does not depend on the order or the ids of the tracks', () => {
    const tracks = many(80, (id) => ({ artists: [`artist ${id % 37}`] }));
    const frozen = freezeDataSet(tracks, options);
    const other = freezeDataSet(
      [...tracks].reverse().map((t) => ({ ...t, id: 1000 - t.id })),
      options,
    );
    expect(other.contentHash).toBe(frozen.contentHash);
    expect(other.assignments.map(({ id, ...rest }) => rest)).toEqual(
      frozen.assignments.map(({ id, ...rest }) => rest),
    );
    expect(freezeDataSet(tracks, { ...options, seed: 2 }).contentHash).not.toBe(frozen.contentHash);
  });

  it('comes near the wanted fractions with both classes on every side', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { counts, threshold, assignments } = freezeDataSet(
        many(200, (id) => ({ artists: [`a ${id % 90}`] })),
        { ...options, seed },
      );
      expect(counts.holdout.tracks).toBeGreaterThanOrEqual(17);
      expect(counts.holdout.tracks).toBeLessThanOrEqual(20);
      expect(counts.test.tracks).toBeGreaterThanOrEqual(27);
      expect(counts.test.tracks).toBeLessThanOrEqual(30);
      for (const side of [counts.train, counts.test, counts.holdout]) {
        expect(side.popular / side.tracks).toBeGreaterThan(0.3);
        expect(side.popular / side.tracks).toBeLessThan(0.7);
      }
      const train = assignments.filter(({ split }) => split === 'train').map(({ popularity }) => popularity);
      expect(threshold).toBe(thresholdOf(train, 'median'));
      expect(assignments.every(({ popular, popularity }) => popular === popularity >= threshold)).toBe(true);
    }
  });

  it('keeps a group in train that is too large for a side', () => {
    const frozen = freezeDataSet(
      many(100, (id) => ({ artists: [id < 40 ? 'One' : `artist ${id}`] })),
      options,
    );
    const large = frozen.assignments.filter(({ id }) => id < 40);
    expect(new Set(large.map(({ split }) => split))).toEqual(new Set(['train']));
    expect(frozen.counts.largestGroup).toBe(40);
  });

  it('leaves out tracks without popularity and says how many', () => {
    const frozen = freezeDataSet(
      many(60, (id) => (id % 6 === 0 ? { popularity: null } : {})),
      options,
    );
    expect(frozen.counts).toMatchObject({ tracks: 50, unlabelled: 10 });
  });

  it.each([
    ['too few tracks', many(19), /at least 20 tracks.*there are 19/],
    ['one artist', many(40, () => ({ artists: ['Solo'] })), /1 group.*add other artists/],
    ['one popularity', many(40, () => ({ popularity: 50 })), /same popularity \(50\)/],
    ['no popularity', many(40, () => ({ popularity: null })), /there are 0 \(40 more have no popularity\)/],
  ])('refuses %s', (_, tracks, message) => {
    expect(() => freezeDataSet(tracks, options)).toThrow(UserError);
    expect(() => freezeDataSet(tracks, options)).toThrow(message);
  });

  it('refuses a threshold that gives one class, and fractions out of range', () => {
    expect(() => freezeDataSet(many(60), { ...options, thresholdRule: 200 })).toThrow(
      /are unpopular: choose one above/,
    );
    expect(() => freezeDataSet(many(60), { ...options, testFraction: 0 })).toThrow(/test fraction/);
    expect(() => freezeDataSet(many(60), { ...options, testFraction: 0.6, holdoutFraction: 0.4 })).toThrow(
      /a fifth/,
    );
  });

  it('takes 100,000 tracks in seconds', () => {
    const began = performance.now();
    const { counts } = freezeDataSet(
      many(100_000, (id) => ({ artists: [`a ${id % 30_011}`] })),
      options,
    );
    expect(counts.holdout.tracks).toBeGreaterThan(9_900);
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});

describe('groupTracks', () => {
  it('joins by chains of different ties', () => {
    const tracks = [
      track(1, { artists: ['A', 'B'] }),
      track(2, { artists: ['b.'], isrc: 'US-ABC-12-00001' }),
      track(3, { isrc: 'usabc1200001', trackGroup: 'x' }),
      track(4, { trackGroup: 'X ' }),
      track(5, { artists: ['unknown'], trackGroup: 'unknown', isrc: 'n/a' }),
      track(6, { artists: ['unknown'], trackGroup: 'unknown', isrc: 'n/a' }),
    ];
    expect(groupTracks(tracks)).toEqual([0, 0, 0, 0, 1, 2]);
  });
});

describe('thresholdOf', () => {
  it('is the median, or the next value where nothing is below it', () => {
    expect(thresholdOf([1, 2, 3, 4], 'median')).toBe(2.5);
    expect(thresholdOf([0, 0, 0, 7, 9], 'median')).toBe(7);
    expect(thresholdOf([5, 6, 7], 7)).toBe(7);
    expect(() => thresholdOf([5, 6, 7], 5)).toThrow(UserError);
    expect(() => thresholdOf([], 'median')).toThrow(UserError);
  });
});
