/**
 * One stream of events a browser: browsers open six connections to a server at most, so that a stream a
 * tab would starve the seventh. The tab that holds the lock listens and tells the others. Browsers have locks
 * on https and on this machine alone: elsewhere each tab listens for itself while it is looked at.
 *
 * A topic's newest snapshot is in the cache under ['event', topic]. It is somebody's: after signing out, or
 * in as somebody else, all tabs begin with none.
 */
import { type QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { Me } from '../api/access/schemas.ts';
import type { ModelsSnapshot } from '../api/models/schemas.ts';
import { askWho, whoAmI } from './api.ts';
import { outOfDate } from './pages/models/out-of-date.ts';

/** Topics of dashboard/events/topics.ts. */
export const topics = ['pipeline', 'models', 'songs', 'schedules'] as const;
export type TopicName = (typeof topics)[number];

type Told = { topic: TopicName; text: string; at: number } | { connected: boolean };
type Tell = (told: Told) => void;

/** A stream that was lost is opened again after so long, twice as long each time in vain, in milliseconds. */
const firstWaitMs = 1_000;
const longestWaitMs = 30_000;

/** What of the API has changed when a topic has. */
const behind: Record<Exclude<TopicName, 'models'>, readonly string[]> = {
  pipeline: ['/crawls', '/failures', '/queues', '/workers'],
  songs: ['/batches', '/songs'],
  schedules: ['/schedules', '/nights'],
};

const locks: LockManager | undefined = navigator.locks;

/** Follow the events as whoever is signed in, for as long as this page lives. */
export function followEvents(client: QueryClient): void {
  /** Undefined: not known yet; null: nobody. */
  let who: string | null | undefined;
  let following: AbortController | null = null;
  const tabs = new BroadcastChannel('who is signed in');
  const look = () => {
    const me = client.getQueryData<Me>(['me']);
    const now = me && (me.name === null ? null : `${me.name} (${me.role})`);
    if (now === undefined || now === who) return;
    const before = who;
    who = now;
    following?.abort();
    // What somebody else was shown is nothing for whoever comes now.
    if (before !== undefined) {
      void client.resetQueries({ predicate: ({ queryKey: [first] }) => first !== 'me' });
    }
    following = now === null ? null : new AbortController();
    if (following) void follow(client, now!, following.signal);
    tabs.postMessage(now);
  };
  tabs.onmessage = ({ data }: MessageEvent<string | null>) => {
    if (data !== who) void askWho().catch(() => {}); // the page says what is wrong
  };
  client.getQueryCache().subscribe(({ query }) => {
    if (query.queryKey[0] === 'me') look();
  });
  void whoAmI().catch(() => {});
}

/** Tabs of one user alone hear each other. */
async function follow(client: QueryClient, who: string, signal: AbortSignal): Promise<void> {
  const name = `events of ${who}`;
  const channel = locks ? new BroadcastChannel(name) : null;
  signal.addEventListener('abort', () => channel?.close());
  const newest = new Map<string, Told>();
  let leading = false;
  const take: Tell = (told) => {
    if ('connected' in told) {
      client.setQueryData(['event', 'connected'], told.connected);
      return;
    }
    const { topic, text, at } = told;
    const value = JSON.parse(text) as unknown;
    const before = client.getQueryData<{ value: unknown }>(['event', topic])?.value;
    client.setQueryData(['event', topic], { value, at });
    const isOld =
      topic === 'models'
        ? outOfDate(before as ModelsSnapshot | undefined, value as ModelsSnapshot)
        : (path: string) => behind[topic].some((start) => path.startsWith(start));
    void client.invalidateQueries({
      predicate: ({ queryKey: [first] }) => typeof first === 'string' && isOld(first),
    });
  };
  const tell: Tell = (told) => {
    newest.set('topic' in told ? told.topic : 'connected', told);
    channel?.postMessage(told);
    take(told);
  };
  if (channel) {
    channel.onmessage = ({ data }: MessageEvent<Told | 'hello'>) => {
      if (data !== 'hello') take(data);
      // A tab that has just opened wants to know what there is.
      else if (leading) for (const told of newest.values()) channel.postMessage(told);
    };
    channel.postMessage('hello');
  }
  const lead = async () => {
    leading = true;
    const end = await listen(tell, signal);
    leading = false;
    if (end === 'left') return end;
    // It may have ended because the user has: then this ends too.
    await askWho().catch(() => {});
    if (!signal.aborted) tell({ connected: false });
    return end;
  };
  let waitMs = firstWaitMs;
  while (!signal.aborted) {
    // In between another tab may take over.
    const end = await inTurn(name, signal, lead).catch((error) => {
      if (!signal.aborted) throw error;
    });
    if (end === 'left') continue;
    if (end === 'lost') waitMs = firstWaitMs;
    await sleep(waitMs, signal);
    waitMs = Math.min(2 * waitMs, longestWaitMs);
  }
}

/** How a stream ended; left: nobody looks at this tab. */
type End = 'lost' | 'never opened' | 'left';

/** Listen until the stream ends. A browser that is refused does not try again by itself. */
function listen(tell: Tell, signal: AbortSignal): Promise<End> {
  return new Promise((resolve) => {
    const source = new EventSource('/api/events');
    let opened = false;
    const end = (how: End) => {
      source.close();
      document.removeEventListener('visibilitychange', leave);
      // The signal outlives this stream by far, and would keep it.
      signal.removeEventListener('abort', stop);
      resolve(how);
    };
    const stop = () => end('left');
    const leave = () => {
      if (document.hidden) stop();
    };
    source.onopen = () => {
      opened = true;
      tell({ connected: true });
    };
    source.onerror = () => end(opened ? 'lost' : 'never opened');
    for (const topic of topics) {
      source.addEventListener(topic, (event) => tell({ topic, text: event.data as string, at: Date.now() }));
    }
    if (!locks) document.addEventListener('visibilitychange', leave);
    signal.addEventListener('abort', stop);
  });
}

/** Work while this tab is the one that leads. */
async function inTurn(name: string, signal: AbortSignal, work: () => Promise<End>): Promise<End> {
  if (locks) return locks.request(name, { signal }, work);
  while (document.hidden) {
    await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
  }
  return signal.aborted ? 'left' : work();
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', wake);
  });
}

/** What comes by itself: nothing asks for it. */
function usePushed<Value>(key: string): Value | undefined {
  return useQuery<Value>({
    queryKey: ['event', key],
    queryFn: () => new Promise(() => {}),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  }).data;
}

/** The newest snapshot of a topic, and when it came; undefined until there is one. */
export const useEvent = <Value>(topic: TopicName): { value: Value; at: number } | undefined =>
  usePushed<{ value: Value; at: number }>(topic);

/** Whether events come; undefined: not known yet. */
export const useConnected = (): boolean | undefined => usePushed<boolean>('connected');

export interface Live<Value> {
  query: UseQueryResult<Value>;
  /** When its value came; null: nothing was pushed yet. */
  at: number | null;
  /** Whether news of it come by themselves. */
  live: boolean;
}

/** What was asked for or what was pushed, whichever came last: a stream that is lost pushes nothing newer. */
export function useLive<Value>(
  asked: UseQueryResult<Value>,
  pushed: { value: Value; at: number } | undefined,
): Live<Value> {
  const connected = useConnected();
  if (pushed === undefined) return { query: asked, at: null, live: false };
  const live = connected !== false;
  if (pushed.at < asked.dataUpdatedAt) return { query: asked, at: asked.dataUpdatedAt, live };
  const query = { ...asked, data: pushed.value, error: null } as UseQueryResult<Value>;
  return { query, at: pushed.at, live };
}
