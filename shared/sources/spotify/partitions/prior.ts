/** How often words of artists' names begin with a letter, before anything has been seen of a catalogue. */

/** In percent, estimated from first letters of English surnames and stage names. */
const first: Record<string, number> = {
  ...{ s: 10, m: 9, b: 8.5, c: 7.5, d: 7, l: 7, k: 6, t: 6, j: 6, r: 6, a: 5.5, p: 5, g: 4.5, h: 4 },
  ...{ n: 3.5, f: 3.5, w: 3, e: 2.5, y: 2, v: 1.8, o: 1.8, z: 1.2, i: 1.3, q: 0.8, u: 0.6, x: 0.4 },
};
/** After another letter, in percent: vowels come most often. */
const further: Record<string, number> = {
  ...{
    a: 18,
    e: 13,
    i: 12,
    o: 14,
    u: 8,
    r: 6,
    h: 5,
    l: 5,
    y: 3,
    t: 3,
    n: 2,
    s: 2,
    w: 1.5,
    k: 1.5,
    c: 1.5,
    m: 1,
  },
};

/** The share of words with this prefix among those with its stem, 0 to 1. */
export function letterPrior(stem: string, prefix: string): number {
  const letter = prefix.slice(stem.length);
  return (stem === '' ? (first[letter] ?? 0.1) : (further[letter] ?? 0.2)) / 100;
}
