/**
 * Names of artists by the ten thousand. What matters is that they are like real ones to a search by
 * prefixes: how many words a name has, which letters words begin with, that some words ("Lil", "Young")
 * are in very many names, that some names are written in other alphabets and a few in none.
 */
import type { Random } from '../random.ts';

/** Share of names by their number of words: an estimate; by country a third to over half are one word. */
const wordCounts: readonly [words: number, share: number][] = [
  [1, 0.52],
  [2, 0.41],
  [3, 0.055],
  [4, 0.015],
];
/** Chance that a name of several words begins with one of the words that everybody uses. */
const commonWordShare = 0.3;
const commonWords: readonly [word: string, weight: number][] = [
  ['Lil', 10],
  ['Young', 6],
  ['Big', 4],
  ['MC', 4],
  ['DJ', 4],
  ['The', 4],
  ['Yung', 3],
  ['King', 3],
  ['Kid', 2],
  ['Money', 1.5],
  ['Baby', 1.5],
  ['Boy', 1.5],
];

/** Beginnings of words with how often they occur; the letters follow first letters of artists' names. */
const onsets: readonly [onset: string, weight: number][] = [
  ...weights(9.5, { s: 4, sh: 2, st: 1.6, sk: 1, sl: 0.7, sp: 0.7, sw: 0.5, sc: 0.5, sm: 0.4, sn: 0.3 }),
  ...weights(8.5, { m: 8, mc: 0.5 }),
  ...weights(8, { b: 5, bl: 1.4, br: 1.6 }),
  ...weights(7, { d: 5, dr: 2 }),
  ...weights(7, { c: 3.5, ch: 1.7, cl: 0.9, cr: 0.9 }),
  ...weights(6.5, { k: 5.5, kr: 0.6, kn: 0.4 }),
  ...weights(6.5, { l: 6.5 }),
  ...weights(6, { t: 3.5, tr: 1.6, th: 0.9 }),
  ...weights(6, { j: 6 }),
  ...weights(5.5, { r: 5.3, rh: 0.2 }),
  ...weights(5, { p: 3.4, pr: 0.9, ph: 0.4, pl: 0.3 }),
  ...weights(5, { a: 5 }),
  ...weights(4, { n: 4 }),
  ...weights(4, { g: 2.6, gr: 0.7, gl: 0.4, gh: 0.3 }),
  ...weights(3.5, { h: 3.5 }),
  ...weights(3.5, { f: 2.2, fl: 0.7, fr: 0.6 }),
  ...weights(2.5, { e: 2.5 }),
  ...weights(2.5, { w: 2.1, wh: 0.2, wr: 0.2 }),
  ...weights(2, { y: 2 }),
  ...weights(2, { v: 2 }),
  ...weights(1.8, { o: 1.8 }),
  ...weights(1.8, { z: 1.8 }),
  ...weights(1.5, { i: 1.5 }),
  ...weights(1, { qu: 1 }),
  ...weights(0.8, { u: 0.8 }),
  ...weights(0.6, { x: 0.6 }),
];
const vowels = ['a', 'e', 'i', 'o', 'u', 'ay', 'ee', 'ai', 'oo', 'y'];
const joints = [
  'b',
  'd',
  'g',
  'k',
  'l',
  'll',
  'm',
  'n',
  'nd',
  'r',
  'rr',
  's',
  't',
  'v',
  'z',
  'x',
  'zz',
  'ck',
];
const endings = ['', '', 'n', 'r', 's', 'x', 'z', 'k', 'ck', 'm', 'll', 'nt', 'sh', 'no', 'zy'];

const otherAlphabets = [
  { share: 0.002, letters: [...'абвгдежзиклмнопрстуфхчшэюя'] },
  { share: 0.001, letters: [...'αβγδεζηθικλμνξοπρστυφχψω'] },
  { share: 0.001, letters: [...'アイウエオカキクケコサシスセソタチツテトナニノハヒフマミムメモラリルレロ'] },
] as const;
/** Names with accents, with digits, and of signs alone (which no search finds by a word). */
const accentShare = 0.02;
const digitShare = 0.012;
const signShare = 0.0002;

/** Invent a name; two artists may bear the same, as in life. */
export function inventName(random: Random): string {
  let chance = random.unit();
  for (const { share, letters } of otherAlphabets) {
    if (chance < share) return foreignName(random, letters);
    chance -= share;
  }
  if (chance < signShare) return random.pick(['¥$', '$$$', '+/+', '†††', '***', '~~']);
  const words = weighted(random, wordCounts);
  const name: string[] = [];
  if (words > 1 && random.chance(commonWordShare)) name.push(weighted(random, commonWords));
  while (name.length < words) name.push(inventWord(random));
  return name.join(' ');
}

function inventWord(random: Random): string {
  if (random.chance(digitShare)) return String(random.pick([2, 3, 6, 7, 9, 21, 42, 50, 88, 100, 187, 808]));
  const onset = weighted(random, onsets);
  let word = /[aeiou]$/.test(onset) && onset !== 'qu' ? onset : onset + random.pick(vowels);
  for (let more = random.whole(0, 1); more >= 0; more--) {
    word += random.pick(joints);
    if (more > 0) word += random.pick(vowels);
  }
  word += random.pick(vowels).charAt(0) + random.pick(endings);
  if (random.chance(accentShare))
    word = word.replace(/[aeo]/, (letter) => ({ a: 'á', e: 'é', o: 'ö' })[letter]!);
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function foreignName(random: Random, letters: readonly string[]): string {
  const word = () => Array.from({ length: random.whole(3, 7) }, () => random.pick(letters)).join('');
  return random.chance(0.3) ? `${word()} ${word()}` : word();
}

function weights(sum: number, shares: Record<string, number>): [string, number][] {
  const whole = Object.values(shares).reduce((a, b) => a + b, 0);
  return Object.entries(shares).map(([onset, share]) => [onset, (sum * share) / whole]);
}

function weighted<T>(random: Random, items: readonly (readonly [T, number])[]): T {
  let chance = random.unit() * items.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [item, weight] of items) {
    chance -= weight;
    if (chance < 0) return item;
  }
  return items.at(-1)![0];
}
