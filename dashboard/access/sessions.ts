/** Browsers that are signed in: a signed cookie, and a row that it leads to. */
import pgStore from 'connect-pg-simple';
import type { Request, RequestHandler } from 'express';
import session from 'express-session';
import type { Session } from '../../producers/session.ts';
import type { Logger } from '../../shared/logging.ts';

declare module 'express-session' {
  interface SessionData {
    accountId: number;
    /** Of the password that was signed in with. */
    stamp: string;
  }
}

export const cookieName = 'hiphop';
/** Whoever is signed in signs in again after so long, used or not, in milliseconds. */
const lifeMs = 14 * 24 * 3_600_000;

export interface Sessions {
  /** Reads the session of a request that brings one. Writes none unless somebody signs in. */
  read: RequestHandler;
  /** Whether the session of a request that is still open has not ended meanwhile. */
  lives: (request: Request) => Promise<boolean>;
}

/** @param secure whether the cookie travels over https alone; `auto`: where its session began over https */
export function createSessions(
  { database }: Session,
  log: Logger,
  { secret, secure }: { secret: string; secure: boolean | 'auto' },
): Sessions {
  const Store = pgStore(session);
  const store = new Store({
    pool: database.pool,
    tableName: 'web_sessions',
    createTableIfMissing: false,
    // A session ends at its time: reading one writes nothing.
    disableTouch: true,
    errorLog: (...said: unknown[]) =>
      log.error({ err: said.find((part) => part instanceof Error) }, 'sessions'),
  });
  const read = session({
    store,
    secret,
    name: cookieName,
    resave: false,
    saveUninitialized: false,
    unset: 'destroy',
    cookie: { httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge: lifeMs },
  });
  return {
    read,
    lives: (request) =>
      new Promise((resolve, reject) => {
        store.get(request.sessionID, (error, found) => (error ? reject(error) : resolve(Boolean(found))));
      }),
  };
}

/** Begin a session under a new id: one that was planted in the browser before leads nowhere. */
export function beginSession(request: Request): Promise<void> {
  return called((done) => request.session.regenerate(done));
}

export function saveSession(request: Request): Promise<void> {
  return called((done) => request.session.save(done));
}

export function endSession(request: Request): Promise<void> {
  return called((done) => request.session.destroy(done));
}

function called(work: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    work((error) => (error ? reject(error) : resolve()));
  });
}
