/** What is done to many failures at once, and what came of it. */
import { z } from 'zod';

const whole = z.int().min(0);

export const bulkBodySchema = z.strictObject({
  stage: z.string().optional(),
  reason: z.string().min(1).optional().describe('a reason as /failures/reasons lists it, to the letter'),
  text: z.string().min(1).max(200).optional().describe('part of the reason or the subject'),
  crawl: z
    .string()
    .regex(/^(crawl-)?\d{1,9}$/, 'expected something like crawl-3')
    .optional(),
  ids: z
    .array(z.string().regex(/^(failure-)?\d{1,9}$/, 'expected something like failure-3'))
    .min(1)
    .max(10_000)
    .optional(),
  expected: whole.describe('how many it is about; refused (409) when it is another number by now'),
});
export type BulkBody = z.infer<typeof bulkBodySchema>;

export const retriedSchema = z.object({
  retried: whole,
  left: z
    .array(z.object({ subject: z.string(), why: z.string() }))
    .describe('what has no job to repeat, and why; the first of them'),
  leftTotal: whole.describe('how many are left in all'),
});
export type Retried = z.infer<typeof retriedSchema>;
