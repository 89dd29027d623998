// Generate Prisma's client and compile to dist/. Works offline: generating needs no schema engine,
// so Prisma's command line, which would download one, is told of a stand-in.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

function run(file, args, env = {}) {
  try {
    execFileSync(process.execPath, [file, ...args], { stdio: 'pipe', env: { ...process.env, ...env } });
  } catch (error) {
    process.stderr.write(`${error.stdout}${error.stderr}`);
    process.exit(1);
  }
}

/** The commit that is built, or nothing where git or its folder is missing. */
function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString();
  } catch {
    return '';
  }
}

const schema = createHash('sha256').update(readFileSync('prisma/schema.prisma')).digest('hex');
const stamp = 'shared/database/generated/.schema-sha256';
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== schema) {
  run('node_modules/prisma/build/index.js', ['generate'], {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  });
  writeFileSync(stamp, schema);
}
mkdirSync('dist', { recursive: true });
rmSync('dist/built', { force: true });
run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
run('node_modules/vite/bin/vite.js', ['build', '--logLevel', 'warn', 'dashboard/site']);
writeFileSync('dist/commit.txt', commit());
// Last of all: where this file is, the build is whole.
writeFileSync('dist/built', '');
