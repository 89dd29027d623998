import { z } from 'zod';

/** What models may judge by: the audio alone, or also when and how a song came out, or who made it. */
export const featureGroups = ['audio', 'release', 'artist'] as const;
export type FeatureGroup = (typeof featureGroups)[number];

/** How a model is trained: kept with it, so that it can be made again. */
export const modelOptionsSchema = z.strictObject({
  /** One of the model's presets; null for its own choice. */
  preset: z.string().min(1).nullable(),
  seed: z.int().min(0).max(2_147_483_647),
  /** Train on permuted labels: the null test. */
  shuffleLabels: z.boolean(),
  crossValidationFolds: z.int().min(2).max(20).nullable(),
  features: z.array(z.enum(featureGroups)).default(['audio']),
});
export type ModelOptions = z.infer<typeof modelOptionsSchema>;
