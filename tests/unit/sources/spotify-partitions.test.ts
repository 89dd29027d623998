import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CutContext, nextParts } from '../../../shared/sources/spotify/partitions/cut.ts';
import {
  begins,
  belongs,
  type Part,
  type PartTrack,
  partSchema,
  queryOf,
  wholePart,
  wordsOf,
} from '../../../shared/sources/spotify/partitions/part.ts';
import { longestQuery, queryKeyOf, searchWindow } from '../../../shared/sources/spotify/query.ts';
import { createWorld } from '../../../simulator/world/world.ts';
import { Driver } from './spotify-driver.ts';

const whole = wholePart([2019, 2021]);

describe('words, as the search compares them', () => {
  test.each([
    ['Lil Nas X', ['lil', 'nas', 'x']],
    ['BEYONCÉ', ['beyonce']],
    ['Björk Guðmundsdóttir', ['bjork', 'guðmundsdottir']],
    ['¥$', []],
    ['', []],
    ['A$AP Rocky', ['a', 'ap', 'rocky']],
    ['Tyler, The Creator', ['tyler', 'the', 'creator']],
    ['Ol’ Dirty "Bastard"', ['ol', 'dirty', 'bastard']],
    ['21 Savage', ['21', 'savage']],
    ['Баста', ['баста']],
    ['Ёлка', ['елка']],
    ['アイウ エオ', ['アイウ', 'エオ']],
    ['ﬁn', ['ﬁn']],
    ['M.I.A.', ['m', 'i', 'a']],
    ['𝒳avier', ['𝒳avier']],
  ])('of "%s" are %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  test('are the same for a name written in another normal form', () => {
    expect(wordsOf('é')).toEqual(wordsOf('é'));
  });

  test('begin with a prefix, or are the word where it ends in a space', () => {
    expect(begins(['lil', 'nas'], 'na')).toBe(true);
    expect(begins(['lil', 'nas'], 'as')).toBe(false);
    expect(begins(['lil', 'nas'], 'lil ')).toBe(true);
    expect(begins(['lilly'], 'lil ')).toBe(false);
    expect(begins([], 'a')).toBe(false);
  });
});

