#!/usr/bin/env node
import { existsSync } from 'node:fs';

const compiled = new URL('../dist/producers/main.js', import.meta.url);
if (!existsSync(compiled)) {
  process.stderr.write('hiphop is not built yet: run npm run build in its folder\n');
  process.exit(1);
}
await import(compiled);
