/** Requests made from the OpenAPI document: what its schemas ask for, so that only rights can refuse them. */
// biome-ignore lint/suspicious/noExplicitAny: a JSON schema is looked into wherever it leads
type Json = Record<string, any>;

/** Number of no row. */
const nothing = 987_654;

export interface Operation {
  method: string;
  /** Below its base, as the document has it. */
  path: string;
  /** `/api`, or nothing for what stands beside it. */
  base: string;
  allows: 'anybody' | string[];
  operation: Json;
}

export function operationsOf(document: Json): Operation[] {
  return Object.entries(document['paths'] as Json).flatMap(([path, methods]) =>
    Object.entries(methods as Json)
      .filter(([name]) => name !== 'servers')
      .map(([method, operation]) => ({
        ...{ method: method.toUpperCase(), path, operation, allows: operation['x-allows'] },
        base: String(methods.servers?.[0].url ?? '/api').replace(/^\/$/, ''),
      })),
  );
}

/** A request that fits the schemas and names nothing that there is. */
export function requestOf({ path, base, operation }: Operation): {
  url: string;
  asked: { body?: unknown; raw?: string; headers?: Record<string, string> };
} {
  const parameters = operation['parameters'] as Json[];
  const pathOf = (where: string) => parameters.filter((parameter) => parameter['in'] === where);
  let url = `${base}${path}`;
  for (const { name, schema } of pathOf('path')) {
    const value = schema.type === 'integer' ? nothing : sampleOf(schema);
    url = url.replace(`{${name}}`, encodeURIComponent(String(value)));
  }
  const query = pathOf('query').filter(({ required }) => required);
  const search = new URLSearchParams(
    query.map(({ name, schema }): [string, string] => [String(name), String(sampleOf(schema))]),
  );
  if (search.size > 0) url += `?${search}`;
  const content = Object.entries((operation['requestBody']?.content ?? {}) as Json)[0];
  if (!content) return { url, asked: {} };
  const [mediaType, { schema }] = content;
  if (mediaType === 'application/json') return { url, asked: { body: sampleOf(schema) } };
  return { url, asked: { raw: 'no such thing', headers: { 'Content-Type': mediaType } } };
}

/** Something of a schema, as small as it may be. */
export function sampleOf(schema: Json): unknown {
  if ('const' in schema) return schema['const'];
  if ('default' in schema) return schema['default'];
  if (schema['enum']) return schema['enum'][0];
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (choices) return sampleOf(choices[0]);
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  if (type === 'object') return objectOf(schema);
  // A tuple.
  if (schema['prefixItems']) return (schema['prefixItems'] as Json[]).map(sampleOf);
  if (type === 'array')
    return Array.from({ length: schema['minItems'] ?? 0 }, () => sampleOf(schema['items']));
  if (type === 'integer' || type === 'number') return schema['minimum'] ?? 1;
  if (type === 'boolean') return false;
  if (type === 'string') return textOf(schema);
  return null;
}

function objectOf({ properties = {}, required = [] }: Json): Json {
  return Object.fromEntries((required as string[]).map((name) => [name, sampleOf(properties[name])]));
}

function textOf({ pattern, format, minLength = 1 }: Json): string {
  if (format === 'date-time') return '2026-01-01T00:00:00Z';
  const noun = /^\^\((\w[\w-]*)-\)\?/.exec(pattern ?? '')?.[1];
  if (noun) return `${noun}-${nothing}`;
  if (pattern?.startsWith('^\\/')) return '/tracks';
  if (pattern?.startsWith('^(\\?')) return '?q=x';
  return 'a'.repeat(minLength);
}
