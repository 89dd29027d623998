/** Accounts: who may sign in to the pages, and the tokens of their programs. */
import { createHash, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { forgetAccount } from '../shared/database/forget.ts';
import type { Account, Prisma, PrismaClient, Role } from '../shared/database/generated/client.ts';
import { UserError } from '../shared/errors.ts';

export type { Account, Role };

export const roles = ['viewer', 'artist', 'operator'] as const satisfies readonly Role[];

/** Shortest and longest password, in characters. */
export const passwordLength = { least: 12, most: 500 } as const;

/** What OWASP asks of Argon2id (19 MiB, two passes, one lane): some 30 ms of a core. */
const costs = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Random bytes in a token. */
const tokenBytes = 32;
/** So that a token that leaked is found by those who look for leaked tokens. */
const tokenPrefix = 'hiphop_';
/** Names that mean somebody else in the audit. */
const reserved = ['local', 'nobody'];

type Transaction = Prisma.TransactionClient;

/**
 * Read a name: in lower case, what can stand in an address and on a command line.
 * @throws UserError
 */
export function parseAccountName(text: string): string {
  const name = text.trim().toLowerCase();
  if (!/^[a-z0-9][a-z0-9._@+-]{0,63}$/.test(name) || reserved.includes(name)) {
    throw new UserError(
      `"${text}" is no name for an account: up to 64 letters, digits and . _ @ + -, but not ${reserved.join(' or ')}`,
    );
  }
  return name;
}

/** @throws UserError when it is too easily guessed to stand alone between the network and the pages */
function checkPassword(name: string, password: string): void {
  const { least, most } = passwordLength;
  if (password.length < least || password.length > most) {
    throw new UserError(
      `a password has ${least} to ${most} characters; a few words in a row are easily kept`,
    );
  }
  if (password.toLowerCase().includes(name) && password.length < name.length + least) {
    throw new UserError('this password is little more than the name: choose another');
  }
}

export const hashPassword = (password: string): Promise<string> => hash(password, costs);

/** Whether this is the password, in the time that one of our hashes takes. */
export const isPassword = (passwordHash: string, password: string): Promise<boolean> =>
  verify(passwordHash, password);

/** Changes with the password: a session that carries another one has ended. */
export const passwordStamp = ({ passwordHash }: Pick<Account, 'passwordHash'>): string =>
  sha256(passwordHash).slice(0, 24);

/** @throws UserError when there is none of this name */
export async function findAccount(prisma: PrismaClient | Transaction, name: string): Promise<Account> {
  const found = await prisma.account.findUnique({ where: { name: name.trim().toLowerCase() } });
  if (!found) throw new UserError(`there is no account "${name}"; hiphop accounts list shows them`);
  return found;
}

export interface DescribedAccount {
  account: string;
  role: Role;
  disabled: boolean;
  createdAt: Date;
  /** API tokens that have not expired. */
  tokens: number;
}

export async function listAccounts(prisma: PrismaClient): Promise<DescribedAccount[]> {
  const living = { OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] };
  const rows = await prisma.account.findMany({
    orderBy: { name: 'asc' },
    include: { _count: { select: { tokens: { where: living } } } },
  });
  return rows.map(({ name, role, disabledAt, createdAt, _count }) => ({
    ...{ account: name, role, disabled: disabledAt !== null, createdAt, tokens: _count.tokens },
  }));
}

/**
 * Add an account. From the first one on everybody signs in, so the first is an operator.
 * @throws UserError when the name is taken, or name or password are none
 */
export async function addAccount(
  prisma: PrismaClient,
  asked: { name: string; role: Role; password: string },
): Promise<Account> {
  const name = parseAccountName(asked.name);
  checkPassword(name, asked.password);
  const passwordHash = await hashPassword(asked.password);
  return inTurn(prisma, async (transaction) => {
    if (await transaction.account.findUnique({ where: { name } })) {
      throw new UserError(`there is an account "${name}" already`);
    }
    const account = await transaction.account.create({ data: { name, role: asked.role, passwordHash } });
    await keepOperator(
      transaction,
      'the first account has to be an operator: nobody could look after the others',
    );
    return account;
  });
}

