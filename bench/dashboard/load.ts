/** Load on a server: streams that listen, and requests that come at their times whether it keeps up or not. */
import { setMaxListeners } from 'node:events';
import { Agent, request } from 'undici';

export interface Load {
  /** Event streams held open. */
  streams: number;
  /** Requests a second over all addresses. */
  rate: number;
  seconds: number;
}

/** A path, or a path with what is sent to it as JSON. */
export type Asked = string | { path: string; body: object };

export interface Latency {
  path: string;
  /** Milliseconds of the first answer of all, before there was load: nothing was read or kept yet. */
  first: number;
  /** Milliseconds from the moment when it was due, of each answer under load. */
  times: number[];
  failed: number;
}

export interface Loaded {
  latencies: Latency[];
  /** Events that all streams got together. */
  events: number;
  streamsLost: number;
}

/** @param origin without a slash at the end */
export async function load(origin: string, paths: readonly Asked[], plan: Load): Promise<Loaded> {
  const asking = new Agent({ connections: 100 });
  const me = await request(`${origin}/api/me`, { dispatcher: asking });
  const { csrf } = (await me.body.json()) as { csrf: string };
  const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf };
  const optionsOf = (asked: Asked) => ({
    dispatcher: asking,
    ...(typeof asked === 'string'
      ? {}
      : { method: 'POST' as const, headers, body: JSON.stringify(asked.body) }),
  });
  const latencies: Latency[] = [];
  for (const asked of paths) {
    const latency = { path: typeof asked === 'string' ? asked : asked.path, first: 0, times: [], failed: 0 };
    await ask(origin, optionsOf(asked), latency, performance.now());
    const [first = Number.NaN] = latency.times.splice(0);
    latencies.push({ ...latency, first });
  }
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const tally = { events: 0, streamsLost: 0 };
  const streaming = new Agent({ connections: plan.streams, bodyTimeout: 0, headersTimeout: 30_000 });
  const streams = Array.from({ length: plan.streams }, () => listen(origin, streaming, stop.signal, tally));
  await Promise.all(streams.map(({ open }) => open));
  const total = Math.round(plan.rate * plan.seconds);
  const began = performance.now();
  const answers: Promise<void>[] = [];
  for (let index = 0; index < total; index++) {
    const due = began + (1000 * index) / plan.rate;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const place = index % paths.length;
    answers.push(ask(origin, optionsOf(paths[place]!), latencies[place]!, due));
  }
  await Promise.all(answers);
  stop.abort();
  await Promise.all(streams.map(({ ended }) => ended));
  await Promise.all([streaming.close(), asking.close()].map((closing) => closing.catch(() => {})));
  return { latencies, ...tally };
}

function listen(
  origin: string,
  dispatcher: Agent,
  signal: AbortSignal,
  tally: { events: number; streamsLost: number },
): { open: Promise<void>; ended: Promise<void> } {
  const asked = request(`${origin}/api/events`, {
    dispatcher,
    signal,
    headers: { accept: 'text/event-stream' },
  });
  const open = asked.then(({ statusCode }) => {
    if (statusCode !== 200) throw new Error(`a stream was answered ${statusCode}`);
  });
  const ended = asked
    .then(async ({ body }) => {
      for await (const chunk of body) tally.events += String(chunk).match(/^event:/gm)?.length ?? 0;
      tally.streamsLost++;
    })
    .catch(() => {
      if (!signal.aborted) tally.streamsLost++;
    });
  return { open, ended };
}

async function ask(
  origin: string,
  options: NonNullable<Parameters<typeof request>[1]>,
  latency: Latency,
  due: number,
): Promise<void> {
  try {
    const { statusCode, body } = await request(`${origin}${latency.path}`, options);
    await body.dump();
    if (statusCode !== 200) latency.failed++;
    latency.times.push(performance.now() - due);
  } catch {
    latency.failed++;
  }
}

/** The value below which this share of the times lies. */
export function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
