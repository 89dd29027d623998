/** Short songs with a rule in them. */

import type { Rule } from '../../../../bench/explain/songs.ts';
import { plantedSong as plantedSongOf, shapeOf } from '../../../../bench/explain/spectrograms.ts';
import { spectrogramParameters } from '../../../../shared/audio/parameters.ts';
import type { Random } from '../../../../shared/learning/random.ts';

export type { Rule };
export const parameters = spectrogramParameters({ seconds: 12 });
export const shape = shapeOf(parameters);

export const plantedSong = (rule: Rule, popular: boolean, random: Random) =>
  plantedSongOf(rule, popular, random, parameters);
