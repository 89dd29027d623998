import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entryPoint } from '../../../shared/paths.ts';
import { reasonOfPip } from '../../../shared/tensorflow/download.ts';
import {
  findCompiler,
  findPython,
  hasNvidiaDriver,
  thisMachine,
} from '../../../shared/tensorflow/machine.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hiphop-machine-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('findPython', () => {
  test('finds one that has pip, passing over those that have not', async () => {
    const bare = script('bare', 'echo "$0: No module named pip" >&2; exit 1');
    const good = script('good', 'echo "pip 24.0 from /usr/lib/python3/dist-packages/pip (python 3.12)"');
    expect(await findPython(['hiphop-no-such-python', bare, good])).toEqual({
      found: { command: good, version: '3.12', pipVersion: '24.0' },
    });
  });

  test('where there is none, does not hold the process for as long as one may take to answer', () => {
    const url = JSON.stringify(pathToFileURL(entryPoint('shared/tensorflow/machine.ts')).href);
    const program = `const { findPython } = await import(${url}); await findPython(['hiphop-no-such-python']);`;
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 15_000 });
  });

  test.each([
    ['without pip', 'echo "No module named pip" >&2; exit 1', /has no pip: `apt-get install python3-pip`/],
    ['with an old pip', 'echo "pip 9.0.1 from /x (python 3.6)"', /pip 9\.0\.1 is too old/],
    ['of version 2', 'echo "pip 20.3.4 from /x (python 2.7)"', /Python 3 is needed/],
    ['that fails', 'exit 3', /no Python found/],
  ])('explains a Python %s', async (name, body, problem) => {
    expect((await findPython([script(name.replaceAll(' ', '-'), body)])).problem).toMatch(problem);
  });

  test('explains that there is none', async () => {
    expect((await findPython(['hiphop-no-such-python'])).problem).toMatch(/no Python found: `apt-get/);
  });
});

describe('findCompiler', () => {
  test('takes the first that answers', async () => {
    const clang = script('clang++', 'echo "clang version 18"; echo more');
    const found = await findCompiler(['hiphop-no-such-compiler', clang]);
    expect(found).toEqual({ found: { command: clang, version: 'clang version 18' } });
  });

  test('explains that there is none', async () => {
    expect((await findCompiler(['hiphop-no-such-compiler'])).problem).toMatch(/no C\+\+ compiler found: `/);
  });
});

test('hasNvidiaDriver looks for files alone', () => {
  expect(hasNvidiaDriver([join(folder, 'none')])).toBe(false);
  expect(hasNvidiaDriver([join(folder, 'none'), folder])).toBe(true);
});

test('thisMachine tells the C library on Linux', () => {
  const machine = thisMachine();
  expect(machine).toMatchObject({ os: process.platform, arch: process.arch });
  if (process.platform === 'linux' && machine.glibc !== undefined) expect(machine.glibc).toMatch(/^2\.\d+/);
});

describe('reasonOfPip', () => {
  const wheel = { project: 'tensorflow-cpu', version: '2.21.0' };
  test.each([
    [
      "WARNING: Retrying after connection broken by 'NewConnectionError(...): Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')'\nERROR: No matching distribution found for tensorflow-cpu==2.21.0",
      /no network, or PyPI cannot be reached/,
    ],
    [
      "WARNING: Retrying (Retry(total=0)) after connection broken by 'ConnectTimeoutError(...)'",
      /cannot be reached/,
    ],
    [
      "WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.')'",
      /connection to PyPI fails/,
    ],
    [
      'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device',
      /disk is full/,
    ],
    ['ERROR: No matching distribution found for tensorflow-cpu==2.21.0', /does not offer it/],
    ['ERROR: something else\n', /: something else$/],
    ['', /pip gave no reason/],
  ])('%s', (stderr, expected) => {
    expect(reasonOfPip(stderr, wheel)).toMatch(expected);
    expect(reasonOfPip(stderr, wheel)).not.toContain('\n');
  });
});
