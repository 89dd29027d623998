import { UserError } from '../errors.ts';
import { dummy } from './dummy.ts';
import type { ModelFamily } from './family.ts';
import { cnn1, cnn2, crnn, mlp } from './networks/families.ts';
import { forest, logistic, musicnn, stack } from './tabular/families.ts';

/** Every kind of model that can be trained, by name, simplest first. */
export const modelFamilies = {
  ...{ dummy, logistic, forest, musicnn, stack },
  ...{ mlp, cnn1, cnn2, crnn },
} as const satisfies Record<string, ModelFamily>;

/** @throws UserError when there is no such model, with the names of those that there are. */
export function modelFamily(name: string): ModelFamily {
  if (Object.hasOwn(modelFamilies, name)) return modelFamilies[name as keyof typeof modelFamilies];
  throw new UserError(`there is no model '${name}': choose from ${Object.keys(modelFamilies).join(', ')}`);
}

/**
 * The preset to train with: the one asked for, or the family's default.
 * @throws UserError when the family has no such preset, with the names of those that it has.
 */
export function presetOf(family: ModelFamily, preset: string | null): string {
  const names = Object.keys(family.presets);
  if (preset === null) return names[0]!;
  if (names.includes(preset)) return preset;
  throw new UserError(`model '${family.name}' has no preset '${preset}': choose from ${names.join(', ')}`);
}
