import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cachePaths, filesUnder } from '../../../shared/tensorflow/cache.ts';
import { downloadedFile } from '../../../shared/tensorflow/download.ts';
import { type ProvisionParts, provisionTensorFlow } from '../../../shared/tensorflow/provision.ts';
import { setUpTensorFlow } from '../../../shared/tensorflow/setup.ts';
import { createFakeMachine, type FakeMachine } from './fake-machine.ts';

let machine: FakeMachine;
let lines: string[];
beforeEach(() => {
  machine = createFakeMachine();
  lines = [];
});
afterEach(() => machine.remove());

const log = (line: string) => lines.push(line);
const provision = (using: Partial<ProvisionParts> = {}) =>
  provisionTensorFlow({ cacheDir: machine.cacheDir, log, using: { ...machine.parts, ...using } });
const home = () => join(machine.cacheDir, 'tensorflow', machine.parts.distribution.name);
const keptWheel = () =>
  join(cachePaths(machine.cacheDir).downloads, downloadedFile(machine.parts.distribution.wheels[0]!));

describe('provisionTensorFlow', () => {
  test('downloads, unpacks what is needed, compiles, and does nothing the second time', async () => {
    const first = await provision();
    expect(first).toEqual({
      version: '9.9.9',
      accelerator: 'cpu',
      binding: join(home(), 'bindings', 'first', 'tfjs_binding.node'),
      gpu: false,
    });
    expect(await filesUnder(home())).toEqual([
      'bindings/first/tfjs_binding.node',
      'manifest.json',
      'tensorflow/include/tensorflow/c/c_api.h',
      'tensorflow/libone.so',
      'tensorflow/libtwo.so',
    ]);
    expect(readdirSync(cachePaths(machine.cacheDir).root).sort()).toEqual(['9.9.9-cpu-here', 'downloads']);
    expect(existsSync(keptWheel())).toBe(false);
    expect(lines[0]).toMatch(
      /^TensorFlow 9\.9\.9 for CPU: downloading \d+ MB from PyPI, once .*; kept in \//,
    );
    expect(lines.at(-1)).toBe('TensorFlow 9.9.9 for CPU: ready');

    lines = [];
    expect(await provision()).toEqual({ ...first, gpu: undefined });
    expect(lines).toEqual([]);
    expect(machine.downloads()).toBe(1);
  });

  test('refuses a wheel of another checksum, and keeps nothing of it', async () => {
    machine.set('corrupt', true);
    await expect(provision()).rejects.toThrow(/tiny 9\.9\.9 was refused: its sha256 is [0-9a-f]{64}/);
    expect(existsSync(keptWheel())).toBe(false);
    expect(existsSync(home())).toBe(false);
    machine.set('corrupt', false);
    await provision();
    expect(machine.downloads()).toBe(2);
  });

  test('keeps a finished download when unpacking fails', async () => {
    machine.set('broken-unpack', true);
    await expect(provision()).rejects.toThrow(/could not be unpacked: the disk is full/);
    expect(existsSync(keptWheel())).toBe(true);
    expect(existsSync(home())).toBe(false);
    machine.set('broken-unpack', false);
    lines = [];
    await provision();
    expect(machine.downloads()).toBe(1);
    expect(lines.join('\n')).not.toMatch(/downloading/);
    expect(existsSync(keptWheel())).toBe(false);
  });

  test('keeps what was unpacked when compiling fails', async () => {
    const broken = machine.script(
      'broken-g++',
      '[ "$1" = --version ] && exit; echo "x.cc:1: error: no" >&2; exit 1',
    );
    await expect(provision({ compilers: [broken] })).rejects.toThrow(
      /could not compile the binding: x\.cc:1: error/,
    );
    await provision();
    expect(machine.downloads()).toBe(1);
  });

  test('does not keep a binding that cannot be loaded', async () => {
    const source = machine.script('bad.cc', '');
    writeFileSync(source, 'extern "C" void napi_register_module_v1() { __builtin_trap(); }');
    const sources = { ...machine.parts.sources, files: [source] };
    await expect(provision({ sources })).rejects.toThrow(/AVX/);
    expect(existsSync(join(home(), 'bindings', 'first'))).toBe(false);
  });

  test('compiles again, and does no more, when the sources of the binding change', async () => {
    await provision();
    const sources = { ...machine.parts.sources, key: 'second' };
    expect((await provision({ sources })).binding).toBe(
      join(home(), 'bindings', 'second', 'tfjs_binding.node'),
    );
    expect(machine.downloads()).toBe(1);
    expect(readdirSync(join(home(), 'bindings')).sort()).toEqual(['first', 'second']);
  });

  test('repairs what a kill or a full disk left behind', async () => {
    const { work, downloads } = cachePaths(machine.cacheDir);
    mkdirSync(join(work, 'pip', 'pip-unpack-x'), { recursive: true });
    mkdirSync(join(work, '9.9.9-cpu-here'), { recursive: true });
    mkdirSync(downloads, { recursive: true });
    writeFileSync(keptWheel(), 'half a wheel');
    await provision();
    expect(lines.join('\n')).toMatch(/is damaged: downloading it again/);
    expect(existsSync(work)).toBe(false);

    truncateSync(join(home(), 'tensorflow', 'libone.so'), 10);
    await provision();
    expect(machine.downloads()).toBe(2);
  });

  test('takes over the lock of a process that was killed', async () => {
    const { lock } = cachePaths(machine.cacheDir);
    mkdirSync(lock, { recursive: true });
    const minuteAgo = Date.now() / 1000 - 60;
    utimesSync(lock, minuteAgo, minuteAgo);
    await provision();
    expect(existsSync(lock)).toBe(false);
  });

  test('asks for a compiler before it downloads anything', async () => {
    await expect(provision({ compilers: ['hiphop-no-such-compiler'] })).rejects.toThrow(
      /no C\+\+ compiler found/,
    );
    expect(machine.downloads()).toBe(0);
  });

  test('says when the disk is too small', async () => {
    const wheels = machine.parts.distribution.wheels.map((wheel) => ({ ...wheel, keptBytes: 1e18 }));
    const distribution = { ...machine.parts.distribution, wheels };
    await expect(provision({ distribution })).rejects.toThrow(
      /too little room .* needed, .* free.*CACHE_DIR/,
    );
  });

  test('of two processes at once, one works and the other waits', async () => {
    machine.set('slow', true);
    const outputs = await Promise.all([runChild(), runChild()]);
    expect(machine.downloads()).toBe(1);
    const results = outputs.map((output) => JSON.parse(output.trim().split('\n').at(-1) ?? ''));
    expect(results[0].binding).toBe(results[1].binding);
    const waited = outputs.filter((output) => output.includes('another process is setting up TensorFlow'));
    expect(waited).toHaveLength(1);
  });

  function runChild(): Promise<string> {
    const options = JSON.stringify({ cacheDir: machine.cacheDir, using: machine.parts });
    const script = join(dirname(import.meta.filename), 'provision-child.mjs');
    const child = spawn(process.execPath, [script, options], { stdio: ['ignore', 'pipe', 'inherit'] });
    return new Promise((resolve, reject) => {
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      child.on('close', (status) => (status === 0 ? resolve(output) : reject(new Error(output))));
    });
  }
});

