/** An explanation as it is stored and told to programs. */
import { z } from 'zod';
import type { Decision } from './decision.ts';

const stretch = { fromSeconds: z.number(), toSeconds: z.number() };
const band = { name: z.string(), fromHz: z.number(), toHz: z.number() };
/** What it adds to the log odds of being popular. */
const effect = { effect: z.number() };

const check = z.object({
  direction: z.enum(['for', 'against']),
  segments: z.int(),
  change: z.number(),
  randomChange: z.number(),
  better: z.number(),
  passed: z.boolean(),
});

/** See sanity.ts. */
const sanity = z.object({
  correlations: z.array(z.number()),
  alike: z.number(),
  bound: z.number(),
  passed: z.boolean(),
});

const decision = z.object({
  logOdds: z.number(),
  segments: z.array(
    z.object({
      ...{ ...stretch, ...band, ...effect },
      ...{ occlusion: z.number(), surrogate: z.number(), named: z.boolean() },
    }),
  ),
  stretches: z.array(z.object({ ...stretch, ...effect })),
  groups: z.array(z.object({ ...band, ...effect })),
  topSeconds: z.array(z.object({ ...stretch, ...effect })),
  momentStandsOut: z.boolean(),
  topBands: z.array(z.object({ ...band, ...effect })),
  surrogate: z.object({ masks: z.int(), rSquared: z.number() }),
  faithfulness: z.object({ checks: z.array(check), draws: z.int(), trusted: z.boolean() }),
  /** Missing from explanations that were made before there was this check. */
  sanity: sanity.optional(),
});

const neighbour = z.object({
  track: z.string(),
  title: z.string(),
  artists: z.array(z.string()),
  popularity: z.number(),
  similarity: z.number(),
});

/** See decision.ts, likeness.ts and faithfulness.ts for what the figures mean. */
export const explanationContent = z.object({
  model: z.string(),
  name: z.string(),
  dataSet: z.string(),
  file: z.string(),
  probability: z.number(),
  percentile: z.number(),
  /** Null where the model judges by what cannot be taken away in parts, or that is missing. */
  decision: decision.nullable(),
  /** Null without the tagger. */
  tags: z.array(z.object({ tag: z.string(), difference: z.number() })).nullable(),
  neighbours: z.object({
    /** What tracks were compared by. */
    by: z.enum(['music tagger', 'mel statistics']),
    compared: z.int(),
    popular: z.array(neighbour),
    unpopular: z.array(neighbour),
  }),
  /** For people: what could not be had, and why. */
  missing: z.array(z.string()),
  /** The whole in plain sentences. */
  sentences: z.array(z.string()),
});
export type ExplanationContent = Omit<z.infer<typeof explanationContent>, 'decision'> & {
  readonly decision: Decision | null;
};

/** Whether it was compared with those of shuffled models, as far as there is something to compare. */
export function isChecked({ decision }: Pick<ExplanationContent, 'decision'>): boolean {
  return decision === null || decision.sanity !== undefined;
}