describe('a part', () => {
  test('is a query in the words of Spotify', () => {
    expect(queryOf(whole, 'hip-hop')).toBe('genre:hip-hop year:2019-2021');
    expect(queryOf(wholePart([2020, 2020]), 'hip hop')).toBe('genre:"hip hop" year:2020');
    const part: Part = {
      ...{
        years: [2019, 2020],
        artist: ['lil ', 'b'],
        title: 'lo',
        notArtist: ['s', 'the '],
        notTitle: ['é'],
      },
    };
    expect(queryOf(part, 'rap')).toBe(
      'genre:rap year:2019-2020 artist:lil artist:b* track:lo* NOT artist:s* NOT artist:the NOT track:é*',
    );
    // What is stored as JSON and read again is the same part.
    expect(partSchema.parse(JSON.parse(JSON.stringify(part)))).toEqual(part);
  });

  test('has a track whose words and year it names', () => {
    const track: PartTrack = {
      year: 2020,
      artistWords: ['lil', 'nas', 'x'],
      titleWords: ['old', 'town', 'road'],
    };
    const has = (change: Partial<Part>) => belongs(track, { ...whole, ...change });
    expect(has({})).toBe(true);
    expect(has({ years: [2020, 2020] })).toBe(true);
    expect(has({ years: [2021, 2022] })).toBe(false);
    expect(has({ years: [2018, 2019] })).toBe(false);
    expect(has({ artist: ['n'] })).toBe(true);
    expect(has({ artist: ['n', 'lil '] })).toBe(true);
    expect(has({ artist: ['n', 'z'] })).toBe(false);
    expect(has({ artist: ['li '] })).toBe(false);
    expect(has({ notArtist: ['z', 'x'] })).toBe(false);
    expect(has({ notArtist: ['li '] })).toBe(true);
    expect(has({ title: 'to' })).toBe(true);
    expect(has({ title: 'l' })).toBe(false);
    expect(has({ notTitle: ['ro'] })).toBe(false);
  });

  test('is what the search answers to its query', () => {
    const world = createWorld({ tracks: 1_500, seed: 4, years: [2019, 2021] });
    const tracks = Array.from({ length: world.tracks }, (_, index): PartTrack => {
      const { artists, album, title } = world.track(index);
      return {
        year: Number(album.releaseDate.slice(0, 4)),
        artistWords: artists.flatMap(({ name }) => wordsOf(name)),
        titleWords: wordsOf(title),
      };
    });
    const artistWords = [...new Set(tracks.flatMap((track) => track.artistWords))];
    const titleWords = [...new Set(tracks.flatMap((track) => track.titleWords))];
    // Beginnings of words that there are, and whole words.
    const prefix = (words: readonly string[]) =>
      fc
        .tuple(fc.constantFrom(...words), fc.nat(3))
        .map(([word, length]) => (length === 0 ? `${word} ` : [...word].slice(0, length).join('')));
    const parts = fc.record({
      years: fc.constantFrom<[number, number]>([2019, 2021], [2020, 2020], [2020, 2021], [1990, 2000]),
      artist: fc.array(prefix(artistWords), { maxLength: 2 }),
      notArtist: fc.array(prefix(artistWords), { maxLength: 4 }),
      title: fc.option(prefix(titleWords)),
      notTitle: fc.array(prefix(titleWords), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(parts, (part) => {
        const { total, first } = world.search(queryOf(part, 'hip-hop'), {
          market: null,
          operators: 'honoured',
        });
        const expected = tracks.flatMap((track, index) => (belongs(track, part) ? [index] : []));
        expect(total).toBe(expected.length);
        // Of those beyond the window nothing is shown.
        expect([...first].filter((index) => !belongs(tracks[index]!, part))).toEqual([]);
        expect(new Set(first).size).toBe(Math.min(total, searchWindow));
      }),
      { numRuns: 150, examples: [[{ ...whole, years: [2020, 2020] }]] },
    );
  });
});

describe('a crawl', () => {
  test('is the same question when all that is asked is the same', () => {
    const query = { genre: 'hip-hop', years: [2019, 2021] as [number, number], market: 'US', limit: null };
    expect(queryKeyOf({ ...query, genre: 'Hip-Hop' })).toBe(queryKeyOf(query));
    const others = [
      { genre: 'rap' },
      { years: [2019, 2020] as [number, number] },
      { market: 'DE' },
      { limit: 5 },
    ];
    const keys = [query, ...others.map((other) => ({ ...query, ...other }))].map(queryKeyOf);
    expect(new Set(keys).size).toBe(5);
  });
});

const context: CutContext = {
  ...{ genre: 'hip-hop', honoursNot: true, window: searchWindow, longestQuery, sample: [], size: null },
  ...{ rareApart: false, cutByYears: true, firstCharacters: [...'abcdefghijklmnopqrstuvwxyz0123456789'] },
  furtherCharacters: [...'abcdefghijklmnopqrstuvwxyz'],
};

describe('a part that overflows', () => {
  test('is cut into years first, which cover it and never overlap', () => {
    for (const size of [null, 1_500, 3_000, 100_000]) {
      const years = nextParts(whole, [], { ...context, size }).map(({ part }) => part.years);
      expect(
        years.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)),
      ).toEqual([...[2019, 2020, 2021]]);
      expect(years.length).toBe(size === null || size < 1_700 ? 2 : 3);
    }
  });

  test('waits for the answer of the part before', () => {
    const year = wholePart([2020, 2020]);
    for (const honoursNot of [true, false]) {
      const [first] = nextParts(year, [], { ...context, honoursNot });
      expect(nextParts(year, [{ part: first!.part, total: null }], { ...context, honoursNot })).toEqual([]);
    }
  });

  test('with NOT is bitten at until what is left fits, and what is left is the last', () => {
    const year = wholePart([2020, 2020]);
    const done: { part: Part; total: number }[] = [];
    for (;;) {
      const planned = nextParts(year, done, { ...context, size: 3_000 });
      if (planned.length === 0) break;
      expect(planned).toHaveLength(1);
      const { part } = planned[0]!;
      // No part has what an earlier one has.
      const bites = done.map((each) => each.part.artist[0]);
      expect(part.notArtist).toEqual(expect.arrayContaining(bites));
      done.push({ part, total: part.artist.length === 0 ? 600 : 700 });
    }
    expect(done.length).toBeGreaterThan(3);
    expect(done.filter(({ part }) => part.artist.length === 0)).toHaveLength(1);
    expect(done.at(-1)!.part).toMatchObject({
      artist: [],
      notArtist: done.slice(0, -1).map(({ part }) => part.artist[0]),
    });
  });

  test('without NOT is asked by every letter, the rare first', () => {
    const year = wholePart([2020, 2020]);
    const done: { part: Part; total: number }[] = [];
    for (;;) {
      const planned = nextParts(year, done, { ...context, honoursNot: false });
      if (planned.length === 0) break;
      done.push(...planned.map(({ part }) => ({ part, total: 100 })));
    }
    const letters = done.map(({ part }) => part.artist[0]!);
    expect([...letters].sort()).toEqual([...context.firstCharacters].sort());
    expect(letters.at(-1)).toBe('s');
    expect(done.every(({ part }) => part.notArtist.length === 0)).toBe(true);
  });

  test('is cut by the other words where nearly all have the very word', () => {
    const sample = Array.from({ length: 60 }, (_, index) => ({
      ...{ year: 2020, artistWords: ['lil', `${'abcdef'[index % 6]}x`], titleWords: ['a'] },
    }));
    const part = { ...wholePart([2020, 2020]), artist: ['lil'] };
    const [next] = nextParts(part, [], { ...context, sample, size: 2_000 });
    expect(next!.part.artist).toEqual(['lil', expect.stringMatching(/^[a-f]$/)]);
    // And by titles where that is not enough either, or the word itself overflows.
    const twice = { ...part, artist: ['lil', 'a'] };
    expect(
      nextParts({ ...part, artist: ['lil '] }, [], { ...context, sample, size: 2_000 })[0]!.part,
    ).toMatchObject({
      ...{ artist: ['lil '], title: expect.stringMatching(/^[a-z]$/) },
    });
    expect(nextParts(twice, [], { ...context, sample, size: 2_000 })[0]!.part.artist).toEqual([
      'lil',
      expect.any(String),
    ]);
  });
});

