import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { isPassword, listAccounts, tokenHash } from '../../producers/accounts.ts';
import { packageRoot } from '../../shared/paths.ts';
import { hiphop, hiphopJson } from '../support/cli.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';

// Several commands a test, each some seconds of a core that may be busy otherwise.
vi.setConfig({ testTimeout: 120_000 });

let bench: QueueBench;
let environment: Record<string, string>;
const dataDir = mkdtempSync(join(tmpdir(), 'hiphop-accounts-'));

beforeAll(async () => {
  bench = await openBench('postgresql');
  environment = { ...bench.environment, DATA_DIR: dataDir };
});
afterEach(async () => {
  await bench.database.prisma.account.deleteMany();
  await bench.database.prisma.auditEntry.deleteMany();
});
afterAll(async () => {
  await bench?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Run a command with something piped in, or on a terminal of its own where it is typed. */
function typed(
  args: string[],
  input: string,
  terminal = false,
): Promise<{ status: number | null; said: string }> {
  const program = join(packageRoot, 'bin', 'hiphop.mjs');
  const child = terminal
    ? spawn('script', ['-qec', [process.execPath, program, ...args].join(' '), '/dev/null'], options())
    : spawn(process.execPath, [program, ...args], options());
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      // Typed when it is asked for, as a person does.
      if (terminal && /(password for \w+|once more): $/.test(said))
        child.stdin.write(`${lines.shift() ?? ''}\r`);
    });
  }
  const lines = input.split('\n');
  if (!terminal) child.stdin.end(input);
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, said })));
}

const options = () => ({ cwd: packageRoot, env: { ...process.env, ...environment } });

test('add, list, role, password, token, disable, enable, remove; what was done is in the audit', async () => {
  const { prisma } = bench.database;
  expect((await hiphop(['accounts'], environment)).stdout).toMatch(/^no accounts: .* this machine alone/);
  const first = await typed(
    ['accounts', 'add', 'Ops', '--role', 'viewer', '--password-stdin'],
    'long enough for all\n',
  );
  expect(first).toMatchObject({
    status: 2,
    said: expect.stringContaining('the first account has to be an operator'),
  });
  const added = await typed(
    ['accounts', 'add', 'Ops', '--role', 'operator', '--password-stdin', '--json'],
    'long enough for all\n',
  );
  expect(added).toEqual({ status: 0, said: '{"account":"ops","role":"operator"}\n' });
  await typed(
    ['accounts', 'add', 'ann', '--role', 'artist', '--password-stdin'],
    'this is the password of ann',
  );
  expect(await hiphopJson(['accounts', 'role', 'ann', 'viewer'], environment)).toEqual({
    ...{ account: 'ann', role: 'viewer', disabled: false },
  });
  const made = await hiphopJson<{ token: string; id: number }>(
    ['accounts', 'token', 'ann', '--expires', '7'],
    environment,
  );
  const row = await prisma.apiToken.findUniqueOrThrow({ where: { id: made.id } });
  expect(row.sha256).toBe(tokenHash(made.token));
  expect(row.expiresAt!.getTime() / 86_400_000).toBeCloseTo(Date.now() / 86_400_000 + 7, 2);
  const changed = await typed(
    ['accounts', 'password', 'ann', '--password-stdin'],
    'ann has changed her mind',
  );
  expect(changed).toEqual({ status: 0, said: 'ann has another password\n' });
  const ann = await prisma.account.findUniqueOrThrow({ where: { name: 'ann' }, include: { tokens: true } });
  expect(await isPassword(ann.passwordHash, 'ann has changed her mind')).toBe(true);
  expect(ann.tokens).toEqual([]);
  expect((await hiphop(['accounts', 'disable', 'ann'], environment)).stdout).toBe('ann is disabled\n');
  const { accounts } = await hiphopJson<{ accounts: object[] }>(['accounts', 'list'], environment);
  expect(accounts).toMatchObject([
    { account: 'ann', role: 'viewer', disabled: true, tokens: 0 },
    { account: 'ops', role: 'operator', disabled: false, tokens: 0 },
  ]);
  expect((await hiphop(['accounts', 'token', 'ann'], environment)).stderr).toContain('ann is disabled');
  expect((await hiphop(['accounts', 'enable', 'ann'], environment)).stdout).toBe('ann is enabled\n');
  const kept = await hiphop(['accounts', 'remove', 'ops'], environment);
  expect(kept).toMatchObject({ status: 2, stderr: expect.stringContaining('ops is the last operator') });
  await hiphopJson(['accounts', 'remove', 'ann'], environment);
  const last = await hiphop(['accounts', 'remove', 'ops'], environment);
  expect(last).toMatchObject({ status: 0, stderr: expect.stringContaining('ask for no password') });
  expect(await listAccounts(prisma)).toEqual([]);

  const audit = await prisma.auditEntry.findMany({ orderBy: { id: 'asc' } });
  const verbs = ['add', 'add', 'role', 'token', 'password', 'disable', 'enable', 'remove', 'remove'];
  expect(audit.map(({ action }) => action)).toEqual(verbs.map((verb) => `accounts ${verb}`));
  expect(new Set(audit.map(({ who }) => who))).toEqual(new Set(['command line']));
  expect(JSON.stringify(audit)).not.toMatch(/password of ann|changed her mind|hiphop_|argon2/);
});

test('a password is typed twice and not seen', async () => {
  const add = ['accounts', 'add', 'ops', '--role', 'operator'];
  const good = await typed(add, 'typed on a terminal\ntyped on a terminal\n', true);
  expect(good.said).toContain('ops is operator');
  expect(good.said).not.toContain('typed on');
  expect(good.status).toBe(0);
  const { passwordHash } = await bench.database.prisma.account.findUniqueOrThrow({ where: { name: 'ops' } });
  expect(await isPassword(passwordHash, 'typed on a terminal')).toBe(true);
  const other = await typed(['accounts', 'password', 'ops'], 'one long password\nanother long one\n', true);
  expect(other.status).toBe(2);
  expect(other.said).toContain('the two passwords differ: nothing was changed');
});

test.each([
  [['add', 'ops', '--role', 'operator'], /there is no terminal to type a password on: .*--password-stdin/],
  [['add', 'local', '--role', 'operator'], /"local" is no name for an account/],
  [['add', 'ops', '--role', 'king'], /Allowed choices are viewer, artist, operator/],
  [['add', 'ops'], /--role/],
  [['remove', 'ops'], /there is no account "ops"/],
  [['token', 'ops', '--expires', '0'], /expected/],
])('accounts %j is refused with a reason', async (args, reason) => {
  const { status, stdout, stderr } = await hiphop(['accounts', ...args], environment);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(reason);
});
