import { describe, expect, it } from 'vitest';
import {
  DeezerFates,
  lastingFault,
  previewFate,
  SearchFates,
  transientFault,
} from '../../../simulator/server/chaos.ts';
import { type ChaosKind, chaosKinds, chaosOf } from '../../../simulator/server/chaos-table.ts';

describe('chances', () => {
  it('are of the size that they should be, and unlike for each CDN and seed', () => {
    const count = 20_000;
    for (const [level, neverShare, transientShare] of [
      ['mild', 0.02, 0.05],
      ['wild', 0.06, 0.15],
    ] as const) {
      const chaos = chaosOf(level);
      const never = (seed: number, cdn: 'spotify' | 'deezer') => (recording: number) =>
        previewFate(seed, recording, level, cdn) === 'never';
      for (const cdn of ['spotify', 'deezer'] as const) {
        expect(shareOf(count, never(1, cdn)) / neverShare).toBeGreaterThan(0.85);
        expect(shareOf(count, never(1, cdn)) / neverShare).toBeLessThan(1.15);
        const fails = (recording: number) =>
          transientFault(1, recording, chaos, { cdn, attempt: 0 }) !== null;
        expect(shareOf(count, fails) / transientShare).toBeGreaterThan(0.9);
        expect(shareOf(count, fails) / transientShare).toBeLessThan(1.1);
      }
      const both = (recording: number) => never(1, 'spotify')(recording) && never(1, 'deezer')(recording);
      expect(shareOf(count, both)).toBeLessThan(3 * neverShare ** 2);
      const bothSeeds = (recording: number) =>
        never(1, 'spotify')(recording) && never(2, 'spotify')(recording);
      expect(shareOf(count, bothSeeds)).toBeLessThan(3 * neverShare ** 2);
      // Neighbours do not share their luck.
      const neighbours = (recording: number) =>
        never(1, 'spotify')(recording) && never(1, 'spotify')(recording + 1);
      expect(shareOf(count, neighbours)).toBeLessThan(3 * neverShare ** 2);
    }
    expect(shareOf(count, (recording) => previewFate(1, recording, 'none') === 'never')).toBe(0);
  });

  it('let every kind come up, on mild and on wild days', () => {
    for (const level of ['mild', 'wild'] as const) {
      const chaos = chaosOf(level);
      const seen = new Set<ChaosKind>();
      const searches = new SearchFates(1);
      const lookups = new DeezerFates(1);
      for (let index = 0; index < 10_000; index++) {
        const { delivery, content } = searches.next(chaos);
        const others = [
          lookups.next(chaos),
          lastingFault(1, index, chaos.rates, 'spotify')?.kind,
          transientFault(1, index, chaos, { cdn: 'spotify', attempt: 0 })?.kind,
        ];
        for (const kind of [delivery, ...content, ...others]) if (kind) seen.add(kind);
      }
      expect([...seen].sort()).toEqual([...chaosKinds].sort());
    }
    for (const kind of chaosKinds) expect(chaosOf('none').rates[kind]).toBe(0);
  });

  it('end transient faults after three attempts', () => {
    const chaos = chaosOf('none', { 'preview-503': 1 });
    const failures = Array.from({ length: 200 }, (_, recording) =>
      [0, 1, 2, 3].filter((attempt) => transientFault(1, recording, chaos, { cdn: 'spotify', attempt })),
    );
    for (const attempts of failures) expect(attempts).toEqual([0, 1, 2].slice(0, attempts.length));
    expect(new Set(failures.map(({ length }) => length))).toEqual(new Set([1, 2, 3]));
  });
});

/** How often something is true of numbers from 0. */
function shareOf(count: number, isTrue: (index: number) => boolean): number {
  let found = 0;
  for (let index = 0; index < count; index++) if (isTrue(index)) found++;
  return found / count;
}
