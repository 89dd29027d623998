/** The one shape of errors: problem details (RFC 9457). */
import { z } from 'zod';
import { CancelledError, CrowdedError, PermanentError, reasonOf, UserError } from '../../shared/errors.ts';

export const problemSchema = z.object({
  type: z.string().describe('what kind of problem, as an address within this API'),
  title: z.string().describe('the kind in words'),
  status: z.int(),
  detail: z.string().describe('what is wrong and what to do'),
  errors: z
    .array(z.object({ at: z.string().describe('where in the request'), message: z.string() }))
    .optional()
    .describe('each thing that is wrong with the request'),
});
export type ProblemDetails = z.infer<typeof problemSchema>;

const titles = {
  400: ['invalid-request', 'The request does not fit'],
  401: ['sign-in-required', 'Sign in first'],
  403: ['not-allowed', 'Not allowed'],
  404: ['not-found', 'There is no such thing'],
  405: ['method-not-allowed', 'This cannot be done with it'],
  409: ['conflict', 'Something else is under way'],
  413: ['too-large', 'Too large'],
  415: ['wrong-media-type', 'Not of a kind that is taken'],
  422: ['cannot-be-done', 'This cannot be done'],
  429: ['too-many-requests', 'Too many requests'],
  500: ['unforeseen', 'Something unforeseen happened'],
  503: ['unavailable', 'Not available now'],
} as const;
export type ProblemStatus = keyof typeof titles;

/** An error that knows its status. `detail` is for people: it says what to do. */
export class Problem extends Error {
  readonly status: ProblemStatus;
  readonly errors: ProblemDetails['errors'];

  constructor(status: ProblemStatus, detail: string, errors?: ProblemDetails['errors']) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }

  details(): ProblemDetails {
    const [type, title] = titles[this.status];
    const { status, message: detail, errors } = this;
    return { type: `/api/problems#${type}`, title, status, detail, ...(errors ? { errors } : {}) };
  }
}

/** @throws Problem 404 */
export function notFound(what: string): never {
  throw new Problem(404, `there is no ${what}`);
}

/** Read a request's part. @throws Problem 400 that names each thing that is wrong */
export function parsePart<T>(schema: z.ZodType<T>, value: unknown, part: 'path' | 'query' | 'body'): T {
  if (holdsNul(value)) throw new Problem(400, `${part}: a NUL character stands in it`);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    at: [part, ...path.map(String)].join('.'),
    message,
  }));
  throw new Problem(400, errors.map(({ at, message }) => `${at}: ${message}`).join('; '), errors);
}

/** PostgreSQL takes no NUL in a text. Without recursion: a body may be nested as deep as it is long. */
function holdsNul(value: unknown): boolean {
  const rest = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next === 'string' && next.includes('\0')) return true;
    if (typeof next === 'object' && next !== null) for (const part of Object.values(next)) rest.push(part);
  }
  return false;
}

/**
 * What an error is to whoever asked. What was not foreseen tells nothing of this machine: its words go to
 * the log alone.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof CrowdedError) return new Problem(503, error.message);
  if (error instanceof UserError || error instanceof PermanentError || error instanceof CancelledError) {
    const missing = /^there is no /.test(error.message);
    return new Problem(missing ? 404 : 422, reasonOf(error));
  }
  const { status, type } = error as { status?: unknown; type?: unknown };
  if (status === 413) return new Problem(413, 'the request is larger than is taken here');
  if (status === 415) return new Problem(415, 'the body is in a character set or encoding that is not taken');
  if (status === 400 && type === 'entity.parse.failed') return new Problem(400, 'the body is no JSON');
  // 416: a part of a file that is not in it.
  if (status === 400 || status === 416) return new Problem(400, 'the request cannot be read');
  return new Problem(500, 'this was not foreseen; the log of the server says what it was');
}
