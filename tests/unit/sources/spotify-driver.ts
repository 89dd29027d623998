/**
 * A crawl in small: one question after the other to a made-up catalogue, in memory. It decides what the
 * search workers decide (workers/search/), with all that they read from the database at hand, so that
 * what a crawl costs can be told in a second.
 */
import { type CutContext, type CutPart, nextParts } from '../../../shared/sources/spotify/partitions/cut.ts';
import {
  begins,
  type Part,
  type PartTrack,
  queryOf,
  wholePart,
  wordsOf,
} from '../../../shared/sources/spotify/partitions/part.ts';
import { longestQuery, searchWindow } from '../../../shared/sources/spotify/query.ts';
import type { World } from '../../../simulator/world/types.ts';

const genre = 'hip-hop';
const market = 'US';
const letters = [...'abcdefghijklmnopqrstuvwxyz'];

/** A part that was asked to its end. */
export interface Leaf {
  part: Part;
  query: string;
  /** Indices of the tracks that came. */
  tracks: number[];
}

interface Known extends PartTrack {
  artists: string[];
}

interface Node {
  part: Part;
  expected: number | null;
  isRoot: boolean;
}

export class Driver {
  requests = 0;
  rows = 0;
  readonly leaves: Leaf[] = [];
  readonly queries: string[] = [];
  readonly #world: World;
  readonly #years: readonly [number, number];
  readonly #honoursNot: boolean;
  readonly #pageSize: number;
  /** What has come so far, by index. */
  readonly #known = new Map<number, Known>();
  /** Of the parts that overlap asked last: results and how many of them were new. */
  readonly #recent: { total: number; fresh: number }[] = [];
  readonly #wholeYears: { year: number; total: number }[] = [];
  #enumerated = false;

  constructor(
    world: World,
    { years, honoursNot, pageSize }: { years: [number, number]; honoursNot: boolean; pageSize: number },
  ) {
    this.#world = world;
    this.#years = years;
    this.#honoursNot = honoursNot;
    this.#pageSize = pageSize;
  }

