/** Who one is, accounts, tokens, the audit, saved views. */
import { z } from 'zod';

export const roleSchema = z.enum(['viewer', 'artist', 'operator']);

export const meSchema = z.object({
  name: z.string().nullable().describe('null: not signed in'),
  role: roleSchema.nullable(),
  csrf: z.string().nullable().describe('to be sent as X-CSRF-Token with what changes something'),
  needsSignIn: z.boolean().describe('false: no accounts exist, and whoever sits at this machine may do everything'),
  limits: z.object({ uploadMaxBytes: z.int(), uploadMaxFiles: z.int() }),
});
export type Me = z.infer<typeof meSchema>;

export const viewSchema = z.object({
  id: z.int(),
  page: z.string(),
  name: z.string(),
  search: z.string(),
  shared: z.boolean(),
  own: z.boolean(),
  by: z.string().describe('whose view it is'),
});
export type View = z.infer<typeof viewSchema>;
