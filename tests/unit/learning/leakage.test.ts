import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../shared/errors.ts';
import { type FoldPlan, planFolds } from '../../../shared/learning/cross-validation.ts';
import { type FreezeTrack, freezeDataSet } from '../../../shared/learning/freeze.ts';
import { planSources } from '../../../shared/learning/studies.ts';

/** A catalogue with few names, so that artists, recordings and audio are shared in every way. */
const catalogue = fc
  .array(
    fc.record({
      artists: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 3 }),
      isrc: fc.option(fc.integer({ min: 0, max: 40 })),
      trackGroup: fc.option(fc.integer({ min: 0, max: 40 })),
      audio: fc.integer({ min: 0, max: 60 }),
      popularity: fc.integer({ min: 0, max: 100 }),
      source: fc.option(fc.integer({ min: 0, max: 3 })),
    }),
    { minLength: 30, maxLength: 120 },
  )
  .map((rows) =>
    rows.map((row, id) => ({
      ...{ id, popularity: row.popularity, source: row.source === null ? null : `label ${row.source}` },
      contentHash: `file ${row.audio} ${id % 2}`,
      audioHash: `sound ${row.audio}`,
      artists: row.artists.map((artist) => `Artist ${artist}`),
      isrc: row.isrc === null ? null : `US${row.isrc}`,
      trackGroup: row.trackGroup === null ? null : `cuts ${row.trackGroup}`,
    })),
  );

type Track = FreezeTrack<number> & { source: string | null };

/** What two tracks must not share across a split. */
const traits = (track: Track): string[] => [
  ...track.artists.map((artist) => `artist ${artist}`),
  ...[`sound ${track.audioHash}`, `file ${track.contentHash}`],
  ...(track.isrc === null ? [] : [`isrc ${track.isrc}`]),
  ...(track.trackGroup === null ? [] : [`cuts ${track.trackGroup}`]),
];

function shareNothing(sides: readonly (readonly Track[])[]): void {
  const owner = new Map<string, number>();
  for (const [side, tracks] of sides.entries()) {
    for (const trait of tracks.flatMap(traits)) {
      expect(owner.get(trait) ?? side, trait).toBe(side);
      owner.set(trait, side);
    }
  }
}

describe('leakage', () => {
  it('puts no artist, recording or identical audio on two sides of a split, a fold or a study, ever', () => {
    let frozen = 0;
    fc.assert(
      fc.property(catalogue, fc.integer({ min: 0, max: 1000 }), (tracks: Track[], seed) => {
        const options = { thresholdRule: 'median', testFraction: 0.2, holdoutFraction: 0.2, seed } as const;
        let assignments: ReturnType<typeof freezeDataSet<number>>['assignments'];
        try {
          assignments = freezeDataSet(tracks, options).assignments;
        } catch (error) {
          // Such a catalogue cannot be split at all, and the program says so.
          expect(error).toBeInstanceOf(UserError);
          return;
        }
        frozen++;
        const side = (split: string) =>
          assignments.filter((one) => one.split === split).map(({ id }) => tracks[id]!);
        shareNothing([side('train'), side('test'), side('holdout')]);

        const records = assignments.map(({ id, popularity, group }) => ({
          ...{ popularity, group, source: tracks[id]!.source, artist: null, year: null },
        }));
        const tracksOf = (examples: FoldPlan['train']) =>
          examples.map(({ index }) => tracks[assignments[index]!.id]!);
        const groups = new Set(records.map(({ group }) => group)).size;
        const plans = [
          ...planFolds(records, Math.min(4, groups), { seed, rule: 'median', usesValidation: true }),
          ...planSources(records, 'median'),
        ];
        for (const { train, validation, heldOut } of plans) {
          shareNothing([tracksOf(train), tracksOf(validation), tracksOf(heldOut)]);
        }
      }),
      { numRuns: 150 },
    );
    expect(frozen).toBeGreaterThan(50);
  });
});
