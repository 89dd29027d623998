/** Read a search query as Spotify documents it: keywords, field filters, NOT and OR, prefixes by `*`. */
import { type Operators, QueryError } from './types.ts';
import { wordsOf } from './words.ts';

/** Longer queries are answered with 400 by the real search too. */
const longest = 250;
const fields = ['genre', 'year', 'artist', 'track', 'album', 'isrc'] as const;

export type Term =
  | { field: 'year'; from: number; to: number }
  | { field: 'genre' | 'isrc'; text: string }
  /** One word of the field begins with the prefix, or is the word. */
  | { field: 'artist' | 'track' | 'album' | 'any'; word: string; prefix: boolean };

export interface Query {
  /** Each of these holds; of a group one holds. */
  groups: Term[][];
  /** None of these holds. */
  excluded: Term[];
}

/**
 * Read a query.
 * @throws QueryError for what the search answers with 400
 */
export function parseQuery(q: string, operators: Operators): Query {
  if (q.length > longest) throw new QueryError(`Query exceeds maximum length of ${longest} characters`);
  const tokens = q.match(/(?:[a-z]+:)?"[^"]*"|\S+/g) ?? [];
  if (tokens.length === 0) throw new QueryError('No search query');
  const query: Query = { groups: [], excluded: [] };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    const operator = token === 'NOT' || token === 'OR' ? token : null;
    if (operator === null || operators === 'literal') {
      query.groups.push(...readToken(token).map((term) => [term]));
      continue;
    }
    const operand = tokens[++at];
    if (operand === undefined) throw new QueryError(`${operator} lacks what follows it`);
    if (operators === 'ignored') continue;
    const terms = readToken(operand);
    if (operator === 'NOT') query.excluded.push(...terms);
    else {
      const before = query.groups.at(-1);
      if (!before) throw new QueryError('OR lacks what precedes it');
      before.push(...terms);
    }
  }
  return query;
}

/** A token is one term, or several where a quoted text has several words: all of them hold. */
function readToken(token: string): Term[] {
  const match = /^([a-z]+):(.*)$/.exec(token);
  const field = match && (fields as readonly string[]).includes(match[1]!) ? match[1]! : null;
  const text = (field === null ? token : match![2]!).replace(/^"(.*)"$/, '$1');
  if (field === 'year') return [readYears(text)];
  if (field === 'genre' || field === 'isrc') return [{ field, text: text.toLowerCase() }];
  const prefix = text.endsWith('*');
  const words = wordsOf(text);
  return words.map((word, index) => ({
    field: (field ?? 'any') as 'artist' | 'track' | 'album' | 'any',
    word,
    prefix: prefix && index === words.length - 1,
  }));
}

function readYears(text: string): Term {
  const match = /^(\d{4})(?:-(\d{4}))?$/.exec(text);
  if (!match) throw new QueryError(`Invalid year: ${text}`);
  const from = Number(match[1]);
  return { field: 'year', from, to: Number(match[2] ?? from) };
}
