import { Argument, type Command, Option } from 'commander';
import {
  addAccount,
  changeAccount,
  createToken,
  findAccount,
  listAccounts,
  parseAccountName,
  type Role,
  removeAccount,
  roles,
} from '../accounts.ts';
import { commandLine, recordAudit } from '../audit.ts';
import { runInSession } from '../cli.ts';
import { print, printJson, table, tell } from '../output.ts';
import { newPassword } from '../password-prompt.ts';
import type { Session } from '../session.ts';
import { positive } from './schedule-add.ts';

interface JsonOption {
  json?: boolean;
}

interface PasswordOptions extends JsonOption {
  passwordStdin?: boolean;
}

const dayMs = 24 * 3_600_000;

export function registerAccounts(program: Command): void {
  const accounts = program
    .command('accounts')
    .description(
      'who may sign in to the pages; without any, this machine alone may use them, without a password',
    );

  accounts
    .command('list', { isDefault: true })
    .description('the accounts with their roles')
    .option('--json', 'print the list as JSON')
    .action((options: JsonOption) => runInSession((session) => list(session, options)));

  withPassword(accounts.command('add'))
    .description('add an account; from the first one on everybody signs in')
    .argument('<name>')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).makeOptionMandatory())
    .action((name: string, options: PasswordOptions & { role: Role }) =>
      runInSession((session) => add(session, name, options)),
    );

  accounts
    .command('role')
    .description('viewer: sees; artist: sees, and has songs of their own; operator: may do everything')
    .argument('<name>')
    .addArgument(new Argument('<role>').choices(roles))
    .option('--json', 'print the outcome as JSON')
    .action((name: string, role: Role, options: JsonOption) =>
      runInSession((session) =>
        change(session, { verb: 'role', name, said: `is ${role} now`, role }, options),
      ),
    );

  for (const [verb, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const) {
    accounts
      .command(verb)
      .description(
        disabled
          ? 'let it sign in no more: its sessions and tokens end now, its songs stay'
          : 'let it sign in again',
      )
      .argument('<name>')
      .option('--json', 'print the outcome as JSON')
      .action((name: string, options: JsonOption) =>
        runInSession((session) => change(session, { verb, name, said: `is ${verb}d`, disabled }, options)),
      );
  }

  withPassword(accounts.command('password'))
    .description('give it another password: its sessions and tokens end now')
    .argument('<name>')
    .action((name: string, options: PasswordOptions) =>
      runInSession(async (session) => {
        await findAccount(session.database.prisma, name);
        const password = await newPassword(name, { piped: options.passwordStdin ?? false });
        await change(session, { verb: 'password', name, said: 'has another password', password }, options);
      }),
    );

  accounts
    .command('remove')
    .description('remove it with its tokens, views and songs; disabled instead, it keeps them')
    .argument('<name>')
    .option('--json', 'print the outcome as JSON')
    .action((name: string, options: JsonOption) => runInSession((session) => remove(session, name, options)));

  accounts
    .command('token')
    .description('make a token for a program, which may do what the account may; it is shown once')
    .argument('<name>')
    .option('--for <what>', 'what it is for', 'made on the command line')
    .option('--expires <days>', 'for so many days; else until it is revoked', positive)
    .option('--json', 'print it as JSON')
    .action((name: string, options: JsonOption & { for: string; expires?: number }) =>
      runInSession((session) => token(session, name, options)),
    );
}

function withPassword(command: Command): Command {
  return command
    .option('--password-stdin', 'read the password from standard input instead of asking for it')
    .option('--json', 'print the outcome as JSON');
}

async function list({ database }: Session, { json }: JsonOption): Promise<void> {
  const accounts = await listAccounts(database.prisma);
  if (json) return printJson({ accounts });
  if (accounts.length === 0) {
    print('no accounts: the pages are for this machine alone, and ask for no password');
    return;
  }
  const rows = accounts.map(({ account, role, disabled, createdAt, tokens }) => [
    ...[account, role, disabled ? 'disabled' : ''],
    ...[tokens, createdAt.toISOString()],
  ]);
  print(table(['account', 'role', '', 'tokens', 'since'], rows));
}

async function add(
  session: Session,
  asked: string,
  { role, passwordStdin, json }: PasswordOptions & { role: Role },
): Promise<void> {
  const name = parseAccountName(asked);
  const password = await newPassword(name, { piped: passwordStdin ?? false });
  await addAccount(session.database.prisma, { name, role, password });
  await wrote(session, 'add', name, { role });
  if (json) printJson({ account: name, role });
  else print(`${name} is ${role}; the pages ask everybody to sign in`);
}

interface Change {
  verb: string;
  name: string;
  /** What came of it, after the name. */
  said: string;
  role?: Role;
  disabled?: boolean;
  password?: string;
}

async function change(session: Session, asked: Change, { json }: JsonOption): Promise<void> {
  const { verb, name: text, said, role, disabled, password } = asked;
  const { name, ...changed } = await changeAccount(session.database.prisma, text, {
    role,
    disabled,
    password,
  });
  await wrote(session, verb, name, role ? { role } : {});
  if (json) printJson({ account: name, role: changed.role, disabled: changed.disabledAt !== null });
  else print(`${name} ${said}`);
}

async function remove(session: Session, text: string, { json }: JsonOption): Promise<void> {
  const { prisma } = session.database;
  const { name } = await findAccount(prisma, text);
  await removeAccount(prisma, name, true);
  await wrote(session, 'remove', name, {});
  if (json) printJson({ removed: name });
  else print(`${name} is removed`);
  if ((await listAccounts(prisma)).length === 0) {
    tell('no account is left: the pages are for this machine alone, and ask for no password');
  }
}

async function token(
  session: Session,
  text: string,
  { json, expires, for: name }: JsonOption & { for: string; expires?: number },
): Promise<void> {
  const { prisma } = session.database;
  const account = await findAccount(prisma, text);
  const expiresAt = expires === undefined ? null : new Date(Date.now() + expires * dayMs);
  const made = await createToken(prisma, account, { name, expiresAt });
  await wrote(session, 'token', account.name, { for: name, expiresAt });
  if (json) printJson({ account: account.name, ...made, expiresAt });
  else {
    tell(
      `a token of ${account.name}, shown this once${expiresAt ? `, until ${expiresAt.toISOString()}` : ''}:`,
    );
    print(made.token);
  }
}

async function wrote({ database }: Session, verb: string, target: string, details: object): Promise<void> {
  const event = { action: `accounts ${verb}`, target, details, status: 200, reason: null };
  await recordAudit(database.prisma, { who: commandLine, ...event });
}
