// Generate Prisma's client and compile. Works offline: the schema engine that Prisma's command line
// would download is not needed to generate, so it is told of a stand-in.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const run = (file, args, env = {}) =>
  execFileSync(process.execPath, [file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });

const schema = createHash('sha256').update(readFileSync('prisma/schema.prisma')).digest('hex');
const stamp = 'shared/database/generated/.schema-sha256';
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== schema) {
  run('node_modules/prisma/build/index.js', ['generate'], {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  });
  mkdirSync('shared/database/generated', { recursive: true });
  writeFileSync(stamp, schema);
}
try {
  run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
} catch (error) {
  process.stderr.write(error.stdout ?? '');
  process.exit(1);
}
