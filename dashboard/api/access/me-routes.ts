/** Signing in and out, and what is one's own: password and tokens. */
import { z } from 'zod';
import {
  type Account,
  accountsExist,
  changeAccount,
  createToken,
  passwordLength,
} from '../../../producers/accounts.ts';
import { identityOf, servicesOf } from '../../access/access.ts';
import { everyone } from '../../access/caller.ts';
import { notFound, Problem } from '../problem.ts';
import { type Context, type Route, route } from '../route.ts';
import { type Me, meSchema, newTokenSchema, type Token, tokenSchema } from './schemas.ts';

const dayMs = 24 * 3_600_000;

export const password = z
  .string()
  .min(passwordLength.least)
  .max(passwordLength.most)
  .describe(`${passwordLength.least} characters or more`);

const typed = z.string().max(passwordLength.most);

export const meRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/me',
    tag: 'access',
    summary: 'Say who asks, and what applies to them',
    answer: meSchema,
    run: (_input, context) => describeMe(context),
  }),
  route({
    method: 'post',
    path: '/sign-in',
    tag: 'access',
    summary: 'Sign a browser in',
    description:
      'Programs send a token instead. Ten wrong passwords for a name from one address, or thirty from one address: ' +
      '429 for up to 15 minutes.',
    body: z.object({ name: z.string().min(1).max(100), password: typed }),
    answer: meSchema,
    target: ({ body }) => body.name.trim().toLowerCase(),
    run: async ({ body }, context) => {
      const { request, response } = context;
      await servicesOf(response).signIn(body, request, response);
      return describeMe(context);
    },
  }),
  route({
    method: 'post',
    path: '/sign-out',
    tag: 'access',
    summary: 'End this session',
    answer: null,
    run: async (_input, { request, response }) => servicesOf(response).signOut(request, response),
  }),
  route({
    method: 'post',
    path: '/me/password',
    allows: everyone,
    tag: 'access',
    summary: "Change one's own password",
    description: 'All other sessions and all tokens of the account end.',
    body: z.object({ currentPassword: typed, password }),
    answer: null,
    run: async ({ body }, context) => {
      const { session, request, response } = context;
      const services = servicesOf(response);
      const account = await ownAccount(context);
      if (!(await services.isOwnPassword(account, body.currentPassword, request, response))) {
        throw new Problem(422, 'the current password is not this one');
      }
      const changed = await changeAccount(session.database.prisma, account.name, { password: body.password });
      if (identityOf(response).by === 'session') await services.admit(changed, request, response);
      return undefined;
    },
  }),
  route({
    method: 'get',
    path: '/me/tokens',
    allows: everyone,
    tag: 'access',
    summary: "List one's own tokens",
    answer: z.array(tokenSchema),
    run: async (_input, { session, caller: { accountId } }) => {
      if (accountId === null) return [];
      const rows = await session.database.prisma.apiToken.findMany({
        where: { accountId },
        orderBy: { id: 'desc' },
      });
      return rows.map(describeToken);
    },
  }),
  route({
    method: 'post',
    path: '/me/tokens',
    allows: everyone,
    tag: 'access',
    summary: 'Make a token for a program',
    description: 'It may do what its account may. A token makes no tokens: that needs a session.',
    body: z.object({
      name: z.string().trim().min(1).max(80).describe('what it is for'),
      expiresInDays: z.int().min(1).max(3650).nullable().default(90).describe('null: never'),
    }),
    answer: newTokenSchema,
    status: 201,
    target: (_input, { id }) => `token-${id}`,
    run: async ({ body: { name, expiresInDays } }, context) => {
      if (identityOf(context.response).by === 'token') {
        throw new Problem(422, 'a token makes no tokens: sign in, or use hiphop accounts token');
      }
      const { prisma } = context.session.database;
      const expiresAt = expiresInDays === null ? null : new Date(Date.now() + expiresInDays * dayMs);
      const made = await createToken(prisma, await ownAccount(context), { name, expiresAt });
      const row = await prisma.apiToken.findUniqueOrThrow({ where: { id: made.id } });
      return { ...describeToken(row), token: made.token };
    },
  }),
  route({
    method: 'delete',
    path: '/me/tokens/{token}',
    allows: everyone,
    tag: 'access',
    summary: "Revoke one of one's own tokens",
    params: z.object({ token: z.coerce.number().int().min(1).max(2_147_483_647) }),
    answer: null,
    run: async ({ params }, { session, caller: { accountId } }) => {
      const { count } =
        accountId === null
          ? { count: 0 }
          : await session.database.prisma.apiToken.deleteMany({ where: { id: params.token, accountId } });
      if (count === 0) notFound(`token ${params.token} of yours`);
      return undefined;
    },
  }),
];

async function describeMe({ session, request, response }: Context): Promise<Me> {
  const { caller } = identityOf(response);
  const { uploadMaxBytes, uploadMaxFiles } = session.config.dashboard;
  return {
    name: caller?.name ?? null,
    role: caller?.role ?? null,
    csrf: servicesOf(response).csrfTokenOf(request, response),
    needsSignIn:
      caller?.accountId === null
        ? false
        : caller !== undefined || (await accountsExist(session.database.prisma)),
    limits: { uploadMaxBytes, uploadMaxFiles },
  };
}

/** @throws Problem 422 where nobody has an account */
async function ownAccount({ session, caller }: Context): Promise<Account> {
  if (caller.accountId === null) {
    throw new Problem(422, 'on this machine nobody needs an account yet: hiphop accounts add makes one');
  }
  return session.database.prisma.account.findUniqueOrThrow({ where: { id: caller.accountId } });
}

interface TokenRow {
  id: number;
  name: string;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

const describeToken = ({ id, name, createdAt, expiresAt, lastUsedAt }: TokenRow): Token => ({
  ...{ id, name, createdAt: createdAt.toISOString() },
  expiresAt: expiresAt?.toISOString() ?? null,
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
});