describe('setUpTensorFlow', () => {
  const setUp = (using: Partial<ProvisionParts> = {}, preference: 'auto' | 'gpu' | 'cpu' | 'wasm' = 'auto') =>
    setUpTensorFlow({ cacheDir: machine.cacheDir, log, preference, using: { ...machine.parts, ...using } });

  test('tells what is ready', async () => {
    expect(await setUp()).toEqual({ provisioned: true, note: 'TensorFlow 9.9.9 for CPU is ready' });
  });

  test('does nothing when WebAssembly is wanted', async () => {
    expect(await setUp({}, 'wasm')).toMatchObject({ provisioned: false });
    expect(existsSync(machine.cacheDir)).toBe(false);
  });

  test.each([
    ['compiler', { compilers: ['hiphop-none'] }, /no C\+\+ compiler found: `apt-get install g\+\+`/],
    ['Python', { pythons: ['hiphop-none'] }, /no Python found: `apt-get install python3-pip`/],
  ])('without a %s it tells what to do', async (_what, using, expected) => {
    const { provisioned, note } = await setUp(using);
    expect(provisioned).toBe(false);
    expect(note).toMatch(expected);
    expect(note).toMatch(
      /TensorFlow will run as WebAssembly, several times slower; .* `hiphop doctor --fix`$/,
    );
    expect(note).not.toContain('\n');
  });

  test('says that a demand cannot be met', async () => {
    expect((await setUp({ compilers: ['hiphop-none'] }, 'cpu')).note).toMatch(/TENSORFLOW=cpu cannot be met/);
  });

  test('without a network it gives up soon', async () => {
    // The true pip, with an index on a port where nothing listens.
    const offline = machine.script(
      'offline-python3',
      'PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= PIP_INDEX_URL=http://127.0.0.1:9/simple exec python3 "$@"',
    );
    const begun = Date.now();
    const { provisioned, note } = await setUp({ pythons: [offline] });
    expect(provisioned).toBe(false);
    expect(note).toMatch(/no network, or PyPI cannot be reached from here/);
    expect(Date.now() - begun).toBeLessThan(30_000);
  });
});
