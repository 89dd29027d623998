import { parseConfig } from '../../shared/config.ts';
import { findTagger } from '../../shared/tagger/provision.ts';

/** Where this machine keeps the tagger. */
export const { cacheDir: taggerCache } = parseConfig(process.env);

/** Why tests that need the tagger's checkpoint are skipped, to be shown with their suite; undefined: they run. */
export const taggerMissing = findTagger(taggerCache)
  ? undefined
  : `skipped: the music tagger is not set up in ${taggerCache} (hiphop doctor --fix)`;

// Where a merge depends on it, a test that did not run must not look like one that passed.
if (taggerMissing !== undefined && process.env['CI'] === 'true') {
  throw new Error(`CI needs the music tagger, and it is not set up in ${taggerCache}`);
}
