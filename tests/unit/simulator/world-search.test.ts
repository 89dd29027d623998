import { describe, expect, test } from 'vitest';
import { type Operators, QueryError } from '../../../simulator/world/types.ts';
import { wordsOf } from '../../../simulator/world/words.ts';
import { createWorld } from '../../../simulator/world/world.ts';

const world = createWorld({ tracks: 900, seed: 1, years: [2019, 2021] });
const tracks = Array.from({ length: world.tracks }, (_, index) => world.track(index));

function ask(q: string, operators: Operators = 'honoured', market: string | null = null): number[] {
  const { total, first } = world.search(q, { market, operators });
  expect(first.length).toBe(total);
  return [...first].sort((a, b) => a - b);
}
type Track = (typeof tracks)[number];
const those = (test: (track: Track) => boolean) => tracks.filter(test).map(({ index }) => index);
const artistWords = ({ artists }: Track) => artists.flatMap(({ name }) => wordsOf(name));
const yearOf = ({ album }: Track) => Number(album.releaseDate.slice(0, 4));
const everything = those(() => true);

describe('the search of the made-up catalogue', () => {
  test('finds by genre, in each of its spellings', () => {
    for (const q of ['genre:hip-hop', 'genre:"hip hop"', 'genre:rap', 'genre:Hip-Hop']) {
      expect(ask(q)).toEqual(everything);
    }
    expect(ask('genre:polka')).toEqual([]);
    expect(ask('genre:hip')).toEqual([]);
  });

  test('finds by year and span of years', () => {
    expect(ask('year:2020')).toEqual(those((track) => yearOf(track) === 2020));
    expect(ask('year:2020-2021')).toEqual(those((track) => yearOf(track) >= 2020));
    expect(ask('year:1990-2030')).toEqual(everything);
    expect(ask('year:1990')).toEqual([]);
    expect(ask('year:2020 year:2021')).toEqual([]);
  });

  test('finds by the beginning of any word, of any artist', () => {
    const begins = (prefix: string) =>
      those((track) => artistWords(track).some((word) => word.startsWith(prefix)));
    for (const prefix of ['s', 'ba', 'lil', '2']) expect(ask(`artist:${prefix}*`)).toEqual(begins(prefix));
    expect(
      ask('artist:s*').some((index) => !wordsOf(tracks[index]!.artists[0]!.name)[0]!.startsWith('s')),
    ).toBe(true);
    expect(ask('artist:S*')).toEqual(begins('s'));
    // Without a star a word is meant whole.
    expect(ask('artist:lil')).toEqual(those((track) => artistWords(track).includes('lil')));
    expect(ask('artist:s')).toEqual(those((track) => artistWords(track).includes('s')));
    expect(ask('artist:s* artist:b*')).toEqual(begins('s').filter((index) => begins('b').includes(index)));
    const [name] = tracks.map(({ artists }) => artists[0]!.name).filter((text) => wordsOf(text).length === 2);
    const words = wordsOf(name!);
    expect(ask(`artist:"${name}"`)).toEqual(
      those((track) => words.every((word) => artistWords(track).includes(word))),
    );
  });

  test('finds by title, album, code and anything', () => {
    const begins = (text: string) => wordsOf(text).some((word) => word.startsWith('lo'));
    expect(ask('track:lo*')).toEqual(those(({ title }) => begins(title)));
    expect(ask('album:lo*')).toEqual(those(({ album }) => begins(album.name)));
    expect(ask('lo*')).toEqual(
      those((track) => begins(track.title) || begins(track.album.name) || artistWords(track).some(begins)),
    );
    const { isrc, recording } = tracks[100]!;
    expect(ask(`isrc:${isrc}`)).toEqual(those((track) => track.recording === recording));
    expect(ask(`isrc:${isrc.toLowerCase()}`)).toHaveLength(ask(`isrc:${isrc}`).length);
    expect(ask('isrc:USABC0000000')).toEqual([]);
  });

  test('leaves out what NOT says, where it is honoured', () => {
    const without = (...letters: string[]) =>
      those((track) => !artistWords(track).some((word) => letters.includes(word[0]!)));
    expect(ask('genre:rap NOT artist:s*')).toEqual(without('s'));
    expect(ask('genre:rap NOT artist:s* NOT artist:b*')).toEqual(without('s', 'b'));
    expect(ask('NOT artist:s*')).toEqual(without('s'));
    expect(ask('artist:s* NOT year:2020')).toEqual(
      ask('artist:s*').filter((index) => yearOf(tracks[index]!) !== 2020),
    );
    expect([...ask('genre:rap artist:s*'), ...ask('genre:rap NOT artist:s*')].sort((a, b) => a - b)).toEqual(
      everything,
    );
  });

  test('finds either where OR is honoured', () => {
    const both = new Set([...ask('artist:s*'), ...ask('artist:b*')]);
    expect(ask('genre:rap artist:s* OR artist:b*')).toEqual(everything.filter((index) => both.has(index)));
  });

  test('acts as if operators and what follows were not there, where they are ignored', () => {
    expect(ask('genre:rap NOT artist:s*', 'ignored')).toEqual(everything);
    expect(ask('artist:s* OR artist:b*', 'ignored')).toEqual(ask('artist:s*'));
  });

  test('looks for the words NOT and OR themselves, where they are taken literally', () => {
    const named = (word: string) =>
      those((track) =>
        [track.title, track.album.name, ...track.artists.map(({ name }) => name)].some((text) =>
          wordsOf(text).includes(word),
        ),
      );
    expect(ask('genre:rap NOT artist:s*', 'literal')).toEqual(
      ask('artist:s*').filter((index) => named('not').includes(index)),
    );
    expect(ask('artist:s* OR artist:b*', 'literal')).toEqual(
      ask('artist:s* artist:b*').filter((index) => named('or').includes(index)),
    );
  });

  test('knows that not all is to be had everywhere', () => {
    const [us, de] = [ask('genre:rap', 'honoured', 'US'), ask('genre:rap', 'honoured', 'DE')];
    for (const found of [us, de]) {
      expect(found.length).toBeLessThan(everything.length);
      expect(found.length).toBeGreaterThan(0.95 * everything.length);
    }
    expect(us).not.toEqual(de);
    // Part by part the same tracks are missing.
    expect(
      [...ask('artist:s*', 'honoured', 'US'), ...ask('NOT artist:s*', 'honoured', 'US')].sort(
        (a, b) => a - b,
      ),
    ).toEqual(us);
  });

  test('shows the most popular first, the same each time, and 1,000 at most', () => {
    const large = createWorld({ tracks: 2_500, seed: 1, years: [2019, 2021] });
    const { total, first } = large.search('genre:rap', { market: null, operators: 'honoured' });
    expect(total).toBe(2_500);
    expect(first.length).toBe(1_000);
    const popularity = [...first].map((index) => large.track(index).popularity);
    expect(popularity).toEqual([...popularity].sort((a, b) => b - a));
    const again = createWorld({ tracks: 2_500, seed: 1, years: [2019, 2021] });
    expect(again.search('genre:rap', { market: null, operators: 'honoured' }).first).toEqual(first);
  });

  test.each([
    '',
    '   ',
    'year:20',
    'year:2020-',
    'year:abcd',
    'genre:rap NOT',
    'artist:s* OR',
    'OR artist:s*',
    `artist:${'x'.repeat(250)}`,
  ])('refuses "%s"', (q) => {
    expect(() => ask(q)).toThrow(QueryError);
  });

  test('takes a query of 250 characters, and any signs', () => {
    const q = `genre:rap${' NOT artist:q*'.repeat(20)}`.slice(0, 247);
    expect(() => ask(`${q} xx`.slice(0, 250))).not.toThrow();
    for (const odd of [
      'artist:"',
      'artist:*',
      '***',
      'artist:',
      ':',
      '"',
      'title:x',
      '(a)',
      '\\',
      '%',
      "'",
      'é*',
    ]) {
      expect(() => ask(odd), odd).not.toThrow();
    }
  });
});
