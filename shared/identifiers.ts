import { UserError } from './errors.ts';

/** What a person can name on the command line, in an address or a log: `model-7`, `crawl-3`. */
export const nouns = [
  ...(['crawl', 'track', 'song', 'batch', 'data-set'] as const),
  ...(['run', 'model', 'failure', 'night'] as const),
] as const;
export type Noun = (typeof nouns)[number];

/** The public name of a row, e.g. `model-7`. */
export function publicId(noun: Noun, id: number): string {
  return `${noun}-${id}`;
}

/**
 * Read a public name back.
 * @param allowed the nouns that make sense here; with a single one the bare number is taken too
 * @throws UserError that shows an example of what is expected
 */
export function parsePublicId(text: string, allowed: readonly Noun[]): { noun: Noun; id: number } {
  const match = /^(?:([a-z-]+)-)?(\d{1,9})$/.exec(text.trim().toLowerCase());
  const noun = match?.[1] ?? (allowed.length === 1 ? allowed[0] : undefined);
  if (!match || !allowed.includes(noun as Noun)) {
    const examples = allowed.map((name) => publicId(name, 3)).join(' or ');
    throw new UserError(`"${text}" names nothing here: expected something like ${examples}`);
  }
  return { noun: noun as Noun, id: Number(match[2]) };
}
