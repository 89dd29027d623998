import fc from 'fast-check';
import { expect, it } from 'vitest';
import { UserError } from '../../../shared/errors.ts';
import { type FreezeTrack, freezeDataSet } from '../../../shared/learning/freeze.ts';
import { relationKeys } from '../../../shared/learning/groups.ts';
import type { Split } from '../../../shared/learning/split.ts';

type Track = FreezeTrack<number>;
type Frozen = ReturnType<typeof freezeDataSet<number>>;

const options = { thresholdRule: 'median', testFraction: 0.15, holdoutFraction: 0.1, seed: 1 } as const;
const splitsOf = ({ assignments }: Frozen) => new Map(assignments.map(({ id, split }) => [id, split]));

/** Songs of few artists and recordings, so that new ones tie old groups together. */
const catalogue = fc
  .array(
    fc.record({
      artists: fc.array(
        fc.integer({ min: 0, max: 150 }).map((n) => `artist ${n}`),
        { minLength: 1, maxLength: 2 },
      ),
      recording: fc.option(fc.integer({ min: 0, max: 200 }), { freq: 3 }),
      popularity: fc.integer({ min: 0, max: 100 }),
    }),
    { minLength: 60, maxLength: 200 },
  )
  .map((list) =>
    list.map(
      ({ artists, recording, popularity }, id): Track => ({
        ...{ id, artists, popularity, isrc: null, audioHash: null, contentHash: `content ${id}` },
        trackGroup: recording === null ? null : `song ${recording}`,
      }),
    ),
  );

function frozen(tracks: readonly Track[], seed: number, earlier?: Map<number, Split>): Frozen | null {
  try {
    return freezeDataSet(tracks, { ...options, seed }, earlier);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return null;
  }
}

it('keeps the holdout of an earlier data set apart from all that was learned from, whatever is added', () => {
  let grown = 0;
  fc.assert(
    fc.property(catalogue, fc.integer({ min: 0, max: 1000 }), (tracks, seed) => {
      const before = frozen(tracks.slice(0, Math.ceil(tracks.length * 0.7)), seed);
      if (!before) return;
      const earlier = splitsOf(before);
      const after = frozen(tracks, seed + 1, earlier);
      if (!after) return;
      grown++;
      const splits = splitsOf(after);
      const groupOf = new Map(after.assignments.map(({ id, group }) => [id, group]));
      const sidesOf = new Map<string, Set<string>>();
      for (const { id, split } of after.assignments) {
        const was = earlier.get(id);
        // What models have learned from is never judged by; what was judged by is only learned from where
        // a new song has tied it to what was learned from.
        if (was === 'train') expect(split).toBe('train');
        if (was === 'test') expect(split).not.toBe('holdout');
        if (was === 'holdout' && split !== 'holdout') {
          const tied = [...splits.keys()].filter((other) => groupOf.get(other) === groupOf.get(id));
          expect(tied.some((other) => ['train', 'test'].includes(earlier.get(other) ?? ''))).toBe(true);
        }
        for (const key of relationKeys(tracks[id]!)) {
          sidesOf.set(key, (sidesOf.get(key) ?? new Set()).add(split));
        }
      }
      for (const [key, sides] of sidesOf) expect(sides.size, key).toBe(1);
    }),
    { numRuns: 60, seed: 11 },
  );
  expect(grown).toBeGreaterThan(10);
});

const alone = (count: number): Track[] =>
  Array.from({ length: count }, (_, id) => ({
    ...{ id, artists: [`artist ${id}`], isrc: null, trackGroup: null, audioHash: null },
    ...{ contentHash: `content ${String(id).padStart(4, '0')}`, popularity: (id * 37) % 101 },
  }));

it('gives the same data set again where nothing is new, even with another seed', () => {
  const before = freezeDataSet(alone(100), options);
  const after = freezeDataSet(alone(100), { ...options, seed: 9 }, splitsOf(before));
  expect(after.contentHash).toBe(before.contentHash);
});

it('fills the sides with what is new', () => {
  const before = freezeDataSet(alone(100), options);
  const after = freezeDataSet(alone(200), options, splitsOf(before));
  expect(before.counts).toMatchObject({ holdout: { tracks: 10 }, test: { tracks: 15 } });
  expect(after.counts).toMatchObject({ holdout: { tracks: 20 }, test: { tracks: 30 } });
  const kept = after.assignments.filter(({ id, split }) => split === 'holdout' && id < 100);
  expect(kept).toHaveLength(10);
});
