import { describe, expect, it } from 'vitest';
import { sourceNames } from '../../shared/data-sets/origins.ts';

const files = (label: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${label}/songs/${i}.ogg`);

describe('sourceNames', () => {
  it('names sources by as few words as tell them apart', () => {
    const names = sourceNames([...files('Some label', 6), ...files('Some collection', 6), 'Else']);
    expect(new Set(names)).toEqual(new Set(['Some label', 'Some collection', 'Else']));
  });

  it('names nothing where nothing is said', () => {
    expect(sourceNames([null, '', 'unknown', '-'])).toEqual([null, null, null, null]);
    expect(sourceNames([])).toEqual([]);
  });

  it('leaves out files that no two share a beginning of', () => {
    expect(new Set(sourceNames(['a/1', 'b/2', 'c/3', 'd/4', 'e/5', 'f/6'])).size).toBe(1);
  });
});
