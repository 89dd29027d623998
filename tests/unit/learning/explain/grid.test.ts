import { describe, expect, it } from 'vitest';
import { spectrogramParameters } from '../../../../shared/audio/parameters.ts';
import { gridOf, placementOf, segmentCount } from '../../../../shared/learning/explain/grid.ts';
import { taggerInput } from '../../../../shared/tagger/input.ts';
import { patchFrames } from '../../../../shared/tagger/weights.ts';

const parameters = spectrogramParameters();

describe('gridOf', () => {
  it('lays stretches of about 1.5 s and eight bands over half a minute, without gaps', () => {
    const { stretches, groups } = gridOf([{ start: 0, end: 30 }], parameters);
    expect(stretches).toHaveLength(20);
    expect(groups.map(({ name }) => name)).toEqual([
      ...['sub-bass', 'bass', 'low mids', 'mids', 'upper mids', 'presence', 'brilliance', 'air'],
    ]);
    for (const [index, { fromSeconds }] of stretches.entries()) {
      expect(fromSeconds).toBe(index === 0 ? 0 : stretches[index - 1]!.toSeconds);
    }
    for (const [index, { fromHz }] of groups.entries()) {
      expect(fromHz).toBe(index === 0 ? 0 : groups[index - 1]!.toHz);
    }
    expect([stretches.at(-1)!.toSeconds, groups.at(-1)!.toHz]).toEqual([30, 11_025]);
  });

  it.each([0.5, 3, 12, 47, 600])('stays within bounds for %d s', (seconds) => {
    const { stretches } = gridOf([{ start: 5, end: 5 + seconds }], parameters);
    expect(stretches.length).toBeLessThanOrEqual(41);
    expect(stretches[0]!.fromSeconds).toBe(5);
    expect(stretches.at(-1)!.toSeconds).toBe(5 + seconds);
    expect(Math.min(...stretches.map((one) => one.toSeconds - one.fromSeconds))).toBeGreaterThan(0.18);
  });

  it('puts the edges where patches of the tagger meet, also where it listens to another part', () => {
    const grid = gridOf(
      [
        { start: 40, end: 70 },
        { start: 40.01, end: 70.01 },
      ],
      parameters,
    );
    const { stretchOf } = placementOf(grid, taggerInput, 1_876, 40.01);
    for (let patch = 1; patch < 10; patch++) {
      expect(stretchOf[patch * patchFrames]).toBe(stretchOf[patch * patchFrames - 1]! + 1);
    }
  });
});

describe('placementOf', () => {
  it('gives each frame and band its segment, and none to what lies outside', () => {
    const grid = gridOf([{ start: 10, end: 22 }], parameters);
    const { stretchOf, groupOf } = placementOf(grid, parameters, 600, 9);
    expect(stretchOf[0]).toBe(-1);
    expect(new Set(stretchOf)).toEqual(new Set([-1, ...grid.stretches.keys()]));
    expect(new Set(groupOf)).toEqual(new Set(grid.groups.keys()));
    expect(segmentCount(grid)).toBe(grid.stretches.length * 8);
  });
});