const years: [number, number] = [2020, 2021];
/** All that a market has. */
function allOf(world: ReturnType<typeof createWorld>, span = years): number {
  return world.search(`genre:hip-hop year:${span.join('-')}`, { market: 'US', operators: 'honoured' }).total;
}

/**
 * Tracks that no prefix finds that is surely asked for: names of signs alone, and those in an alphabet
 * that may not have been seen before.
 */
function letterless(world: ReturnType<typeof createWorld>): number {
  const names = Array.from({ length: world.tracks }, (_, index) =>
    world.track(index).artists.flatMap(({ name }) => wordsOf(name)),
  );
  return names.filter((words) => !words.some((word) => /^[a-z0-9]/.test(word))).length;
}

describe('all parts together, where NOT is honoured', () => {
  test.each([
    [1, 50, 1.2, 0.92],
    [2, 50, 1.2, 0.92],
    [3, 10, 1.06, 0.97],
  ])(
    'bring everything, each once, with few requests (seed %i, pages of %i)',
    (seed, pageSize, most, least) => {
      const world = createWorld({ tracks: 8_000, seed, years });
      const crawl = new Driver(world, { years, honoursNot: true, pageSize }).run();
      expect(crawl.tracks.size).toBe(allOf(world));
      const came = crawl.leaves.flatMap(({ tracks }) => tracks);
      expect(new Set(came).size).toBe(came.length);
      expect(crawl.requestsOverLeast).toBeLessThan(most);
      expect(crawl.newShare).toBeGreaterThan(least);
      expect(new Set(crawl.queries).size, 'nothing is asked twice').toBe(crawl.queries.length);
      expect(Math.max(...crawl.queries.map((query) => query.length))).toBeLessThanOrEqual(longestQuery);
    },
  );

  test('overlap only where a query has no room for what it should leave out', () => {
    const world = createWorld({ tracks: 22_000, seed: 1, years: [2021, 2021] });
    const crawl = new Driver(world, { years: [2021, 2021], honoursNot: true, pageSize: 50 }).run();
    const missing = allOf(world, [2021, 2021]) - crawl.tracks.size;
    expect(missing).toBeLessThanOrEqual(letterless(world));
    expect(missing).toBeLessThan(0.002 * world.tracks);
    const seen = new Set<number>();
    for (const { query, tracks } of crawl.leaves) {
      const again = tracks.filter((track) => seen.has(track)).length;
      if (again > 0) expect(query.length, query).toBeGreaterThan(longestQuery - ' NOT artist:xxx*'.length);
      for (const track of tracks) seen.add(track);
    }
    expect(crawl.newShare).toBeGreaterThan(0.9);
    expect(crawl.requestsOverLeast).toBeLessThan(1.25);
    expect(Math.max(...crawl.queries.map((query) => query.length))).toBeLessThanOrEqual(longestQuery);
  });
});

describe('all parts together, where NOT is ignored', () => {
  test.each([1, 2])(
    'bring everything that begins with a letter, with twice the requests (seed %i)',
    (seed) => {
      const world = createWorld({ tracks: 8_000, seed, years });
      const crawl = new Driver(world, { years, honoursNot: false, pageSize: 50 }).run();
      const everything = allOf(world);
      expect(crawl.tracks.size).toBeGreaterThan(0.998 * everything);
      expect(everything - crawl.tracks.size).toBeLessThanOrEqual(letterless(world));
      expect(crawl.requestsOverLeast).toBeLessThan(2.3);
      expect(crawl.newShare).toBeGreaterThan(0.48);
      expect(new Set(crawl.queries).size).toBe(crawl.queries.length);
      expect(crawl.queries.join()).not.toContain('NOT');
    },
  );
});
