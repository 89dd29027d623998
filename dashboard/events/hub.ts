/**
 * What the pages see move: topics, each a snapshot that is read while somebody looks at it, however many
 * do, and sent when it has changed. One stream a browser carries all topics that its user may see.
 */
import { randomUUID } from 'node:crypto';
import { createSession, type Session } from 'better-sse';
import type { Request, Response } from 'express';
import type { Logger } from '../../shared/logging.ts';
import type { Caller } from '../access/caller.ts';
import { restMs } from '../rest.ts';

export interface Topic {
  /** Also the event's name. */
  name: string;
  /** Who sees the same snapshot, e.g. an account's id; null: this caller sees nothing of it. */
  audience: (caller: Caller) => string | null;
  /** How often it is read at most, in milliseconds. */
  everyMs: number;
  read: (audience: string) => Promise<unknown>;
}

/** Proxies and browsers drop connections that are silent, in milliseconds. */
const heartbeatMs = 15_000;
/** Reading may take this share of the time: what is costly is read less often. */
const readingShare = 0.1;

interface Listener {
  session: Session;
  /** To be ended when the server stops. */
  response: Response;
  feeds: Set<Feed>;
}

/** A topic as one audience sees it. */
interface Feed {
  topic: Topic;
  audience: string;
  listeners: Set<Listener>;
  /** The newest snapshot as JSON, and its place in the order of all that was sent. */
  text: string | null;
  sequence: number;
  timer: NodeJS.Timeout | null;
  /** Something is known to have changed: read again as soon as this reading ends. */
  again: boolean;
  reading: boolean;
}

const hasGone = ({ closed, destroyed }: Response) => closed || destroyed;

export class EventHub {
  readonly #topics: readonly Topic[];
  readonly #log: Logger;
  readonly #feeds = new Map<string, Feed>();
  /** Ids of another server's life mean nothing in this one. */
  readonly #life = randomUUID().slice(0, 8);
  readonly #listeners = new Set<Listener>();
  #heart: NodeJS.Timeout | null = null;
  #sequence = 0;
  #closed = false;

  constructor(topics: readonly Topic[], log: Logger) {
    this.#topics = topics;
    this.#log = log;
  }

  /** Browsers that listen now. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Answer a request with a stream of all topics that its caller may see. */
  async stream(request: Request, response: Response, caller: Caller): Promise<void> {
    // While it was found out who asks, they may have gone, and no event says so any more.
    if (hasGone(response)) return;
    const session = await createSession(request, response, {
      // It goes on for ever where the browser leaves meanwhile: this hub keeps the time for all.
      keepAlive: null,
      // Snapshots are serialised once for all who get them.
      serializer: (text) => text as string,
      headers: { 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
    });
    const seen = this.#seen(session.lastId);
    const listener: Listener = { session, response, feeds: new Set() };
    if (hasGone(response)) return;
    this.#listeners.add(listener);
    this.#heart ??= setInterval(() => this.#beat(), heartbeatMs).unref();
    response.once('close', () => this.#leave(listener));
    for (const topic of this.#topics) {
      const audience = topic.audience(caller);
      if (audience === null) continue;
      const feed = this.#feed(topic, audience);
      feed.listeners.add(listener);
      listener.feeds.add(feed);
      if (feed.text !== null && feed.sequence > seen) this.#push(listener, feed);
      if (feed.timer === null && !feed.reading) void this.#read(feed);
    }
  }

  /** Say that a topic has changed: it is read now, not at its next turn. */
  changed(name: string): void {
    for (const feed of this.#feeds.values()) {
      if (feed.topic.name !== name) continue;
      if (feed.reading) feed.again = true;
      else void this.#read(feed);
    }
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#feeds.values()) if (timer) clearTimeout(timer);
    for (const { response } of this.#listeners) response.end();
    this.#feeds.clear();
  }

  #feed(topic: Topic, audience: string): Feed {
    const key = `${topic.name} ${audience}`;
    let feed = this.#feeds.get(key);
    if (!feed) {
      feed = {
        topic,
        audience,
        listeners: new Set(),
        text: null,
        sequence: 0,
        timer: null,
        again: false,
        reading: false,
      };
      this.#feeds.set(key, feed);
    }
    return feed;
  }

  #leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0 && this.#heart) {
      clearInterval(this.#heart);
      this.#heart = null;
    }
    for (const feed of listener.feeds) {
      feed.listeners.delete(listener);
      if (feed.listeners.size > 0) continue;
      if (feed.timer) clearTimeout(feed.timer);
      this.#feeds.delete(`${feed.topic.name} ${feed.audience}`);
    }
  }

  /** A comment, which browsers pass over. */
  #beat(): void {
    for (const { response } of this.#listeners) response.write(':\n\n');
  }

  async #read(feed: Feed): Promise<void> {
    if (feed.timer) clearTimeout(feed.timer);
    feed.timer = null;
    feed.reading = true;
    const started = performance.now();
    let restsMs = feed.topic.everyMs;
    try {
      do {
        feed.again = false;
        const text = JSON.stringify(await feed.topic.read(feed.audience));
        if (text === feed.text) continue;
        feed.text = text;
        feed.sequence = ++this.#sequence;
        for (const listener of feed.listeners) this.#push(listener, feed);
      } while (feed.again && !this.#closed);
      restsMs = restMs(performance.now() - started, readingShare, restsMs);
    } catch (error) {
      this.#log.warn({ err: error, topic: feed.topic.name }, 'a topic of the pages could not be read');
    }
    feed.reading = false;
    if (this.#closed || feed.listeners.size === 0) return;
    feed.timer = setTimeout(() => void this.#read(feed), restsMs);
  }

  #push({ session }: Listener, feed: Feed): void {
    if (session.isConnected) session.push(feed.text, feed.topic.name, `${this.#life}-${feed.sequence}`);
  }

  /** How far a browser that comes back has seen; 0: nothing of this life. */
  #seen(lastId: string): number {
    const [life, sequence] = lastId.split('-');
    return life === this.#life ? Number(sequence) || 0 : 0;
  }
}
