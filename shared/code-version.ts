import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './paths.ts';

/** Version of this program, with the commit it was built from where that is known: `0.1.0+1a2b3c4`. */
export function codeVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  try {
    const commit = readFileSync(join(packageRoot, 'dist', 'commit.txt'), 'utf8').trim();
    return commit ? `${version}+${commit}` : version;
  } catch {
    return version;
  }
}
