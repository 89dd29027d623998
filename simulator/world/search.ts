/** Searching the catalogue: all tracks of the years are looked at in the order of their popularity. */
import { LRUCache } from 'lru-cache';
import { hashUnit, streams } from './hash.ts';
import { parseQuery, type Query, type Term } from './query.ts';
import { nobody, type Releases } from './releases.ts';
import type { Operators, SearchAnswer } from './types.ts';
import { wordsOf } from './words.ts';

const windowSize = 1_000;
const genres = ['hip-hop', 'hip hop', 'rap'];
/** Share of tracks that are not to be had in a market. */
const missingInMarket = 0.02;

export interface Searchable {
  seed: number;
  releases: Releases;
  yearOf: (track: number) => number;
  titleOf: (track: number) => string;
  albumTitleOf: (track: number) => string;
  isrcOf: (track: number) => string;
}

export class Search {
  readonly #world: Searchable;
  /** All tracks, the most popular first. */
  readonly #order: Uint32Array;
  /** The same by year. */
  readonly #orderOfYear = new Map<number, Uint32Array>();
  /** Artists by word, words sorted. */
  readonly #words: { word: string; artists: number[] }[];
  /** A page is asked for after a page: answers and marks are kept for a while. */
  readonly #answers = new LRUCache<string, SearchAnswer>({ max: 400 });
  readonly #marks = new LRUCache<string, Uint8Array>({ max: 60 });

  constructor(world: Searchable) {
    this.#world = world;
    this.#order = orderByPopularity(world);
    const byYear = new Map<number, number[]>();
    for (const track of this.#order) {
      const year = world.yearOf(track);
      const list = byYear.get(year);
      if (list) list.push(track);
      else byYear.set(year, [track]);
    }
    for (const [year, list] of byYear) this.#orderOfYear.set(year, Uint32Array.from(list));
    this.#words = indexWords(world.releases.artistNames);
  }

  /** @throws QueryError */
  ask(q: string, market: string | null, operators: Operators): SearchAnswer {
    const key = `${operators} ${market ?? ''} ${q}`;
    let answer = this.#answers.get(key);
    if (!answer) {
      answer = this.#look(parseQuery(q, operators), market);
      this.#answers.set(key, answer);
    }
    return answer;
  }

  #look(query: Query, market: string | null): SearchAnswer {
    const years = query.groups.flat().filter((term) => term.field === 'year');
    const single = years.length === 1 && years[0]!.from === years[0]!.to ? years[0]!.from : null;
    const candidates = single === null ? this.#order : (this.#orderOfYear.get(single) ?? new Uint32Array());
    const groups = query.groups.map((terms) => terms.map((term) => this.#test(term)));
    const excluded = query.excluded.map((term) => this.#test(term));
    const first: number[] = [];
    let total = 0;
    for (const track of candidates) {
      if (!groups.every((tests) => tests.some((test) => test(track)))) continue;
      if (excluded.some((test) => test(track))) continue;
      if (market !== null && !this.#isIn(market, track)) continue;
      if (total++ < windowSize) first.push(track);
    }
    return { total, first: Uint32Array.from(first) };
  }

  /** Whether a track is to be had in a market. */
  #isIn(market: string, track: number): boolean {
    const stream = streams.market * 100_000 + market.charCodeAt(0) * 256 + market.charCodeAt(1);
    return hashUnit(this.#world.seed, stream, track) >= missingInMarket;
  }

  #test(term: Term): (track: number) => boolean {
    const { titleOf, albumTitleOf, isrcOf, yearOf } = this.#world;
    switch (term.field) {
      case 'year':
        return (track) => yearOf(track) >= term.from && yearOf(track) <= term.to;
      case 'genre':
        return () => genres.includes(term.text);
      case 'isrc':
        return (track) => isrcOf(track).toLowerCase() === term.text;
      case 'artist':
        return this.#byArtist(term.word, term.prefix);
      case 'track':
        return (track) => hasWord(titleOf(track), term);
      case 'album':
        return (track) => hasWord(albumTitleOf(track), term);
      case 'any': {
        const byArtist = this.#byArtist(term.word, term.prefix);
        return (track) =>
          byArtist(track) || hasWord(titleOf(track), term) || hasWord(albumTitleOf(track), term);
      }
    }
  }

  #byArtist(word: string, prefix: boolean): (track: number) => boolean {
    const key = `${word}${prefix ? '*' : ''}`;
    let marks = this.#marks.get(key);
    if (!marks) {
      marks = new Uint8Array(this.#world.releases.artistNames.length);
      for (let at = lowerBound(this.#words, word); at < this.#words.length; at++) {
        const entry = this.#words[at]!;
        if (prefix ? !entry.word.startsWith(word) : entry.word !== word) break;
        for (const artist of entry.artists) marks[artist] = 1;
      }
      this.#marks.set(key, marks);
    }
    const marked = marks;
    const { artist, firstGuest, secondGuest } = this.#world.releases;
    return (track) =>
      marked[artist[track]!] === 1 ||
      (firstGuest[track]! !== nobody && marked[firstGuest[track]!] === 1) ||
      (secondGuest[track]! !== nobody && marked[secondGuest[track]!] === 1);
  }
}

function hasWord(text: string, { word, prefix }: { word: string; prefix: boolean }): boolean {
  return wordsOf(text).some((own) => (prefix ? own.startsWith(word) : own === word));
}

function orderByPopularity({ releases, seed }: Searchable): Uint32Array {
  const { popularity } = releases;
  // Sorted as numbers: popularity in front, then chance, then the index.
  const keys = new Float64Array(popularity.length);
  for (let track = 0; track < keys.length; track++) {
    const tie = Math.floor(hashUnit(seed, 50, track) * 1024);
    keys[track] = ((100 - popularity[track]!) * 1024 + tie) * 2 ** 21 + track;
  }
  keys.sort();
  return Uint32Array.from(keys, (key) => key % 2 ** 21);
}

function indexWords(names: readonly string[]): { word: string; artists: number[] }[] {
  const index = new Map<string, number[]>();
  for (const [artist, name] of names.entries()) {
    for (const word of new Set(wordsOf(name))) {
      const artists = index.get(word);
      if (artists) artists.push(artist);
      else index.set(word, [artist]);
    }
  }
  return [...index].map(([word, artists]) => ({ word, artists })).sort((a, b) => (a.word < b.word ? -1 : 1));
}

/** Where the first word stands that is not before this one. */
function lowerBound(words: readonly { word: string }[], word: string): number {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle]!.word < word) low = middle + 1;
    else high = middle;
  }
  return low;
}
