/** Who did what: each request that changes something, also the refused ones. */
import { type AuditEvent, recordAudit } from '../../producers/audit.ts';
import type { PrismaClient } from '../../shared/database/generated/client.ts';
import type { Logger } from '../../shared/logging.ts';
import type { Input, Route } from './route.ts';

export type { AuditEvent };

export interface Audit {
  write: (event: AuditEvent) => Promise<void>;
}

export function createAudit(prisma: PrismaClient, log: Logger): Audit {
  return {
    write: async (event) => {
      const { details: _, ...said } = event;
      await recordAudit(prisma, event).catch((error) =>
        log.error({ err: error, ...said }, 'an entry of the audit could not be written'),
      );
    },
  };
}

/**
 * What was asked for. Of songs no texts: names of files, batches and songs are their owner's, and gone for good
 * when they are deleted.
 */
export function detailsOf({ tag }: Pick<Route, 'tag'>, asked: Input<unknown, unknown, unknown>): object {
  const details = { ...(asked.query as object), ...(asked.body as object) };
  if (tag !== 'songs') return details;
  const kept = ([name, value]: [string, unknown]) => name === 'model' || typeof value !== 'string';
  return Object.fromEntries(Object.entries(details).filter(kept));
}
