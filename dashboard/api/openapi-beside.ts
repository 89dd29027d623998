/** What the document has beside the routes: the stream of events, and what watches over the server. */
import { z } from 'zod';
import { everyone, staff } from '../access/caller.ts';
import { type Json, json } from './json-schema.ts';
import { modelsSnapshot } from './models/schemas.ts';
import { pipelineSnapshot } from './pipeline/schemas.ts';
import { schedulesSnapshot } from './schedules/schemas.ts';
import { songsSnapshot } from './songs/schemas.ts';

/** Events by name, as `dashboard/events/topics.ts` has them, with who gets them. */
const events = {
  pipeline: [pipelineSnapshot, 'viewers and operators'],
  schedules: [schedulesSnapshot, 'viewers and operators'],
  models: [modelsSnapshot, 'everybody'],
  songs: [songsSnapshot, 'artists (their own) and operators (all)'],
} as const;

const readySchema = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.object({ ready: z.boolean(), ms: z.int().describe('how long it took') })),
});

/** Paths of which no route is made. */
export function beside(): Record<string, Json> {
  const atRoot = { servers: [{ url: '/' }] };
  return {
    '/events': { get: streamOfEvents() },
    '/metrics': {
      ...atRoot,
      get: operation('metrics', 'What processes counted, and how things stand, for Prometheus', {
        ...{ 'x-allows': staff, security: [{ token: [] }, { session: [] }] },
        responses: answers({ 'text/plain': { schema: { type: 'string' } } }, true),
      }),
    },
    '/healthz': {
      ...atRoot,
      get: operation('health', 'Say that the server lives', {
        ...{ 'x-allows': 'anybody', security: [] },
        responses: answers({ 'text/plain': { schema: { const: 'ok\n' } } }),
      }),
    },
    '/readyz': {
      ...atRoot,
      get: operation('readiness', 'Say whether the server can do its work: database, migrations, queues', {
        ...{ 'x-allows': 'anybody', security: [] },
        responses: {
          ...answers({ 'application/json': { schema: json(readySchema, 'output') } }),
          503: {
            description: 'something is not ready',
            content: { 'application/json': { schema: json(readySchema, 'output') } },
          },
        },
      }),
    },
  };
}

function streamOfEvents(): Json {
  const schemas = Object.entries(events).map(([event, [schema, who]]) => ({
    type: 'object',
    title: event,
    description: `for ${who}`,
    properties: { event: { const: event }, data: json(schema, 'output') },
    required: ['event', 'data'],
    additionalProperties: false,
  }));
  return operation('events', 'What moves, as server-sent events', {
    description:
      'Each event is the newest snapshot of its topic, as JSON in `data`; it is sent when it has changed. ' +
      'What was missed while a client was away is in the next one, which `Last-Event-ID` asks for.',
    ...{ 'x-allows': everyone, security: [{ token: [] }, { session: [] }] },
    responses: answers({ 'text/event-stream': { schema: { oneOf: schemas } } }, true),
  });
}

const operation = (operationId: string, summary: string, more: Json): Json => ({
  ...{ operationId, tags: ['system'], summary, parameters: [] },
  ...more,
});

function answers(content: Json, problems = false): Json {
  const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return {
    200: { description: 'as it is now', content },
    ...(problems ? { default: { description: 'what is wrong, and what to do', content: problem } } : {}),
  };
}
