/**
 * One stream of events a browser: browsers open six connections to a server at most, so that a stream a
 * tab would starve the seventh. The tab that holds the lock listens and tells the others.
 *
 * A topic's newest snapshot is in the cache under ['event', topic].
 */
import { type QueryClient, useQuery } from '@tanstack/react-query';
import type { ModelsSnapshot } from '../api/models/schemas.ts';
import { outOfDate } from './pages/models/out-of-date.ts';

/** Topics of dashboard/events/topics.ts. */
export const topics = ['pipeline', 'models', 'songs', 'schedules'] as const;
export type TopicName = (typeof topics)[number];

type Told = { topic: TopicName; text: string; at: number } | { connected: boolean } | { hello: true };

/** What of the API has changed when a topic has. */
const behind: Record<Exclude<TopicName, 'models'>, readonly string[]> = {
  pipeline: ['/crawls', '/failures', '/queues', '/workers'],
  songs: ['/batches', '/songs'],
  schedules: ['/schedules', '/nights'],
};

export function followEvents(client: QueryClient): void {
  const channel = new BroadcastChannel('events');
  const newest = new Map<TopicName, Told>();
  let leading = false;
  const take = (told: Told) => {
    if ('connected' in told) client.setQueryData(['event', 'connected'], told.connected);
    if (!('topic' in told)) return;
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
  channel.onmessage = ({ data }: MessageEvent<Told>) => {
    // A tab that has just opened wants to know what there is.
    if ('hello' in data) {
      if (leading) for (const told of newest.values()) channel.postMessage(told);
    } else take(data);
  };
  channel.postMessage({ hello: true });
  void navigator.locks.request('events', async () => {
    leading = true;
    const tell = (told: Told) => {
      if ('topic' in told) newest.set(told.topic, told);
      channel.postMessage(told);
      take(told);
    };
    const source = new EventSource('/api/events');
    source.onopen = () => tell({ connected: true });
    source.onerror = () => tell({ connected: false });
    for (const topic of topics) {
      source.addEventListener(topic, (event) => tell({ topic, text: event.data as string, at: Date.now() }));
    }
    await new Promise(() => {}); // for as long as this tab lives
  });
}

/** The newest snapshot of a topic, and when it came; undefined until there is one. */
export function useEvent<Value>(topic: TopicName): { value: Value; at: number } | undefined {
  return useQuery<{ value: Value; at: number }>({
    queryKey: ['event', topic],
    queryFn: () => new Promise(() => {}), // comes by itself
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  }).data;
}

/** Whether events come; undefined: not known yet. */
export function useConnected(): boolean | undefined {
  return useQuery<boolean>({
    queryKey: ['event', 'connected'],
    queryFn: () => new Promise(() => {}),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  }).data;
}
