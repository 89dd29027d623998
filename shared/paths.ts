import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findPackageRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'prisma'))) return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json above ${start}`);
  }
}

/** The folder of package.json, whether this runs from source (tests) or from dist/. */
export const packageRoot = findPackageRoot(dirname(fileURLToPath(import.meta.url)));

/**
 * The compiled file of an entry point that runs in a process of its own.
 * Tests run from source, but a child process always runs what was built.
 */
export function entryPoint(path: `${string}.ts`): string {
  return join(packageRoot, 'dist', path.replace(/\.ts$/, '.js'));
}