  get tracks(): ReadonlySet<number> {
    return new Set(this.#known.keys());
  }

  /** Requests for each that would do if every row were new. */
  get requestsOverLeast(): number {
    return this.requests / (this.#known.size / this.#pageSize);
  }

  get newShare(): number {
    return this.#known.size / this.rows;
  }

  run(): this {
    const root: Node = { part: wholePart(this.#years), expected: null, isRoot: true };
    const { total } = this.#page(root.part, 0);
    // What a crawl asks to find out whether NOT is honoured, and for a sample where it is not.
    this.requests += this.#honoursNot ? 1 : 2;
    if (total >= searchWindow) {
      if (!this.#honoursNot) for (const page of [1, 2]) this.#page(root.part, page * this.#pageSize);
      this.#cut(root);
    } else this.#rest(root.part, total);
    return this;
  }

  /** Ask a part to its end, in parts where it overflows. Returns how many results it has. */
  #cover(node: Node): number {
    const { part } = node;
    if (!this.#honoursNot && (this.#estimate(part) ?? 0) > searchWindow * 1.3) return this.#cut(node);
    const { total } = this.#page(part, 0);
    return total >= searchWindow ? this.#cut(node) : this.#rest(part, total);
  }

  #rest(part: Part, total: number): number {
    const before = this.#known.size;
    const tracks = [...this.#answer(part).first.subarray(0, this.#pageSize)];
    let asked = Math.min(total, this.#pageSize);
    for (let offset = this.#pageSize; offset < total; offset += this.#pageSize) {
      if (!this.#honoursNot && (this.#countKnown(part) ?? 0) >= total) break;
      tracks.push(...this.#page(part, offset).tracks);
      asked = Math.min(total, offset + this.#pageSize);
    }
    this.leaves.push({ part, query: queryOf(part, genre), tracks });
    // The first page's were counted when it came.
    const fresh = this.#known.size - before + this.#freshOfFirst;
    if (total > 0 && total < searchWindow) this.#recent.unshift({ total, fresh: Math.min(fresh, asked) });
    if (part.years[0] === part.years[1] && part.artist.length + part.notArtist.length === 0) {
      this.#wholeYears.unshift({ year: part.years[0], total });
    }
    return total;
  }

  #cut(node: Node): number {
    const { part } = node;
    const done: CutPart[] = [];
    for (;;) {
      const planned = nextParts(part, done, this.#context(node));
      if (planned.length === 0) break;
      for (const { part: next, expected } of planned) {
        done.push({ part: next, total: this.#cover({ part: next, expected, isRoot: false }) });
      }
    }
    const total = done.reduce((sum, each) => sum + each.total!, 0);
    const isYear = part.years[0] === part.years[1] && part.artist.length + part.notArtist.length === 0;
    if (isYear) {
      this.#wholeYears.unshift({ year: part.years[0], total });
      if (!done.some((each) => each.part.artist.length === 0)) this.#enumerated = true;
    }
    return total;
  }

  #freshOfFirst = 0;

  #page(part: Part, offset: number): { total: number; tracks: number[] } {
    const { total, first } = this.#answer(part);
    const tracks = [...first.subarray(offset, offset + this.#pageSize)];
    this.requests++;
    this.rows += tracks.length;
    const before = this.#known.size;
    for (const index of tracks) {
      if (this.#known.has(index)) continue;
      const { artists, album, title } = this.#world.track(index);
      const names = artists.map(({ name }) => name);
      this.#known.set(index, {
        ...{ year: Number(album.releaseDate.slice(0, 4)), artists: names },
        ...{ artistWords: names.flatMap(wordsOf), titleWords: wordsOf(title) },
      });
    }
    if (offset === 0) this.#freshOfFirst = this.#known.size - before;
    return { total: Math.min(total, searchWindow), tracks };
  }

  #answer(part: Part) {
    const query = queryOf(part, genre);
    if (this.queries.at(-1) !== query) this.queries.push(query);
    return this.#world.search(query, { market, operators: this.#honoursNot ? 'honoured' : 'ignored' });
  }

  #context({ part, expected, isRoot }: Node): CutContext {
    const known = [...this.#known.values()];
    const words = new Set(known.flatMap(({ artistWords }) => artistWords));
    const stem = part.artist.at(-1) ?? '';
    const following = [...words]
      .filter((word) => stem !== '' && word.startsWith(stem) && [...word].length > [...stem].length)
      .map((word) => [...word][[...stem].length]!);
    const plausible =
      stem === '' || /^[a-z]*[aeiou]$/.test(stem)
        ? letters
        : /^[a-z]+$/.test(stem)
          ? [...'aeiouyrhltnswkcm']
          : [];
    const otherLetters = [...words].map((word) => [...word][0]!).filter((first) => !/[a-z0-9]/.test(first));
    return {
      ...{ genre, honoursNot: this.#honoursNot, window: searchWindow, longestQuery },
      sample: this.#sample(part, known),
      size: this.#honoursNot ? (expected ?? this.#sizeOfOtherYear(part)) : this.#estimate(part),
      cutByYears: this.#years[0] !== this.#years[1],
      rareApart: isRoot && this.#honoursNot && this.#enumerated,
      firstCharacters: [...letters, ...'0123456789', ...new Set(otherLetters)],
      furtherCharacters: [...new Set([...plausible, ...following])],
    };
  }

  /** Known tracks that stand for those of the part, whatever their year. */
  #sample(part: Part, known: readonly Known[]): PartTrack[] {
    const [prefix] = part.artist;
    const year = this.#wholeYears[0]?.year;
    const like =
      prefix !== undefined
        ? known.filter(({ artistWords }) => begins(artistWords, prefix))
        : known.filter((track) => year === undefined || track.year === year);
    return like.slice(0, 1_500).map((track) => ({ ...track, year: part.years[0] }));
  }

  #sizeOfOtherYear({ years, artist, notArtist }: Part): number | null {
    if (years[0] !== years[1] || artist.length + notArtist.length > 0) return null;
    return this.#wholeYears[0]?.total ?? null;
  }

  #countKnown({ years, artist, notArtist, title }: Part): number | null {
    if (title !== null || artist.length !== 1 || notArtist.length > 0) return null;
    return [...this.#known.values()].filter(
      (track) => track.year >= years[0] && track.year <= years[1] && begins(track.artistWords, artist[0]!),
    ).length;
  }

  #estimate(part: Part): number | null {
    const known = this.#countKnown(part);
    if (known === null || known < 30) return null;
    const recent = this.#recent.slice(0, 5);
    const total = recent.reduce((sum, each) => sum + each.total, 0);
    const share = total === 0 ? 0 : 1 - recent.reduce((sum, each) => sum + each.fresh, 0) / total;
    return share > 0.08 ? known / share : null;
  }
}
