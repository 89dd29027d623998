/** Topics over a real connection: what a browser would see. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Caller } from '../../../dashboard/access/caller.ts';
import { EventHub, type Topic } from '../../../dashboard/events/hub.ts';
import { eventually } from '../../support/eventually.ts';
import { silent } from '../../support/queue-backends.ts';

interface Event {
  event: string;
  id: string;
  data: unknown;
}

const callers: Record<string, Caller> = {
  ops: { accountId: 1, name: 'ops', role: 'operator' },
  ann: { accountId: 2, name: 'ann', role: 'artist' },
  bob: { accountId: 3, name: 'bob', role: 'artist' },
};

let server: Server;
let hub: EventHub;
let reads: string[];
let value: number;
let failing: boolean;
const open: AbortController[] = [];

beforeEach(async () => {
  reads = [];
  value = 1;
  failing = false;
  const topics: Topic[] = [
    {
      name: 'pipeline',
      audience: ({ role }) => (role === 'artist' ? null : 'all'),
      everyMs: 20,
      read: async () => {
        reads.push('pipeline');
        if (failing) throw new Error('the database is away');
        return { value };
      },
    },
    {
      name: 'songs',
      audience: ({ accountId }) => String(accountId),
      everyMs: 20,
      read: async (audience) => {
        reads.push(`songs ${audience}`);
        return { of: audience };
      },
    },
  ];
  hub = new EventHub(topics, silent);
  const app = express();
  app.get('/events/:name', (request, response) =>
    hub.stream(request, response, callers[request.params.name]!),
  );
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const connection of open.splice(0)) connection.abort();
  hub.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Listen as a caller. Returns what has come so far, which grows. */
async function listen(name: string, lastEventId?: string) {
  const stop = new AbortController();
  open.push(stop);
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/events/${name}`, {
    signal: stop.signal,
    headers: { accept: 'text/event-stream', ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
  });
  const events: Event[] = [];
  let rest = '';
  (async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n\n');
      rest = parts.pop()!;
      for (const part of parts) {
        const field = (key: string) => new RegExp(`^${key}:\\s?(.*)$`, 'm').exec(part)?.[1];
        const data = field('data');
        if (data) events.push({ event: field('event')!, id: field('id')!, data: JSON.parse(data) });
      }
    }
  })().catch(() => {});
  return { events, stop: () => stop.abort(), type: response.headers.get('content-type') };
}

test('a caller gets what is theirs, once, and again when it has changed', async () => {
  const ops = await listen('ops');
  expect(ops.type).toMatch(/^text\/event-stream/);
  await eventually(() => ops.events.length === 2, { what: 'two snapshots' });
  expect(ops.events.map(({ event, data }) => [event, data])).toEqual(
    expect.arrayContaining([
      ['pipeline', { value: 1 }],
      ['songs', { of: '1' }],
    ]),
  );
  // Read again and again, sent only when it differs.
  await eventually(() => reads.filter((name) => name === 'pipeline').length > 5, { what: 'more readings' });
  expect(ops.events).toHaveLength(2);
  value = 2;
  await eventually(() => ops.events.length === 3, { what: 'the change' });
  expect(ops.events[2]).toMatchObject({ event: 'pipeline', data: { value: 2 } });
});

test('nobody sees the snapshot of another audience', async () => {
  const [ann, bob] = await Promise.all([listen('ann'), listen('bob')]);
  await eventually(() => ann.events.length > 0 && bob.events.length > 0, { what: 'their snapshots' });
  expect(ann.events.map(({ event, data }) => [event, data])).toEqual([['songs', { of: '2' }]]);
  expect(bob.events.map(({ event, data }) => [event, data])).toEqual([['songs', { of: '3' }]]);
});

test('a topic is read once for all who listen, and by nobody when they have gone', async () => {
  const listeners = await Promise.all(Array.from({ length: 10 }, () => listen('ops')));
  await eventually(() => listeners.every(({ events }) => events.length === 2), { what: 'all snapshots' });
  expect(hub.listeners).toBe(10);
  const before = reads.filter((name) => name === 'pipeline').length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  // Ten times as many would be 100.
  expect(reads.filter((name) => name === 'pipeline').length - before).toBeLessThan(15);
  for (const { stop } of listeners) stop();
  await eventually(() => hub.listeners === 0, { what: 'all to be gone' });
  const after = reads.length;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(reads.length - after).toBeLessThanOrEqual(2); // what was being read when they left
});

test('who leaves before it is known who they are leaves nothing behind', async () => {
  let asked = 0;
  let answer = () => {};
  const known = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const streamed: Promise<void>[] = [];
  const app = express();
  app.get('/late', async (request, response) => {
    asked++;
    await known;
    streamed.push(hub.stream(request, response, callers['ops']!));
  });
  const slow = createServer(app);
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const { port } = slow.address() as AddressInfo;
  const stops = Array.from({ length: 50 }, () => new AbortController());
  const requests = stops.map(({ signal }) =>
    fetch(`http://127.0.0.1:${port}/late`, { signal }).catch(() => null),
  );
  await eventually(() => asked === 50, { what: 'all requests' });
  let connections = 50;
  for (const stop of stops) stop.abort();
  await Promise.all(requests);
  await eventually(
    async () => {
      connections = await new Promise((resolve) => slow.getConnections((_error, count) => resolve(count)));
      return connections === 0;
    },
    { what: 'all connections to be closed' },
  );
  answer();
  await eventually(() => streamed.length === 50, { what: 'all to be known' });
  await Promise.all(streamed);
  expect(hub.listeners).toBe(0);
  expect(reads).toEqual([]);
  // And those that leave while the stream begins.
  const late = Array.from({ length: 50 }, () => new AbortController());
  const begun = late.map(({ signal }) =>
    fetch(`http://127.0.0.1:${port}/late`, { signal }).catch(() => null),
  );
  await eventually(() => streamed.length > 50, { what: 'some to begin' });
  for (const stop of late) stop.abort();
  await Promise.all(begun);
  await eventually(() => hub.listeners === 0, { what: 'all to be gone' });
  await new Promise((resolve) => slow.close(resolve));
});

