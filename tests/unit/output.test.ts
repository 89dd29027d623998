import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { save } from '../../producers/output.ts';
import { UserError } from '../../shared/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'hiphop-output-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a file that is asked for comes with its folder', async () => {
  const path = join(folder, 'new', 'curves.svg');
  await save(path, '<svg/>');
  expect(readFileSync(path, 'utf8')).toBe('<svg/>');
});

test('a file that cannot be written is an error for people, which names it', async () => {
  writeFileSync(join(folder, 'file'), '');
  const path = join(folder, 'file', 'curves.svg');
  await expect(save(path, '')).rejects.toThrow(UserError);
  await expect(save(path, '')).rejects.toThrow(`${path} cannot be written`);
});
