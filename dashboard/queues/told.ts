/** What the queues' board tells of a job: no folder of the server, no secret, and a stack to operators alone. */
import { withoutFolders } from '../../shared/failure-causes.ts';

/** Texts are cut to so many characters, lists to so many items. */
const longest = 200;

/** Payloads hold ids; what else somebody put there is cut, and what looks like a secret is not shown. */
export function shortened(value: unknown): unknown {
  if (typeof value === 'string') {
    const text = withoutFolders(value);
    return text.length > longest ? `${text.slice(0, longest)} …` : text;
  }
  if (Array.isArray(value)) return value.slice(0, longest).map(shortened);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name,
      /password|secret|token/i.test(name) ? '(redacted)' : shortened(part),
    ]),
  );
}

/** Parts of a job that hold words of the program. */
const errors = new Set(['failedReason', 'deferredFailure', 'message', 'details']);
const loads = new Set(['opts', 'progress', 'data', 'returnValue', 'returnvalue', 'template']);

/**
 * An answer of the board as it may be told.
 * @param stacks whether whoever asks may read stacks
 */
export function told(body: unknown, stacks: boolean): unknown {
  // The log of a job is a list of lines.
  if (Array.isArray(body))
    return body.map((item) => (typeof item === 'string' ? inWords(item, stacks) : told(item, stacks)));
  if (body === null || typeof body !== 'object') return body;
  return Object.fromEntries(
    Object.entries(body).map(([name, part]) => {
      if (name === 'stacktrace') return [name, stacks ? told(part, true) : []];
      if (loads.has(name)) return [name, shortened(part)];
      if (errors.has(name) && typeof part === 'string') return [name, inWords(part, stacks)];
      return [name, told(part, stacks)];
    }),
  );
}

/** A reason ends with its first line; what follows is where in the program it happened. */
function inWords(text: string, stacks: boolean): string {
  return withoutFolders(stacks ? text : text.split('\n')[0]!);
}
