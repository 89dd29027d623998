import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../shared/paths.ts';

/** Real clips, golden values and hostile files. Too big for the repository, they lie beside it. */
export const sharedData = join(packageRoot, '..', 'shared');

/** Why tests that need these are skipped, to be shown with the name of the suite; undefined: they run. */
export const sharedDataMissing = existsSync(join(sharedData, 'golden', 'index.json'))
  ? undefined
  : `skipped: no shared data in ${sharedData}`;

// Where a merge depends on it, a test that did not run must not look like one that passed.
if (sharedDataMissing !== undefined && process.env['CI'] === 'true') {
  throw new Error(`CI needs the shared data, and ${sharedData} holds none`);
}
