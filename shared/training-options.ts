import { z } from 'zod';

/** How a model is trained: kept with it, so that it can be made again. */
export const modelOptionsSchema = z.strictObject({
  /** One of the model's presets; null for its own choice. */
  preset: z.string().min(1).nullable(),
  seed: z.int().min(0).max(2_147_483_647),
  /** Train on permuted labels: the null test. */
  shuffleLabels: z.boolean(),
  crossValidationFolds: z.int().min(2).max(20).nullable(),
});
export type ModelOptions = z.infer<typeof modelOptionsSchema>;
