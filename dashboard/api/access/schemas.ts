/** What the API says of accounts, tokens, the audit and saved views. */
import { z } from 'zod';

export const roleSchema = z.enum(['viewer', 'artist', 'operator']);
const moment = z.iso.datetime().describe('ISO 8601, in UTC');

export const meSchema = z.object({
  name: z.string().nullable().describe('of the account; `local` where nobody needs one; null: not signed in'),
  role: roleSchema.nullable(),
  csrf: z.string().nullable().describe('what a browser sends as X-CSRF-Token with each change'),
  needsSignIn: z.boolean().describe('whether there are accounts here'),
  limits: z.object({
    uploadMaxBytes: z.int().describe('of one file, in bytes'),
    uploadMaxFiles: z.int().describe('of one batch'),
  }),
});
export type Me = z.infer<typeof meSchema>;

export const accountSchema = z.object({
  account: z.string().describe('its name'),
  role: roleSchema,
  disabled: z.boolean().describe('may not sign in; what is theirs stays'),
  createdAt: moment,
  tokens: z.int().describe('API tokens that have not expired'),
});
export type Account = z.infer<typeof accountSchema>;

export const tokenSchema = z.object({
  id: z.int(),
  name: z.string(),
  createdAt: moment,
  expiresAt: moment.nullable().describe('null: never'),
  lastUsedAt: moment.nullable().describe('to the minute; null: never yet'),
});
export type Token = z.infer<typeof tokenSchema>;

export const newTokenSchema = z.object({
  ...tokenSchema.shape,
  token: z.string().describe('told here alone: only its hash is kept'),
});
export type NewToken = z.infer<typeof newTokenSchema>;

export const auditEntrySchema = z.object({
  id: z.int(),
  at: moment,
  who: z.string().describe('an account, `local`, `command line`, or `nobody`'),
  action: z.string().describe('method and path of the API, or the command'),
  target: z.string().nullable().describe('public id of what it was done to'),
  details: z.record(z.string(), z.unknown()).describe('what was asked for, without secrets'),
  status: z.int().describe('HTTP status of the answer'),
  reason: z.string().nullable().describe('why it was refused or failed'),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export const viewSchema = z.object({
  id: z.int(),
  page: z.string().describe("the page's path"),
  name: z.string(),
  search: z.string().describe('what stands behind the address, from the `?` on'),
  shared: z.boolean().describe('whether others see it'),
  by: z.string().describe('whose it is'),
  own: z.boolean().describe("whether it is the caller's"),
});
export type View = z.infer<typeof viewSchema>;
