/** What the API says of the system itself. */
import { z } from 'zod';

export const systemSchema = z.object({
  version: z.string().describe('of the program that serves these pages'),
  startedAt: z.iso.datetime().describe('since when this server runs'),
  now: z.iso.datetime().describe("the server's clock"),
  timeZone: z.string().describe("the server's, in which schedules are read that name none"),
  database: z.enum(['embedded', 'external']),
  queues: z.enum(['postgresql', 'redis']).describe('what carries them'),
  tensorflow: z.enum(['auto', 'gpu', 'cpu', 'wasm']).describe('the setting; doctor tells what it comes to'),
  tagger: z.enum(['auto', 'off']).describe('the setting'),
  host: z.string().describe('name of the machine'),
});
export type System = z.infer<typeof systemSchema>;
