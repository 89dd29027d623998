#!/usr/bin/env node
// The command line. A fresh checkout is built at its first use, by one process while others wait.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = new URL('../dist/built', import.meta.url);
if (!existsSync(built)) {
  const { lock } = await import('proper-lockfile');
  const release = await lock(root, { retries: { retries: 120, minTimeout: 500, maxTimeout: 500 } });
  try {
    if (!existsSync(built)) {
      process.stderr.write('building hiphop, once\n');
      execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: ['ignore', 2, 2] });
    }
  } finally {
    await release();
  }
}
await import('../dist/producers/main.js');