/**
 * Change role or password, disable or enable. A new password and a disabling end the account's sessions
 * and tokens at once.
 * @throws UserError when no operator would be left
 */
export async function changeAccount(
  prisma: PrismaClient,
  name: string,
  change: { role?: Role | undefined; disabled?: boolean | undefined; password?: string | undefined },
): Promise<Account> {
  const { role, disabled, password } = change;
  if (password !== undefined) checkPassword(parseAccountName(name), password);
  const passwordHash = password === undefined ? undefined : await hashPassword(password);
  return inTurn(prisma, async (transaction) => {
    const { id, disabledAt } = await findAccount(transaction, name);
    const account = await transaction.account.update({
      where: { id },
      data: {
        ...(role === undefined ? {} : { role }),
        ...(passwordHash === undefined ? {} : { passwordHash }),
        ...(disabled === undefined ? {} : { disabledAt: disabled ? (disabledAt ?? new Date()) : null }),
      },
    });
    await keepOperator(transaction, lastOperator(name));
    if (passwordHash !== undefined || disabled) {
      await endSessions(transaction, id);
      await transaction.apiToken.deleteMany({ where: { accountId: id } });
    }
    return account;
  });
}

/**
 * Remove an account with all that is its own: tokens, views, songs and their audio. What is at work on them
 * finds them gone and stops. Disabled, it keeps them.
 * @param evenLast also where it is the only account of all: nobody needs to sign in then
 * @throws UserError when no operator would be left
 */
export async function removeAccount(prisma: PrismaClient, name: string, evenLast = false): Promise<void> {
  await inTurn(prisma, async (transaction) => {
    const { id } = await findAccount(transaction, name);
    await forgetAccount(transaction, id);
    await endSessions(transaction, id);
    await keepOperator(transaction, lastOperator(name), evenLast);
  });
}

/**
 * Make a token. It is told here and never again: only its hash is kept.
 * @throws UserError for an account that may not sign in
 */
export async function createToken(
  prisma: PrismaClient,
  account: Pick<Account, 'id' | 'name' | 'disabledAt'>,
  { name, expiresAt }: { name: string; expiresAt: Date | null },
): Promise<{ id: number; token: string }> {
  if (account.disabledAt) throw new UserError(`${account.name} is disabled: hiphop accounts enable first`);
  const token = `${tokenPrefix}${randomBytes(tokenBytes).toString('base64url')}`;
  const { id } = await prisma.apiToken.create({
    data: { accountId: account.id, name, expiresAt, sha256: sha256(token) },
  });
  return { id, token };
}

/** How a token is looked up; null for what cannot be one. */
export function tokenHash(token: string): string | null {
  return token.startsWith(tokenPrefix) && token.length < 200 ? sha256(token) : null;
}

/** Whether anybody has to sign in, and whether somebody could. */
export async function accountsExist(prisma: PrismaClient): Promise<boolean> {
  return (await prisma.account.findFirst({ select: { id: true } })) !== null;
}

export async function hasOperator(prisma: PrismaClient | Transaction): Promise<boolean> {
  return (await prisma.account.findFirst({ where: { role: 'operator', disabledAt: null } })) !== null;
}

const lastOperator = (name: string) =>
  `${name} is the last operator who may sign in: nobody could look after the accounts`;

/** Where there are accounts, one of them is an operator who may sign in. @throws UserError */
async function keepOperator(transaction: Transaction, otherwise: string, orNobody = false): Promise<void> {
  if (await hasOperator(transaction)) return;
  if (orNobody && (await transaction.account.count()) === 0) return;
  throw new UserError(otherwise);
}

async function endSessions(transaction: Transaction, accountId: number): Promise<void> {
  await transaction.$executeRaw`DELETE FROM web_sessions WHERE sess->>'accountId' = ${String(accountId)}`;
}

/** Changes of accounts go one after the other: two that each leave one operator would leave none. */
function inTurn<T>(prisma: PrismaClient, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return prisma.$transaction(async (transaction) => {
    await transaction.$executeRaw`SELECT pg_advisory_xact_lock(801230080)`;
    return work(transaction);
  });
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
