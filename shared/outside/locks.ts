import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { CancelledError } from '../errors.ts';

/** How often it is asked whether another process has let go of a name, in milliseconds. */
const pollMs = 100;

/** The connection that this process's locks are held on: a lock ends when its connection does. */
interface LockConnection {
  users: number;
  /** Run a query that answers yes or no about a key, after those that were asked before. */
  ask: (query: string, key: string) => Promise<boolean>;
  release: () => void;
}

/**
 * One at a time for each name (an address that is downloaded, audio that is decoded), over all workers on
 * all machines. Who is at it is known to PostgreSQL (advisory locks of a session), which forgets it the
 * moment a worker is gone, even by SIGKILL. All locks of a process share one connection of its pool, held
 * only while there are any.
 */
export class Locks {
  readonly #pool: pg.Pool;
  /** Names that are held in this process: PostgreSQL lets a session lock the same twice. */
  readonly #held = new Map<string, Promise<void>>();
  #connection: LockConnection | null = null;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /**
   * Do something while nobody else does something for this name; waits for its turn.
   * @throws CancelledError when the signal is aborted while it waits
   */
  async hold<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let other = this.#held.get(name); other; other = this.#held.get(name)) await other;
    let letGo = () => {};
    const gone = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    this.#held.set(name, gone);
    try {
      return await this.#withConnection(async (connection) => {
        const key = keyOf(name);
        await acquire(connection, key, signal);
        try {
          return await work();
        } finally {
          // Where this fails the connection is lost, and the lock with it.
          await connection.ask('SELECT pg_advisory_unlock($1) AS yes', key).catch(() => {});
        }
      });
    } finally {
      this.#held.delete(name);
      letGo();
    }
  }

  async #withConnection<T>(use: (connection: LockConnection) => Promise<T>): Promise<T> {
    this.#connection ??= this.#open();
    const connection = this.#connection;
    connection.users++;
    try {
      return await use(connection);
    } finally {
      connection.users--;
      if (connection.users === 0) {
        this.#forget(connection);
        connection.release();
      }
    }
  }

  #open(): LockConnection {
    let broken = false;
    let last: Promise<unknown> = Promise.resolve();
    const client = this.#pool.connect();
    const connection: LockConnection = {
      users: 0,
      ask: (query, key) => {
        const asked = last.then(async () => {
          const { rows } = await (await client).query<{ yes: boolean }>(query, [key]);
          return rows[0]?.yes === true;
        });
        last = asked.catch(() => {});
        return asked;
      },
      release: () => {},
    };
    // Unheard, it would end the process. Those who are at work go on; the next begin on another one.
    const onError = () => {
      broken = true;
      this.#forget(connection);
    };
    client.then(
      (opened) => {
        opened.on('error', onError);
        connection.release = () => {
          opened.off('error', onError);
          opened.release(broken);
        };
      },
      () => {}, // those who ask hear of it
    );
    return connection;
  }

  #forget(connection: LockConnection): void {
    if (this.#connection === connection) this.#connection = null;
  }
}

async function acquire({ ask }: LockConnection, key: string, signal: AbortSignal): Promise<void> {
  // Asking and not waiting: a query that waits would keep the other locks of this connection from ending.
  while (!(await ask('SELECT pg_try_advisory_lock($1) AS yes', key))) {
    await sleep(pollMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) throw new CancelledError('stopped while another worker was at the same audio');
  }
}

/** 64 bits of a hash: two names that share them wait for each other now and then, and that is all. */
function keyOf(name: string): string {
  return createHash('sha256').update(`hiphop ${name}`).digest().readBigInt64BE().toString();
}
