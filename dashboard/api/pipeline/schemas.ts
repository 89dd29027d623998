/** What the pipeline's routes and events answer. */
import { z } from 'zod';

export const pausedSchema = z.object({
  what: z.string().describe('what is paused, in words, e.g. `stage preview` or `schedule nightly`'),
  by: z.string().nullable().describe('who paused it'),
});

/** What the home page and the frame of all pages show, pushed as event `pipeline`. */
export const pipelineSnapshot = z.object({
  paused: z.array(pausedSchema),
});
export type PipelineSnapshot = z.infer<typeof pipelineSnapshot>;
