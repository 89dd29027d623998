/** What rows say, for people, without folders of this machine. */
import { crawlQuerySchema } from '../../../shared/sources/spotify/query.ts';

/** What a crawl was asked for. */
export function askedFor(source: string, query: unknown): string {
  const parsed = crawlQuerySchema.safeParse(query);
  if (parsed.success) {
    const { genre, years, market, limit } = parsed.data;
    const span = years[0] === years[1] ? `${years[0]}` : `${years[0]} to ${years[1]}`;
    return `${genre}, ${span}, market ${market}${limit === null ? '' : `, ${limit} tracks at most`}`;
  }
  const path = (query as { path?: unknown } | null)?.path;
  return typeof path === 'string' ? `the catalogue ${lastName(path)}` : `a catalogue of ${source}`;
}

/** A file's name without its folders. */
export function lastName(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}

/** A subject of a failure: a title, or a file by its name alone. */
export function subjectInWords(subject: string): string {
  return /^([A-Za-z]:)?[\\/]/.test(subject) ? lastName(subject) : subject;
}
