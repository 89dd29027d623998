/**
 * What a route of the API is: one object that says its address, who may use it, what it takes and
 * answers. Express, the OpenAPI document, the audit and the tests of access are all made from it.
 */
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Session } from '../../producers/session.ts';
import { type Noun, parsePublicId } from '../../shared/identifiers.ts';
import type { Caller, Role } from '../access/caller.ts';
import type { EventHub } from '../events/hub.ts';

export interface Context {
  /** Database, queues and settings, as the command line has them. */
  session: Session;
  events: EventHub;
  caller: Caller;
  request: Request;
  response: Response;
  /** Aborted when the client has gone. */
  signal: AbortSignal;
}

/** What the pages group routes by. */
export type Tag = 'pipeline' | 'catalogue' | 'models' | 'songs' | 'schedules' | 'access' | 'system';

export interface Input<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
}

/** A file instead of JSON. */
export interface FileAnswer {
  mediaType: string;
  /**
   * A function where the bytes cost something: it is not called for who has them already. What comes piece
   * by piece is sent as it comes.
   */
  bytes: FileBytes | (() => Promise<FileBytes>) | AsyncIterable<string>;
  /** Offered for download under this name; undefined: shown. */
  fileName?: string;
  /** Of what never changes under its address and is nobody's own, in seconds. */
  cacheSeconds?: number;
  /**
   * Names these very bytes. A browser may keep them, and asks each time whether it may still show them.
   * Without this and `cacheSeconds` they are kept nowhere.
   */
  etag?: string;
}
export type FileBytes = Uint8Array | string;

interface Spec<Params, Query, Body, Answer> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below /api, e.g. `/crawls/{crawl}/cancel`. */
  path: `/${string}`;
  /** Undefined: anybody, signed in or not. */
  allows?: readonly Role[];
  tag: Tag;
  /** One line, imperative. */
  summary: string;
  description?: string;
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  body?: z.ZodType<Body>;
  /** Media type of a body that is no JSON: `run` reads it from the request's stream. */
  consumes?: string;
  /** What is answered; null: nothing (204). */
  answer: z.ZodType<Answer> | null;
  /** Default 200, or 204 without an answer. */
  status?: 200 | 201 | 202;
  /** It starts work: an Idempotency-Key makes it happen once however often it is sent. */
  startsWork?: boolean;
  /** Not in the audit though it changes something: what only its caller sees. */
  unaudited?: boolean;
  /** Public id of what it is done to, for the audit; default: the first parameter of the path. */
  target?: (input: Input<Params, Query, Body>, answer: Answer) => string | null;
  run: (input: Input<Params, Query, Body>, context: Context) => Promise<Answer>;
}

interface FileSpec<Params, Query, Body>
  extends Omit<Spec<Params, Query, Body, FileAnswer>, 'answer' | 'status' | 'startsWork'> {
  /** Media types that it answers with. */
  produces: readonly string[];
}

export interface Route extends Omit<Spec<unknown, unknown, unknown, unknown>, 'answer'> {
  answer: z.ZodType | null;
  produces: readonly string[] | null;
}

/** A route that answers JSON. */
export function route<Params = undefined, Query = undefined, Body = undefined, Answer = undefined>(
  spec: Spec<Params, Query, Body, Answer>,
): Route {
  return { ...(spec as unknown as Route), produces: null };
}

/** A route that answers a file. */
export function fileRoute<Params = undefined, Query = undefined, Body = undefined>(
  spec: FileSpec<Params, Query, Body>,
): Route {
  return { ...(spec as unknown as Route), answer: null };
}

/** A public id in a path or body, e.g. `crawl-3` or `3`, read as its number. */
export function idOf(noun: Noun) {
  return z
    .string()
    .regex(new RegExp(`^(${noun}-)?\\d{1,9}$`), `expected something like ${noun}-3`)
    .describe(`public id, e.g. ${noun}-3`)
    .transform((text) => parsePublicId(text, [noun]).id);
}

/** Part of a list: how long the whole is, and which part this is. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    total: z.int().describe('how many there are in all'),
    offset: z.int(),
    limit: z.int(),
    items: z.array(item),
  });
}

/** Which part of a list is wanted. */
export const pageQuery = {
  offset: z.coerce.number().int().min(0).max(10_000_000).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(50),
};

/** A time, as ISO 8601 in UTC. */
export const time = z.date().meta({ type: 'string', format: 'date-time' });
