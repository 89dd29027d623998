import { existsSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findTagger, requireTagger, setUpTagger, taggerName } from '../../../shared/tagger/provision.ts';
import type { Bundle } from '../../../shared/tensorflow/unpack.ts';
import { createFakeMachine, type FakeMachine } from '../tensorflow/fake-machine.ts';

let machine: FakeMachine;
let bundle: Bundle;
let lines: string[];
beforeEach(() => {
  machine = createFakeMachine();
  lines = [];
  const { wheels } = machine.parts.distribution;
  bundle = {
    title: 'a tagger',
    version: '9.9.9',
    name: 'a-tagger',
    wheels,
    required: ['tensorflow/libone.so'],
  };
});
afterEach(() => machine.remove());

const setUp = (more: { setting?: 'auto' | 'off'; insist?: boolean; pythons?: readonly string[] } = {}) => {
  const { setting = 'auto', insist = false, pythons = machine.parts.pythons } = more;
  const using = { bundle, pythons };
  return setUpTagger({ cacheDir: machine.cacheDir, log: (line) => lines.push(line), setting, insist, using });
};
const failed = () => join(machine.cacheDir, 'tagger', 'failed');

test('is downloaded once, and then there is nothing to say', async () => {
  expect(await setUp()).toEqual({ ready: true, note: 'a tagger is ready' });
  expect(lines[0]).toMatch(/^a tagger: downloading \d+ MB from PyPI, once/);
  expect(existsSync(join(machine.cacheDir, 'tagger', 'a-tagger', 'tensorflow', 'libone.so'))).toBe(true);
  lines = [];
  expect(await setUp()).toEqual({ ready: true, note: undefined });
  expect(lines).toEqual([]);
  expect(machine.downloads()).toBe(1);
});

test('a wheel of another checksum is refused, in one line that says what follows', async () => {
  machine.set('corrupt', true);
  const { ready, note } = await setUp();
  expect(ready).toBe(false);
  expect(note).toMatch(/was refused: its sha256 .* no embeddings and tags, all else works; .*TAGGER=off$/);
  expect(note).not.toContain('\n');
  expect(existsSync(join(machine.cacheDir, 'tagger', 'a-tagger'))).toBe(false);
});

test('a wheel without what is needed is refused', async () => {
  bundle = { ...bundle, required: ['musicnn/.index'] };
  expect((await setUp()).note).toMatch(/musicnn\/\.index is not in the wheel of a tagger/);
});

test('after a failure commands leave it at that for an hour, and a person may insist', async () => {
  const nothing = { pythons: ['hiphop-no-such-python'] };
  expect((await setUp(nothing)).note).toMatch(/no Python found/);
  expect(await setUp(nothing)).toEqual({ ready: false, note: undefined });
  expect((await setUp({ ...nothing, insist: true })).note).toMatch(/no Python found/);

  const longAgo = Date.now() / 1_000 - 3_601;
  utimesSync(failed(), longAgo, longAgo);
  expect((await setUp()).ready).toBe(true);
});

test('TAGGER=off asks for nothing', async () => {
  expect(await setUp({ setting: 'off' })).toEqual({ ready: false, note: undefined });
  expect(existsSync(machine.cacheDir)).toBe(false);
});

test('where it is not set up, that is said with what to do', () => {
  expect(findTagger(machine.cacheDir)).toBeUndefined();
  expect(() => requireTagger(machine.cacheDir)).toThrow(/not set up in .*hiphop doctor --fix/);
  expect(taggerName).toMatch(/^musicnn-[0-9a-f]{8}-v\d+$/);
});
