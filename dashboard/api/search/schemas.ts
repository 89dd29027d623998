/** What the search takes and answers. */
import { z } from 'zod';

export const hitKinds = [
  ...(['track', 'song', 'batch', 'model', 'run', 'data-set'] as const),
  ...(['crawl', 'night', 'schedule', 'failure', 'job'] as const),
] as const;

export const hitSchema = z.object({
  kind: z.enum(hitKinds),
  id: z.string().describe('public id; of a job its id in its queue, of a schedule its name'),
  title: z.string().describe('its name, or what it is'),
  note: z.string().nullable().describe('what tells it from others of its name'),
  href: z.string().describe('its page'),
});
export type Hit = z.infer<typeof hitSchema>;

export const searchSchema = z.object({
  q: z.string(),
  hits: z.array(hitSchema).describe('what is named exactly first; of each kind so many at most'),
  most: z.int().describe('of each kind'),
  full: z.array(z.enum(hitKinds)).describe('kinds of which there may be more'),
});
export type Found = z.infer<typeof searchSchema>;
