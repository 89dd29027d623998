/** Names of people and songs that do not exist: artists are made of syllables, so as to meet no real one. */
import type { Random } from './random.ts';

/** Each world has its own, so that nobody unheard bears the name of somebody known. */
const starts = {
  catalogue: ['Zor', 'Kel', 'Vam', 'Tir', 'Qua', 'Mox', 'Nub'],
  unheard: ['Yel', 'Dro', 'Fen', 'Gla', 'Hux', 'Wem', 'Jop'],
} as const;
const middles = ['vi', 'ra', 'mo', 'tu', 'le', 'za', 'po', 'ni'];
const ends = ['dar', 'lin', 'quo', 'zett', 'mund', 'rix', 'vane', 'bok', 'tham', 'sul'];
const firsts = ['Copper', 'Midnight', 'Paper', 'Velvet', 'Concrete', 'Neon', 'Quiet', 'Broken', 'Golden'];
const seconds = ['Rain', 'Stairs', 'Signal', 'Harbour', 'Engine', 'Mirrors', 'Letters', 'Corner', 'Summer'];
const thirds = ['', '', '', ' at Four', ' Again', ' Part II', ' Interlude', ', Slowly', ' & Smoke'];

/** A name that is not in `taken` yet, and is put there. */
export function inventArtist(random: Random, world: keyof typeof starts, taken: Set<string>): string {
  for (;;) {
    const name = `${random.pick(starts[world])}${random.pick(middles)}${random.pick(ends)}`;
    const full = random.chance(0.3)
      ? `MC ${name}`
      : `${name} ${random.pick(starts[world])}${random.pick(ends)}`;
    if (taken.has(full)) continue;
    taken.add(full);
    return full;
  }
}

/** A song's or an album's title; two songs may have the same, as in life. */
export function inventTitle(random: Random): string {
  return `${random.pick(firsts)} ${random.pick(seconds)}${random.pick(thirds)}`;
}
