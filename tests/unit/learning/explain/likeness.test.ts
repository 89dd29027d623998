import { describe, expect, it } from 'vitest';
import { cosine, Moments, Nearest, tagDifferences } from '../../../../shared/learning/explain/likeness.ts';
import { logTags, tags } from '../../../../shared/tagger/embedding.ts';

describe('likeness', () => {
  it('tells tags apart in deviations of the popular tracks', () => {
    const popular = new Moments(tags.length);
    for (let track = 0; track < 40; track++) {
      popular.add(logTags(Float32Array.from(tags, () => Math.exp(-3 + Math.sin(track)))));
    }
    const song = Float32Array.from(tags, () => Math.exp(-3));
    song[tags.indexOf('electronic')] = Math.exp(-1);
    song[tags.indexOf('acoustic')] = Math.exp(-4.5);
    const found = tagDifferences(song, popular);
    expect(found.map(({ tag }) => tag)).toEqual(['electronic', 'acoustic']);
    expect(found[0]!.difference).toBeGreaterThan(2);
    expect(found[1]!.difference).toBeLessThan(-1.5);
  });

  it('reads nothing from what is the same for all', () => {
    const moments = new Moments(2);
    for (const value of [1, 2, 3]) moments.add([value, 7]);
    expect([...moments.standardised([2, 9])]).toEqual([0, 0]);
    expect(cosine([1, 0], [3, 0])).toBe(1);
    expect(cosine([0, 0], [3, 0])).toBe(0);
  });

  it('keeps the nearest, each sound once', () => {
    const nearest = new Nearest<{ sound: string; similarity: number }>(2);
    for (const [sound, similarity] of [
      ['a', 0.1],
      ['b', 0.9],
      ['b', 0.9],
      ['c', 0.5],
    ] as const) {
      nearest.offer({ sound, similarity });
    }
    expect(nearest.kept.map(({ sound }) => sound)).toEqual(['b', 'c']);
  });
});
