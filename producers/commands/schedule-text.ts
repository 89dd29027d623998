/** Schedules and nights in words. */
import { table, tell } from '../output.ts';
import { type describeNight, type describeSchedule, isSomebodyAtWork } from '../schedules.ts';
import type { Session } from '../session.ts';

/** The nights as a table. */
export function nightTable(nights: readonly ReturnType<typeof describeNight>[]): string {
  const rows = nights.map(({ night, schedule, startedAt, seconds, state, steps, reason }) => [
    ...[night, schedule, startedAt.toISOString(), seconds === null ? '-' : duration(seconds), state],
    steps.map((step) => `${step.step} ${step.state}`).join(', '),
    reason ??
      steps
        .map((step) => step.worksOn ?? '')
        .filter(Boolean)
        .join(', '),
  ]);
  return table(['night', 'schedule', 'started', 'took', 'state', 'steps', ''], rows);
}

function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

type Described = Awaited<ReturnType<typeof describeSchedule>>;

/** When a schedule runs next, in a line. */
export function describeDue(row: Described): string {
  return `${row.schedule} (${row.steps.join()}) ${row.paused ? 'is paused' : `runs next ${dueText(row)}`}`;
}

export function dueText({ paused, nextAt, timezone }: Described): string {
  if (paused) return 'paused';
  if (nextAt === null) return 'never';
  if (nextAt.getTime() < Date.now()) return 'as soon as hiphop up runs';
  const shown = { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' } as const;
  return `${new Intl.DateTimeFormat('sv-SE', shown).format(nextAt)} ${timezone}`;
}

/** A schedule does nothing by itself: who adds one should know that. */
export async function warnIfIdle(session: Session): Promise<void> {
  if (await isSomebodyAtWork(session)) return;
  tell('note: nothing runs that starts it: no night begins until hiphop up (or hiphop work) does');
}
