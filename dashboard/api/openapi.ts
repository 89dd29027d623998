/** The OpenAPI 3.1 document, made from the routes and the schemas that validate them. */
import type { z } from 'zod';
import { type Json, json } from './json-schema.ts';
import { beside } from './openapi-beside.ts';
import { problemSchema } from './problem.ts';
import type { Route } from './route.ts';

/** @param version of the program */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'hiphop-popularity',
      version,
      description:
        'Everything that the pages do. Errors are problem details (RFC 9457). Programs send a token: `Authorization: Bearer …`. ' +
        'A browser that is signed in sends the proof of GET /me with all that changes something: `X-CSRF-Token`.',
    },
    servers: [{ url: '/api' }],
    paths: { ...paths, ...beside() },
    components: {
      schemas: { Problem: json(problemSchema, 'output') },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'hiphop' },
      },
    },
  };
}

function operation(route: Route): Json {
  const { method, path, allows, tag, summary, description, startsWork } = route;
  const status = route.produces ? 200 : route.answer ? (route.status ?? 200) : 204;
  return {
    operationId: `${method}${path.replaceAll(/[^a-zA-Z]+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    'x-allows': allows ?? 'anybody',
    security: allows ? [{ token: [] }, { session: [] }] : [],
    parameters: [
      ...parameters(route.params, 'path'),
      ...parameters(route.query, 'query'),
      ...(startsWork || route.consumes ? [idempotencyKey] : []),
      ...(method === 'get' ? [] : [csrfToken]),
    ],
    ...requestBody(route),
    responses: {
      [status]: { description: summary, ...answerContent(route) },
      default: {
        description: 'what is wrong, and what to do',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'the same request with the same key starts its work once (24 hours)',
  schema: { type: 'string', maxLength: 128 },
};

const csrfToken = {
  name: 'X-CSRF-Token',
  in: 'header',
  required: false,
  description:
    '`csrf` of GET /me: proof that a page of this server asks. With a token for programs it is not needed',
  schema: { type: 'string' },
};

function requestBody({ body, consumes }: Route): Json {
  if (consumes) {
    const content = { [consumes]: { schema: { type: 'string', format: 'binary' } } };
    return { requestBody: { required: true, content } };
  }
  if (!body) return {};
  return {
    requestBody: { required: true, content: { 'application/json': { schema: json(body, 'input') } } },
  };
}

function answerContent({ answer, produces }: Route): Json {
  if (produces) return { content: Object.fromEntries(produces.map((type) => [type, {}])) };
  return answer ? { content: { 'application/json': { schema: json(answer, 'output') } } } : {};
}

function parameters(schema: z.ZodType | undefined, where: 'path' | 'query'): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = json(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    ...{ name, in: where, required: where === 'path' || required.includes(name), schema: property },
    ...(description ? { description } : {}),
  }));
}
