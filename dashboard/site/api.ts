/** The API as the pages use it: JSON, errors as sentences, proof that a page of ours asks. */
import { QueryClient, type UseQueryOptions, useQuery } from '@tanstack/react-query';
import type { Me } from '../api/access/schemas.ts';
import type { ProblemDetails } from '../api/problem.ts';

// The server may be on this machine, which needs no network to reach it.
const networkMode = 'always';

export const queryClient = new QueryClient({
  defaultOptions: {
    mutations: { networkMode },
    queries: {
      networkMode,
      // What moves is pushed (events.ts); the rest is fresh enough for so long, in milliseconds.
      staleTime: 10_000,
      retry: (count, error) => !(error instanceof ApiError && error.status < 500) && count < 3,
    },
  },
});

/** What the server refused, in its words. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: ProblemDetails['errors'];

  constructor(status: number, problem: Partial<ProblemDetails>) {
    super(problem.detail ?? `the server answered ${status}`);
    this.status = status;
    this.errors = problem.errors;
  }
}

/** Query parameters; what is undefined, null or empty is left out. */
export type Parameters = Record<string, string | number | boolean | null | undefined>;

export function apiUrl(path: string, parameters: Parameters = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  return `/api${path}${search.size > 0 ? `?${search}` : ''}`;
}

export async function get<Answer>(
  path: string,
  parameters?: Parameters,
  signal?: AbortSignal,
): Promise<Answer> {
  return ask<Answer>(apiUrl(path, parameters), signal ? { signal } : {});
}

/**
 * Ask for a change.
 * @param once the same key makes it happen once, however often a button is pressed
 */
export async function send<Answer = void>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  once?: string,
): Promise<Answer> {
  const { csrf } = await whoAmI();
  return ask<Answer>(apiUrl(path), {
    method,
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(csrf ? { 'X-CSRF-Token': csrf } : {}),
      ...(once ? { 'Idempotency-Key': once } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** A key for something that is to happen once. crypto.randomUUID is missing where the page came by plain http. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function ask<Answer>(url: string, init: RequestInit): Promise<Answer> {
  const headers = { Accept: 'application/json', ...init.headers };
  const response = await fetch(url, { ...init, headers }).catch((cause: unknown) => {
    // Each browser has words of its own for it.
    throw cause instanceof TypeError ? new Error('the server cannot be reached', { cause }) : cause;
  });
  if (response.status === 204) return undefined as Answer;
  const text = await response.text();
  if (!response.ok) throw new ApiError(response.status, readProblem(text));
  return JSON.parse(text) as Answer;
}

function readProblem(text: string): Partial<ProblemDetails> {
  try {
    return JSON.parse(text) as ProblemDetails;
  } catch {
    return {};
  }
}

const me = { queryKey: ['me'], queryFn: () => get<Me>('/me'), staleTime: 60_000 };

export const whoAmI = () => queryClient.fetchQuery(me);
/** Ask the server, whatever is known. */
export const askWho = () => queryClient.fetchQuery({ ...me, staleTime: 0, retry: false });
export const useMe = () => useQuery(me);

/** Read something of the API and keep it; the key is path and parameters. */
export function useApi<Answer>(
  path: string,
  parameters?: Parameters,
  options: Partial<UseQueryOptions<Answer>> = {},
) {
  return useQuery<Answer>({
    queryKey: [path, parameters ?? {}],
    queryFn: ({ signal }) => get<Answer>(path, parameters, signal),
    ...options,
  });
}
