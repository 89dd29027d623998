import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../shared/errors.ts';
import { packageRoot } from '../shared/paths.ts';

/**
 * The folder of real clips with its manifest.
 * @throws UserError when the project's shared data is not beside the repository
 */
export function realAudio(): string {
  const clips = join(packageRoot, '..', 'shared', 'realaudio');
  if (!existsSync(clips)) throw new UserError(`there are no clips to measure with in ${clips}`);
  return clips;
}

/**
 * Paths of real clips to measure with, spread over the folder, whose first files are of one genre.
 * @throws UserError when the folder with the project's shared data is not beside the repository
 */
export function benchClips(count: number): string[] {
  const clips = realAudio();
  const all = readdirSync(clips)
    .filter((name) => name.endsWith('.mp3'))
    .sort();
  const wanted = Math.min(count, all.length);
  return Array.from({ length: wanted }, (_, i) => join(clips, all[Math.floor((i * all.length) / wanted)]!));
}
