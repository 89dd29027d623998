/** Accounts, as operators look after them. */
import { z } from 'zod';
import {
  addAccount,
  changeAccount,
  type DescribedAccount,
  listAccounts,
  removeAccount,
  roles,
} from '../../../producers/accounts.ts';
import type { PrismaClient } from '../../../shared/database/generated/client.ts';
import { operators } from '../../access/caller.ts';
import { notFound } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { password } from './me-routes.ts';
import { type Account, accountSchema } from './schemas.ts';

const role = z
  .enum(roles)
  .describe('viewer: sees; artist: sees, and has songs of their own; operator: may do everything');
const params = z.object({ account: z.string().min(1).max(64).describe("the account's name") });

export const accountRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/accounts',
    allows: operators,
    tag: 'access',
    summary: 'List accounts',
    answer: z.array(accountSchema),
    run: async (_input, { session }) => (await listAccounts(session.database.prisma)).map(describe),
  }),
  route({
    method: 'post',
    path: '/accounts',
    allows: operators,
    tag: 'access',
    summary: 'Add an account',
    description: 'From the first one on everybody signs in: that one is an operator.',
    body: z.object({
      name: z.string().min(1).max(64).describe('letters, digits and . _ @ + -, in lower case'),
      role,
      password,
    }),
    answer: accountSchema,
    status: 201,
    target: ({ body }) => body.name.trim().toLowerCase(),
    run: async ({ body }, { session }) => {
      const { prisma } = session.database;
      return described(prisma, (await addAccount(prisma, body)).name);
    },
  }),
  route({
    method: 'patch',
    path: '/accounts/{account}',
    allows: operators,
    tag: 'access',
    summary: 'Change the role of an account, disable or enable it, or give it another password',
    description:
      'A new password and a disabling end its sessions and tokens at once. One operator who may sign in always stays.',
    params,
    body: z.object({ role, disabled: z.boolean(), password }).partial(),
    answer: accountSchema,
    run: async ({ params: { account: name }, body }, { session }) => {
      const { prisma } = session.database;
      return described(prisma, (await changeAccount(prisma, name, body)).name);
    },
  }),
  route({
    method: 'delete',
    path: '/accounts/{account}',
    allows: operators,
    tag: 'access',
    summary: 'Remove an account with its tokens, views and songs',
    description: 'Disabled instead, it keeps what is its own.',
    params,
    answer: null,
    run: ({ params: { account: name } }, { session }) =>
      removeAccount(session.database.prisma, name).then(() => undefined),
  }),
];

async function described(prisma: PrismaClient, name: string): Promise<Account> {
  const found = (await listAccounts(prisma)).find((row) => row.account === name);
  return found ? describe(found) : notFound(`account "${name}"`);
}

const describe = ({ createdAt, ...row }: DescribedAccount): Account => ({
  ...row,
  createdAt: createdAt.toISOString(),
});
