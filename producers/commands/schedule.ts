import type { Command } from 'commander';
import { UserError } from '../../shared/errors.ts';
import { publicId } from '../../shared/identifiers.ts';
import { readNight } from '../../shared/schedules/nights.ts';
import { syncSchedules } from '../../shared/schedules/sync.ts';
import { audited } from '../audit.ts';
import { exitStatus, runInSession } from '../cli.ts';
import { print, printJson, progress, table, tell } from '../output.ts';
import {
  describeNight,
  describeSchedule,
  isSomebodyAtWork,
  listNights,
  listSchedules,
  pauseSchedule,
  removeSchedule,
  runSchedule,
} from '../schedules.ts';
import type { Session } from '../session.ts';
import { waitFor } from '../wait.ts';
import { positive, registerAdd } from './schedule-add.ts';
import { describeDue, dueText, nightTable, warnIfIdle } from './schedule-text.ts';

interface JsonOption {
  json?: boolean;
}

export function registerSchedule(program: Command): void {
  const schedule = program
    .command('schedule')
    .description('crawl, freeze and train again and again, e.g. every night; hiphop up has to run for it');

  registerAdd(schedule);

  schedule
    .command('list', { isDefault: true })
    .description('the schedules: when each is due next, and how its last night went')
    .option('--json', 'print the list as JSON')
    .action((options: JsonOption) => runInSession((session) => list(session, options)));

  schedule
    .command('remove')
    .description('remove a schedule; the rows of its nights stay')
    .argument('<name>')
    .option('--json', 'print the outcome as JSON')
    .action((name: string, options: JsonOption) =>
      runInSession(
        async (session) => {
          const running = await removeSchedule(session, name);
          const night = running && publicId('night', running.id);
          if (options.json) printJson({ removed: name, running: night });
          else
            print(`${name} is removed${night ? `; ${night} goes on, hiphop cancel ${night} stops it` : ''}`);
        },
        { action: 'schedule remove', target: name },
      ),
    );

  for (const [verb, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    schedule
      .command(verb)
      .description(paused ? 'start no more nights until resume; one that runs goes on' : 'end the pause')
      .argument('<name>')
      .option('--json', 'print the outcome as JSON')
      .action((name: string, options: JsonOption) =>
        runInSession(
          async (session) => {
            const changed = await describeSchedule(session, await pauseSchedule(session, name, paused));
            if (options.json) printJson(changed);
            else print(describeDue(changed));
            if (!paused) await warnIfIdle(session);
          },
          { action: `schedule ${verb}`, target: name },
        ),
      );
  }

  schedule
    .command('run')
    .description('start a night of a schedule now')
    .argument('<name>')
    .argument('[now]', 'may be said, and changes nothing')
    .option('--wait', 'stay until the night is over (always so where nothing else runs it)')
    .option('--json', 'print how it went as JSON')
    .action((name: string, now: string | undefined, options: JsonOption & { wait?: boolean }) =>
      runInSession((session) => run(session, name, now, options)),
    );

  schedule
    .command('history')
    .description('how the nights went, newest first')
    .argument('[name]', 'only of this schedule')
    .option('--limit <nights>', 'at most so many', positive, 30)
    .option('--json', 'print the list as JSON')
    .action((name: string | undefined, options: JsonOption & { limit: number }) =>
      runInSession((session) => history(session, name, options)),
    );
}

async function list(session: Session, { json }: JsonOption): Promise<void> {
  const schedules = await listSchedules(session);
  if (json) {
    printJson({ working: await isSomebodyAtWork(session), schedules });
    return;
  }
  if (schedules.length === 0) {
    print('no schedules yet: hiphop schedule add makes one');
    return;
  }
  const rows = schedules.map((row) => [
    ...[row.schedule, `${row.cron} (${row.timezone})`, row.steps.join(), dueText(row)],
    row.running ? `${row.running.night} runs` : row.last ? `${row.last.night} ${row.last.state}` : '-',
    row.last?.reason ?? '',
  ]);
  print(table(['schedule', 'when', 'steps', 'next', 'last', ''], rows));
  await warnIfIdle(session);
}

async function run(
  session: Session,
  name: string,
  now: string | undefined,
  options: JsonOption & { wait?: boolean },
): Promise<void> {
  if (now !== undefined && now !== 'now') throw new UserError(`a night can be started now, not "${now}"`);
  const { prisma } = session.database;
  const stay = options.wait || !(await isSomebodyAtWork(session));
  const { night, isNew } = await audited(session, { action: 'schedule run', target: name }, () =>
    runSchedule(session, name),
  );
  const id = publicId('night', night.id);
  const look = async () => readNight(await prisma.scheduleRun.findUniqueOrThrow({ where: { id: night.id } }));
  if (!isNew) tell(`${id} was left unfinished: it goes on`);
  if (stay) {
    const bar = progress(id);
    await waitFor(session, {
      stages: ['schedule'],
      finished: async () => {
        const { state, steps } = await look();
        const at = steps.find((step) => step.state === 'running');
        const over = steps.filter((step) => step.state !== 'waiting' && step.state !== 'running').length;
        bar.update(over, steps.length, at ? `${at.name} ${at.worksOn ?? ''}`.trim() : '');
        return state !== 'running';
      },
      repair: async () => {
        await syncSchedules({ prisma, queues: session.queues });
      },
    }).finally(bar.stop);
  }
  const described = describeNight(await look());
  if (options.json) printJson(described);
  else print(stay ? nightTable([described]) : `${id} is started; hiphop schedule history shows how it goes`);
  if (described.state === 'failed') process.exitCode = exitStatus.failed;
}

async function history(
  session: Session,
  name: string | undefined,
  options: JsonOption & { limit: number },
): Promise<void> {
  const { total, nights } = await listNights(session.database.prisma, name, options.limit);
  if (options.json) printJson({ total, nights });
  else if (total === 0) print('no night yet');
  else {
    print(nightTable(nights));
    if (total > nights.length) print(`… and ${total - nights.length} before (--limit)`);
  }
}
