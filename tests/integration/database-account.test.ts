import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { entryPoint, packageRoot } from '../../shared/paths.ts';
import { query } from '../support/database.ts';
import {
  type Answer,
  askForServer,
  expectNoServer,
  startClient,
  temporaryFolder,
} from '../support/database-processes.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const asNobody = ['setpriv', '--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];

let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => folder.remove());

async function errorOf(dataDir: string, wrap: string[] = []): Promise<string> {
  const { answer, child } = await askForServer(dataDir, wrap);
  child.kill('SIGKILL');
  return describe(answer);
}

const describe = (answer: Answer) => ('error' in answer ? `${answer.name}: ${answer.error}` : 'no error');

test.runIf(isRoot)(
  'as root, the server runs under another account in a folder closed to that account',
  async () => {
    expect(statSync(join(folder.dataDir, '..')).mode & 0o777).toBe(0o700);
    const client = await startClient(folder.dataDir);
    const { uid } = statSync(join(folder.dataDir, 'postgres/data'));
    expect(uid).not.toBe(0);
    expect((await query(client.url, 'SELECT 1')).rowCount).toBe(1);
    await client.release();
  },
);

test.runIf(isRoot && nobodyMayRunHere())(
  'as root in an open folder, and afterwards as its owner, no special right is needed',
  async () => {
    const parent = join(folder.dataDir, '..');
    chmodSync(parent, 0o755);
    mkdirSync(join(folder.dataDir, 'postgres/data'), { recursive: true });
    // A person's own folder, in which root works once (sudo).
    for (const path of ['', 'postgres', 'postgres/data'])
      chownSync(join(folder.dataDir, path), NOBODY, NOBODY);
    rmSync(join(folder.dataDir, 'postgres/data'), { recursive: true });
    const own = await startClient(folder.dataDir, asNobody);
    await own.kill();
    const root = await startClient(folder.dataDir);
    expect(root.url).toBe(own.url);
    await root.release();
  },
);

test.runIf(isRoot)(
  'without the right to pass through closed folders, the message says what to do',
  async () => {
    const bare = [
      'setpriv',
      '--bounding-set=-dac_override,-dac_read_search',
      '--inh-caps=-dac_override,-dac_read_search',
    ];
    mkdirSync(folder.dataDir);
    chmodSync(join(folder.dataDir, '..'), 0o700);
    const message = await errorOf(folder.dataDir, bare);
    expect(message).toMatch(
      /^UserError: PostgreSQL does not run as root.*cannot reach .*set DATA_DIR.*DATABASE_URL/,
    );
  },
);

test('a DATA_DIR that is a file, or lies below one, is named', async () => {
  writeFileSync(folder.dataDir, '');
  expect(await errorOf(folder.dataDir)).toMatch(/^UserError: .*data is, or lies below, a file: set DATA_DIR/);
  expect(await errorOf(join(folder.dataDir, 'deep'))).toMatch(/^UserError: .*is, or lies below, a file/);
});

test.runIf(isRoot && nobodyMayRunHere())('a folder that may not be written is named', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'hiphop-test-'));
  chmodSync(parent, 0o755);
  expect(await errorOf(join(parent, 'data'), asNobody)).toMatch(
    /^UserError: cannot write to .*no permission/,
  );
  rmSync(parent, { recursive: true });
});

test('a folder made by another major version is refused', async () => {
  mkdirSync(join(folder.dataDir, 'postgres/data'), { recursive: true });
  writeFileSync(join(folder.dataDir, 'postgres/data/PG_VERSION'), '14\n');
  expect(await errorOf(folder.dataDir)).toMatch(
    /^UserError: .*made by PostgreSQL 14, this hiphop brings 18.*backup/,
  );
});

test('a folder in use by another machine a moment ago is refused, and free again when that is silent', async () => {
  const state = join(folder.dataDir, 'postgres/server.json');
  mkdirSync(join(folder.dataDir, 'postgres'), { recursive: true });
  writeFileSync(state, JSON.stringify({ port: 1, pid: 2, keeperPid: 2, host: 'elsewhere', version: '18.4' }));
  expect(await errorOf(folder.dataDir)).toMatch(/^UserError: .*in use by machine or container elsewhere/);
  const before = new Date(Date.now() - 60_000);
  utimesSync(state, before, before);
  const client = await startClient(folder.dataDir);
  await client.release();
});

const mayMount = isRoot && canMount();

test.runIf(mayMount)('a full disk is named, and half a database is not kept', async () => {
  mkdirSync(folder.dataDir);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', folder.dataDir]);
  try {
    expect(await errorOf(folder.dataDir)).toMatch(/^UserError: the disk that holds .* is full/);
    execFileSync('mount', ['-o', 'remount,size=300m', folder.dataDir]);
    const client = await startClient(folder.dataDir);
    await client.release();
    await expectNoServer(folder.dataDir, 10_000);
  } finally {
    execFileSync('umount', ['-l', folder.dataDir]);
  }
});

test.runIf(mayMount)('as root, the server runs from a checkout that its account cannot reach', async () => {
  const closed = mkdtempSync(join(tmpdir(), 'hiphop-test-'));
  const checkout = join(closed, 'checkout');
  mkdirSync(checkout);
  // Read-only: whoever clears away what a killed test left must not clear away the checkout.
  execFileSync('mount', ['-o', 'bind,ro', packageRoot, checkout]);
  try {
    const module = entryPoint('shared/database/server.ts').replace(packageRoot, checkout);
    // The rights that a container has, and no more.
    const contained = [
      'setpriv',
      '--bounding-set=-dac_read_search,-sys_admin',
      '--inh-caps=-dac_read_search,-sys_admin',
    ];
    const client = await startClient(folder.dataDir, contained, module);
    expect((await query(client.url, 'SELECT 1')).rowCount).toBe(1);
    await client.release();
    await expectNoServer(folder.dataDir, 10_000);
  } finally {
    execFileSync('umount', ['-l', checkout]);
    for (const path of [checkout, closed]) rmdirSync(path);
  }
});

test.runIf(mayMount)('a read-only file system is named', async () => {
  mkdirSync(folder.dataDir);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', folder.dataDir]);
  try {
    expect(await errorOf(folder.dataDir)).toMatch(/^UserError: cannot write to .*read-only file system/);
  } finally {
    execFileSync('umount', ['-l', folder.dataDir]);
  }
});

/** Not when Node.js itself lies in a closed folder, such as /root. The second exec has no rights left. */
/** Whether another account may run Node and read the checkout: neither may lie in a closed folder. */
function nobodyMayRunHere(): boolean {
  const look = `require('node:fs').readFileSync(${JSON.stringify(join(packageRoot, 'package.json'))})`;
  const [program, ...args] = [...asNobody, process.execPath, '-e', look];
  try {
    execFileSync(program as string, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function canMount(): boolean {
  const target = mkdtempSync(join(tmpdir(), 'hiphop-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', target], { stdio: 'ignore' });
    execFileSync('umount', [target]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}
