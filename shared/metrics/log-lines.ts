/**
 * What this process logs, on its way into the database, where it can be searched with the lines of all
 * other processes. Taking a line never waits and never fails; what is too much is dropped, counted and said.
 */
import { hostname } from 'node:os';
import type pg from 'pg';
import { recorder } from './recorder.ts';

/** So many lines a second are kept; of errors as many again, so that a flood of news hides none. */
export const linesPerSecond = 100;
/** So many wait while the database is away. */
const mostWaiting = 5_000;
/** Longer texts are cut, in characters. */
const longest = { message: 2_000, fields: 8_000 };
/** Least level that is kept: info, as pino counts. */
const leastLevel = 30;
const errorLevel = 50;

interface Line {
  /** Milliseconds since 1970. */
  at: number;
  level: number;
  stage: string | null;
  job: string | null;
  message: string;
  /** JSON. */
  fields: string;
}

export class LogLines {
  #waiting: Line[] = [];
  #second = 0;
  /** Kept in this second: news, errors. */
  #kept = { news: 0, errors: 0 };
  #dropped = 0;
  /** By level, since the last time. */
  #counts = new Map<number, number>();

  /** @param json a line as pino writes it, redacted */
  take(json: string): void {
    const level = Number(/^\{"level":(\d+)/.exec(json)?.[1] ?? 0);
    if (level < leastLevel) return;
    this.#counts.set(level, (this.#counts.get(level) ?? 0) + 1);
    if (!this.#hasRoom(level)) {
      this.#dropped++;
      return;
    }
    const line = readLine(json);
    if (line) this.#waiting.push(line);
  }

  /**
   * Write what waits. What could not be written waits for the next time.
   * @param process what this process is: worker, dashboard, up
   * @throws what the database says
   */
  async flush(pool: Pick<pg.Pool, 'query'>, process: string): Promise<void> {
    this.#tell(process);
    const taken = this.#waiting;
    const dropped = this.#dropped;
    if (taken.length === 0 && dropped === 0) return;
    this.#waiting = [];
    this.#dropped = 0;
    try {
      await write(pool, process, dropped > 0 ? [...taken, droppedLine(dropped)] : taken);
      recorder.count('hiphop_log_lines_dropped_total', { process }, dropped);
    } catch (error) {
      // What the database refuses for its content (class 22) it would refuse for ever.
      const refused = `${(error as { code?: string }).code}`.startsWith('22');
      this.#waiting = refused ? this.#waiting : [...taken, ...this.#waiting];
      this.#dropped += dropped + (refused ? taken.length : this.#waiting.splice(mostWaiting).length);
      throw error;
    }
  }

  #hasRoom(level: number): boolean {
    const second = Math.floor(Date.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#kept = { news: 0, errors: 0 };
    }
    const kind = level >= errorLevel ? 'errors' : 'news';
    return this.#waiting.length < mostWaiting && ++this.#kept[kind] <= linesPerSecond;
  }

  #tell(process: string): void {
    for (const [level, count] of this.#counts) {
      recorder.count('hiphop_log_lines_total', { process, level: levelName(level) }, count);
    }
    this.#counts = new Map();
  }
}

/** What this process logs. */
export const logLines = new LogLines();

export const levels = { info: 30, warn: 40, error: 50, fatal: 60 } as const;
export type LevelName = keyof typeof levels;

/** The name of a level, as pino counts; of one between two the lower. */
export function levelName(level: number): LevelName {
  const names = Object.entries(levels) as [LevelName, number][];
  return names.findLast(([, least]) => level >= least)?.[0] ?? 'info';
}

function droppedLine(count: number): Line {
  const message = `${count} log ${count === 1 ? 'line was' : 'lines were'} not kept: more than ${linesPerSecond} a second, or the database was away`;
  return { at: Date.now(), level: levels.warn, stage: null, job: null, message, fields: '{}' };
}

function readLine(json: string): Line | null {
  try {
    const { level, time, pid, hostname, name, msg, stage, job, ...rest } = JSON.parse(json);
    const fields = JSON.stringify(rest);
    return {
      ...{ at: Number(time) || Date.now(), level },
      stage: typeof stage === 'string' ? clean(stage) : null,
      job: typeof job === 'string' ? clean(job) : null,
      message: clean(String(msg ?? rest.err?.message ?? '')).slice(0, longest.message),
      fields:
        fields.length > longest.fields
          ? JSON.stringify({ shortened: fields.slice(0, longest.fields) })
          : fields,
    };
  } catch {
    return null; // nothing that pino writes
  }
}

/** PostgreSQL's texts have no NUL. */
const clean = (text: string) => text.replaceAll('\0', '');

/** JSON as jsonb takes it: without what stands for a NUL or for half a character. */
const acceptable = (json: string) =>
  json.replace(/(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][\da-f]{2})/gi, '$1\ufffd');

async function write(pool: Pick<pg.Pool, 'query'>, process: string, lines: readonly Line[]): Promise<void> {
  const column = <Key extends keyof Line>(key: Key) => lines.map((line) => line[key]);
  await pool.query(
    `INSERT INTO log_lines (at, level, host, pid, process, stage, job, message, fields)
     SELECT to_timestamp(at / 1000), level, $1, $2, $3, stage, job, message, fields::jsonb
     FROM unnest($4::float8[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[])
       AS lines (at, level, stage, job, message, fields)`,
    [
      ...[hostname(), globalThis.process.pid, process],
      ...[column('at'), column('level'), column('stage'), column('job'), column('message')],
      column('fields').map(acceptable),
    ],
  );
}
