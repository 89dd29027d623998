import { z } from 'zod';
import { everyone } from '../../access/caller.ts';
import { type Route, route } from '../route.ts';
import { byId } from './ids.ts';
import { byName, mostOfAKind } from './names.ts';
import { type Hit, hitKinds, searchSchema } from './schemas.ts';

export const searchRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/search',
    allows: everyone,
    tag: 'system',
    summary: 'Find a track, song, batch, model, crawl, night or job by its name or id',
    description:
      'Everybody finds what they may see: songs and batches are found by their owner and operators alone. ' +
      'The id of a job finds what it is about, and the job itself while its queue has it.',
    query: z.object({
      q: z.string().trim().min(1).max(200).describe('words, a public id, or the id of a job'),
    }),
    answer: searchSchema,
    run: async ({ query: { q } }, { session, caller }) => {
      const named = await byId(session, q, caller);
      // What has the number may be less than what has the name: `1999` is a song too.
      const exact = named.length > 0 && !/^\d+$/.test(q);
      const others = exact ? [] : await byName(session, q, caller);
      const known = new Set(named.map(({ id }) => id));
      const hits = [...named, ...others.filter(({ id }) => !known.has(id))];
      return {
        q,
        hits,
        most: mostOfAKind,
        full: hitKinds.filter((kind) => countOf(hits, kind) >= mostOfAKind),
      };
    },
  }),
];

const countOf = (hits: readonly Hit[], wanted: Hit['kind']) =>
  hits.filter(({ kind }) => kind === wanted).length;
