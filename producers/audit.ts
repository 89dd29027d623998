/** Who did what: a row for each change that somebody asked for, also for those that were refused. */
import type { Prisma, PrismaClient } from '../shared/database/generated/client.ts';

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
