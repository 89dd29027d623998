/** One step of a night: its command is run, and its work is watched until the database says that it is done. */
import { CancelledError, PermanentError } from '../../shared/errors.ts';
import type { StepName } from '../../shared/schedules/definition.ts';
import { isOwnWork, type NightStep } from '../../shared/schedules/nights.ts';
import type { CommandEnd, CommandRunner, RunningCommand } from './command.ts';
import { LateError, type Shift } from './shift.ts';
import { type StepPlan, stepPlans } from './steps.ts';

/** `hiphop` ends with this when it was asked for something that cannot be done: no other try helps. */
const usageStatus = 2;

export class StepWork {
  readonly #name: StepName;
  readonly #plan: StepPlan;
  readonly #shift: Shift;
  readonly #runCommand: CommandRunner;
  #command: RunningCommand | null = null;
  #end: CommandEnd | null = null;

  constructor(name: StepName, shift: Shift, runCommand: CommandRunner) {
    this.#name = name;
    this.#plan = stepPlans[name];
    this.#shift = shift;
    this.#runCommand = runCommand;
  }

  /**
   * Do the step, or what is left of it.
   * @throws PermanentError when it has failed or is late, with the reason
   */
  async run(): Promise<void> {
    try {
      if (!(await this.#begin())) return;
      if (this.#step.worksOn === null) this.#startCommand();
      while (!(await this.#isDone())) await this.#shift.pause();
    } catch (error) {
      throw await this.#leaveOff(error);
    }
  }

  get #step(): NightStep {
    return this.#shift.night.steps.find(({ name }) => name === this.#name)!;
  }

  /** Whether there is something to do. */
  async #begin(): Promise<boolean> {
    const { state, worksOn } = this.#step;
    if (state !== 'waiting' && state !== 'running') return false;
    await this.#shift.check();
    if (state === 'waiting') {
      const why = await this.#ask((prisma) => this.#plan.skip(prisma, this.#shift.night));
      if (why !== null) {
        await this.#write({ state: 'skipped', outcome: why });
        return false;
      }
      const newestBefore = await this.#ask((prisma) => this.#plan.newest(prisma));
      await this.#write({ state: 'running', startedAt: new Date().toISOString(), newestBefore });
    } else if (worksOn === null) await this.#note(await this.#find([]));
    return true;
  }

  #startCommand(): void {
    const command = this.#runCommand([...this.#plan.command(this.#shift.night), '--json']);
    this.#command = command;
    command.ended.then((end) => {
      this.#end = end;
      this.#shift.wake();
    });
  }

  async #isDone(): Promise<boolean> {
    await this.#shift.check();
    if (this.#end) {
      const { answer, status, reason } = this.#end;
      this.#command = null;
      this.#end = null;
      await this.#note(this.#plan.fromAnswer(answer));
      if (this.#step.worksOn === null) {
        const text = `${this.#name}: ${reason}`;
        throw status === usageStatus ? new PermanentError(text) : new Error(text);
      }
    }
    if (this.#command) {
      // A command that stays until its work is done tells late what that is.
      if (this.#step.worksOn === null) await this.#note(await this.#find(this.#command.said()));
      return false;
    }
    const sight = await this.#ask((prisma) => this.#plan.look(prisma, this.#step));
    if (!sight) return false;
    if (!sight.done) throw new PermanentError(`${this.#name}: ${sight.reason}`);
    await this.#write({ state: 'done', finishedAt: new Date().toISOString(), outcome: sight.outcome });
    return true;
  }

  /** End what is under way, as far as that is right. Returns what is to be thrown. */
  async #leaveOff(error: unknown): Promise<unknown> {
    const late = error instanceof LateError;
    const over = late || error instanceof CancelledError;
    const { state, worksOn } = this.#step;
    let found = worksOn;
    if (this.#command) {
      this.#command.stop();
      const { answer } = await this.#command.ended;
      if (over) found ??= this.#plan.fromAnswer(answer) ?? (await this.#find(this.#command.said()));
    }
    if (!over) return error;
    // What the row names was cancelled by who cancelled the night.
    const left = state === 'running' && (late || worksOn === null);
    const then = left ? await this.#cancel({ ...this.#step, worksOn: found }) : '';
    if (!late) return error;
    const { deadlineHours } = this.#shift.night.options;
    return new PermanentError(
      `${this.#name}: not finished at the deadline, ${deadlineHours} h after the night began${then}`,
    );
  }

  async #cancel(step: NightStep): Promise<string> {
    if (step.worksOn === null || !this.#plan.cancellable) return '';
    if (!isOwnWork(step)) return `; ${step.worksOn}, which was there before, goes on`;
    const { status, reason } = await this.#runCommand(['cancel', step.worksOn, '--json']).ended;
    return status === 0
      ? `; ${step.worksOn} was cancelled`
      : `; ${step.worksOn} could not be cancelled: ${reason}`;
  }

  #find(said: readonly string[]): Promise<string | null> {
    return this.#ask((prisma) => this.#plan.find(prisma, this.#shift.night, said));
  }

  async #note(worksOn: string | null): Promise<void> {
    if (worksOn !== null && worksOn !== this.#step.worksOn) await this.#write({ worksOn });
  }

  #write(change: Partial<NightStep>): Promise<void> {
    return this.#shift.write(this.#name, change);
  }

  #ask<T>(query: (prisma: Shift['prisma']) => Promise<T>): Promise<T> {
    return this.#shift.patiently(() => query(this.#shift.prisma));
  }
}