test('who comes back gets what was missed, and nothing twice', async () => {
  const keeper = await listen('ops');
  const first = await listen('ops');
  await eventually(() => first.events.length === 2, { what: 'the first snapshots' });
  first.stop();
  const lastId = first.events.at(-1)!.id;
  const same = await listen('ops', lastId);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(same.events).toEqual([]);
  same.stop();
  value = 7;
  await eventually(() => keeper.events.length === 3, { what: 'the change' });
  const back = await listen('ops', lastId);
  await eventually(() => back.events.length > 0, { what: 'what was missed' });
  expect(back.events.map(({ event, data }) => [event, data])).toEqual([['pipeline', { value: 7 }]]);
  // An id of another server's life means nothing here: all of it is sent.
  const stranger = await listen('ops', 'abcdef12-99');
  await eventually(() => stranger.events.length === 2, { what: 'all snapshots' });
});

test('a topic that cannot be read is read again later, and the stream stays', async () => {
  failing = true;
  const ops = await listen('ops');
  await eventually(() => reads.filter((name) => name === 'pipeline').length > 2, { what: 'more tries' });
  expect(ops.events.map(({ event }) => event)).toEqual(['songs']);
  failing = false;
  await eventually(() => ops.events.some(({ event }) => event === 'pipeline'), { what: 'the snapshot' });
});

test('a reading that failed after a long wait is made again at the next turn', async () => {
  let tries = 0;
  const waiting: Topic = {
    ...{ name: 'models', audience: () => 'all', everyMs: 20 },
    read: async () => {
      if (++tries > 1) return { value };
      await new Promise((resolve) => setTimeout(resolve, 300));
      throw new Error('the database is away');
    },
  };
  hub.close();
  hub = new EventHub([waiting], silent);
  const ops = await listen('ops');
  // Not after ten times as long as the waiting took.
  await eventually(() => ops.events.length === 1, { what: 'the snapshot', timeoutMs: 2_000 });
});

test('a change that is announced is read at once', async () => {
  const slow: Topic = {
    ...{ name: 'models', audience: () => 'all', everyMs: 60_000 },
    read: async () => ({ value }),
  };
  hub.close();
  hub = new EventHub([slow], silent);
  const ops = await listen('ops');
  await eventually(() => ops.events.length === 1, { what: 'the first snapshot' });
  value = 5;
  hub.changed('models');
  await eventually(() => ops.events.length === 2, { what: 'the change', timeoutMs: 2_000 });
  expect(ops.events[1]!.data).toEqual({ value: 5 });
});
