/** One worker's time at one night: what it sees and writes, and when it has to leave off. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PrismaClient } from '../../shared/database/generated/client.ts';
import { CancelledError, reasonOf } from '../../shared/errors.ts';
import { publicId } from '../../shared/identifiers.ts';
import type { StepName } from '../../shared/schedules/definition.ts';
import {
  changeNight,
  type Night,
  type NightChange,
  type NightStep,
  readNight,
} from '../../shared/schedules/nights.ts';
import type { JobContext } from '../handler.ts';

/** How often the database is looked at, in milliseconds. */
const lookMs = 1_000;
/** A database may be away for so long, in milliseconds, before the job has failed at it. */
const patienceMs = 5 * 60_000;

/** The deadline has passed. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

/** Somebody else works on the night now. */
export class TakenError extends Error {
  override readonly name = 'TakenError';
}

export class Shift {
  readonly prisma: PrismaClient;
  readonly #context: Pick<JobContext, 'signal' | 'log'>;
  readonly #worker = randomUUID();
  #night: Night;
  #pausing: AbortController | null = null;

  private constructor(prisma: PrismaClient, night: Night, context: Pick<JobContext, 'signal' | 'log'>) {
    this.prisma = prisma;
    this.#night = night;
    this.#context = context;
  }

  /** Sign the night, which ends the shift of whoever had it. Null when it runs no more. */
  static async begin(
    prisma: PrismaClient,
    night: Night,
    context: Pick<JobContext, 'signal' | 'log'>,
  ): Promise<Shift | null> {
    const shift = new Shift(prisma, night, context);
    const signed = await changeNight(prisma, night.id, { sign: shift.#worker });
    if (!signed) return null;
    shift.#night = signed;
    return shift;
  }

  get night(): Night {
    return this.#night;
  }

  async write(name: StepName, change: Partial<NightStep>): Promise<void> {
    await this.#change({ step: { ...change, name } });
  }

  async end(): Promise<void> {
    await this.#change({ end: { state: 'done', reason: null } });
  }

  /**
   * Find out whether to go on.
   * @throws LateError, CancelledError or TakenError when not, and Error when this process shuts down
   */
  async check(): Promise<void> {
    if (this.#context.signal.aborted) throw new Error('this process is shutting down');
    const row = await this.patiently(() =>
      this.prisma.scheduleRun.findUnique({ where: { id: this.#night.id } }),
    );
    if (row?.state !== 'running') throw new CancelledError(`${this.#name} was cancelled`);
    const night = readNight(row);
    if (night.worker !== this.#worker) throw new TakenError(`another worker has taken over ${this.#name}`);
    if (Date.now() >= night.deadlineAt.getTime()) throw new LateError('the deadline has passed');
  }

  /** Wait until it is time for the next look, or to wake. */
  async pause(): Promise<void> {
    const pausing = new AbortController();
    this.#pausing = pausing;
    const { signal } = this.#context;
    const wake = () => pausing.abort();
    signal.addEventListener('abort', wake);
    await sleep(lookMs, undefined, { signal: pausing.signal }).catch(() => {});
    signal.removeEventListener('abort', wake);
  }

  /** Something has happened that is worth a look. */
  wake(): void {
    this.#pausing?.abort();
  }

  /** Ask the database, again and again where it is away for a while: a night must outlast a restart. */
  async patiently<T>(ask: () => Promise<T>): Promise<T> {
    const end = Date.now() + patienceMs;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (this.#context.signal.aborted || Date.now() > end) throw error;
        this.#context.log.warn(`the database does not answer: ${reasonOf(error)}`);
      }
      await this.pause();
    }
  }

  get #name(): string {
    return publicId('night', this.#night.id);
  }

  async #change(change: NightChange): Promise<void> {
    const changed = await this.patiently(() =>
      changeNight(this.prisma, this.#night.id, { ...change, worker: this.#worker }),
    );
    if (changed) this.#night = changed;
    else {
      await this.check();
      throw new TakenError(`another worker has taken over ${this.#name}`);
    }
  }
}
