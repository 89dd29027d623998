/**
 * The errors that steer the program. Anything else that is thrown is a defect or a passing fault of
 * the outside, and is worth a retry.
 */

/** A person asked for something that cannot be done as asked: the message says what to do instead. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** The input itself is wrong, so trying again cannot help. The reason is shown to people. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}

/** The outside asks for patience (HTTP 429): wait, without spending an attempt. */
export class WaitError extends Error {
  override readonly name = 'WaitError';
  readonly waitMs: number;

  constructor(message: string, waitMs: number) {
    super(message);
    this.waitMs = waitMs;
  }
}

/** The work was cancelled by a person or by shutdown. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** Too many wait for the same thing already: worth asking for again in a moment. */
export class CrowdedError extends Error {
  override readonly name = 'CrowdedError';
}

/** Turn whatever was thrown into one line for people: no stack, no secrets of a connection string. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  const line = text.split('\n').find((part) => part.trim() !== '') ?? 'unknown error';
  return line.trim().replace(/\b(\w+:\/\/)[^\s/]+@/g, '$1***@');
}
