/** Who did what: a row for each change that somebody asked for, also for those that were refused. */
import type { Prisma, PrismaClient } from '../shared/database/generated/client.ts';
import { reasonOf, UserError } from '../shared/errors.ts';
import type { Session } from './session.ts';

export interface AuditEvent {
  /** The account's name; `local` for whoever sits at this machine; `command line`. */
  who: string;
  /** Method and path of the route, or the command. */
  action: string;
  /** Public id of what it was done to. */
  target: string | null;
  details: object;
  /** HTTP status; 200 for a command that did it. */
  status: number;
  reason: string | null;
}

/** Whoever types commands on a machine that has the database. */
export const commandLine = 'command line';

/** A command that changes something, as the audit tells it. */
export interface Audited {
  /** Its name, e.g. `cancel`. */
  action: string;
  /** Public id or name of what it is done to, where that is known before. */
  target?: string | null;
  details?: object;
}

/**
 * Do it, and write down that it was done from a command line, or why not. Waiting for what was begun is
 * no part of it.
 * @param targetOf public id of what came of it
 */
export async function audited<T>(
  { database, log }: Pick<Session, 'database' | 'log'>,
  { action, target = null, details = {} }: Audited,
  work: () => Promise<T>,
  targetOf: (done: T) => string | null = () => target,
): Promise<T> {
  const wrote = (of: string | null, status: number, reason: string | null) =>
    recordAudit(database.prisma, { who: commandLine, action, target: of, details, status, reason }).catch(
      (error) => log.warn({ err: error }, 'an entry of the audit could not be written'),
    );
  let done: T;
  try {
    done = await work();
  } catch (error) {
    await wrote(target, error instanceof UserError ? 422 : 500, reasonOf(error));
    throw error;
  }
  await wrote(targetOf(done), 200, null);
  return done;
}

/** Longest text and list that are kept, and how deep: an entry is to be read, and cannot be made a dump. */
const longestText = 500;
const longestList = 50;
const deepest = 4;

const secret = /password|token|secret|authorization|cookie/i;

/** Write an entry, without secrets. */
export async function recordAudit(prisma: PrismaClient, event: AuditEvent): Promise<void> {
  const { who, action, target, status, reason, details } = event;
  await prisma.auditEntry.create({
    data: {
      ...{ who: storable(who), action, status },
      target: target && storable(target),
      reason: reason && storable(reason),
      details: withoutSecrets(details) as Prisma.InputJsonValue,
    },
  });
}

/** A value as the audit keeps it: nothing that is named like a secret, nothing endless. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (value instanceof Date) return value.toISOString();
  if (depth === deepest) return '…';
  if (Array.isArray(value)) {
    const kept = value.slice(0, longestList).map((item) => withoutSecrets(item, depth + 1));
    return value.length > longestList ? [...kept, `… ${value.length - longestList} more`] : kept;
  }
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries
      .slice(0, longestList)
      .map(([name, item]) => [
        storable(name),
        secret.test(name) ? '(redacted)' : withoutSecrets(item, depth + 1),
      ]),
  );
}

/** PostgreSQL takes neither NUL nor half a surrogate pair: an entry must not fail for what was sent. */
function storable(text: string): string {
  const cut = text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  return Buffer.from(cut.replaceAll('\0', '\u{fffd}')).toString();
}
