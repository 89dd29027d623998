/** Who did what: each request that changes something, also the refused ones. */
import { type AuditEvent, recordAudit } from '../../producers/audit.ts';
import type { PrismaClient } from '../../shared/database/generated/client.ts';
import type { Logger } from '../../shared/logging.ts';
import type { Input } from './route.ts';

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

/** What was asked for. */
export function detailsOf({ query, body }: Input<unknown, unknown, unknown>): object {
  return { ...(query as object), ...(body as object) };
}
