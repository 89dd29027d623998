import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { openApiDocument } from '../../../dashboard/api/openapi.ts';
import { routes } from '../../../dashboard/api/routes.ts';

const document = openApiDocument(routes, '1.2.3') as {
  paths: Record<string, Record<string, { operationId: string; summary: string; 'x-allows': unknown }>>;
};
/** What is no route: the stream of events, and what watches over the server. */
const beside = ['/events', '/metrics', '/healthz', '/readyz'];
const operations = Object.values(document.paths).flatMap(({ servers: _, ...methods }) =>
  Object.values(methods),
);

test('the document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test('each route is in it once, with who may use it', () => {
  for (const path of beside) expect(Object.keys(document.paths)).toContain(path);
  expect(operations).toHaveLength(routes.length + beside.length);
  expect(routes.length).toBeGreaterThan(50);
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const operation of operations) {
    expect(operation.summary).toMatch(/^[A-Z]?.{5,}/);
    expect(operation['x-allows']).toBeDefined();
  }
});

test('what changes something is for named people, but for signing in and out', () => {
  const open = routes.filter(({ method, allows }) => method !== 'get' && !allows).map(({ path }) => path);
  expect(open).toEqual(['/sign-in', '/sign-out']);
});

test('parameters of a path are described', () => {
  for (const route of routes) {
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const described = (
      document.paths[route.path]![route.method] as unknown as { parameters: { name: string; in: string }[] }
    ).parameters.filter((parameter) => parameter.in === 'path');
    expect(described.map(({ name }) => name).sort()).toEqual(named.sort());
  }
});

test('what a signed-in browser sends with each change is described', () => {
  for (const { method, path } of routes) {
    const { parameters } = document.paths[path]![method] as unknown as { parameters: { name: string }[] };
    expect([method, parameters.some(({ name }) => name === 'X-CSRF-Token')]).toEqual([
      method,
      method !== 'get',
    ]);
  }
});
