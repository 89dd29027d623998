import { z } from 'zod';
import { cancel } from '../../../producers/cancel.ts';
import {
  addSchedule,
  describeNight,
  findSchedule,
  listNights,
  pauseSchedule,
  removeSchedule,
  runSchedule,
} from '../../../producers/schedules.ts';
import { checkPreset, parseModelNames } from '../../../producers/train.ts';
import { publicId } from '../../../shared/identifiers.ts';
import {
  checkCron,
  checkTimezone,
  nextTime,
  parseSteps,
  type ScheduleOptions,
} from '../../../shared/schedules/definition.ts';
import { readNight } from '../../../shared/schedules/nights.ts';
import { operators, staff } from '../../access/caller.ts';
import { saidSchema } from '../pipeline/schemas.ts';
import { notFound, Problem } from '../problem.ts';
import { type Context, idOf, pageOf, pageQuery, type Route, route } from '../route.ts';
import { nightItem, readSchedules, scheduleItem } from './describe.ts';
import {
  firingsSchema,
  newScheduleSchema,
  nightSchema,
  type ScheduleBody,
  scheduleBodySchema,
  scheduleSchema,
  schedulesSnapshot,
} from './schemas.ts';

const params = z.object({ schedule: z.string().min(1).max(60).describe('name of the schedule') });
/** So many next times are told of a pattern. */
const firingsShown = 5;

function optionsOf(body: ScheduleBody): ScheduleOptions {
  const { crawl, freeze, train, steps, deadlineHours } = body;
  const names = train.models === 'auto' ? null : parseModelNames(train.models);
  if (names) checkPreset(names, train.preset);
  return {
    crawl: steps.includes('crawl') ? { source: 'spotify', ...crawl } : null,
    freeze,
    train: steps.includes('train') ? { ...train, models: names?.join() ?? 'auto' } : null,
    deadlineHours,
  };
}

async function save(name: string, body: ScheduleBody, { session, events }: Context) {
  const { cron, timezone } = body;
  const steps = parseSteps(body.steps.join());
  const { schedule } = await addSchedule(session, { name, cron, timezone, steps, options: optionsOf(body) });
  events.changed('schedules');
  return scheduleItem(session, schedule);
}

export const scheduleRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/schedules',
    allows: staff,
    tag: 'schedules',
    summary: 'List the schedules, each with its last and next night',
    description: 'The same is pushed as event `schedules` of /api/events while it changes.',
    answer: schedulesSnapshot,
    run: (_, { session }) => readSchedules(session),
  }),
  route({
    method: 'post',
    path: '/schedules',
    allows: operators,
    tag: 'schedules',
    summary: 'Add a schedule',
    body: newScheduleSchema,
    answer: scheduleSchema,
    status: 201,
    target: (_, { schedule }) => schedule,
    run: async ({ body: { name, ...body } }, context) => {
      const known = await context.session.database.prisma.schedule.findUnique({ where: { name } });
      if (known)
        throw new Problem(409, `there is a schedule ${name} already: change that one, or take another name`);
      return save(name, body, context);
    },
  }),
  route({
    method: 'put',
    path: '/schedules/{schedule}',
    allows: operators,
    tag: 'schedules',
    summary: 'Change a schedule; a night that runs goes on as it began',
    params,
    body: scheduleBodySchema,
    answer: scheduleSchema,
    run: async ({ params: { schedule: name }, body }, context) => {
      await findSchedule(context.session.database.prisma, name);
      return save(name, body, context);
    },
  }),
  ...(['pause', 'resume'] as const).map((verb) =>
    route({
      method: 'post',
      path: `/schedules/{schedule}/${verb}`,
      allows: operators,
      tag: 'schedules',
      summary: verb === 'pause' ? 'Pause a schedule: it starts no night' : 'End the pause of a schedule',
      params,
      answer: scheduleSchema,
      run: async ({ params: { schedule: name } }, { session, events }) => {
        const row = await pauseSchedule(session, name, verb === 'pause');
        events.changed('schedules');
        return scheduleItem(session, row);
      },
    }),
  ),
  route({
    method: 'post',
    path: '/schedules/{schedule}/run',
    allows: operators,
    tag: 'schedules',
    summary: 'Start a night now, paused or not',
    params,
    answer: nightSchema,
    status: 202,
    startsWork: true,
    run: async ({ params: { schedule: name } }, { session, events }) => {
      const { night } = await runSchedule(session, name);
      events.changed('schedules');
      return nightItem(describeNight(night));
    },
  }),
  route({
    method: 'delete',
    path: '/schedules/{schedule}',
    allows: operators,
    tag: 'schedules',
    summary: 'Remove a schedule; its nights stay',
    params,
    answer: saidSchema,
    run: async ({ params: { schedule: name } }, { session, events }) => {
      const running = await removeSchedule(session, name);
      events.changed('schedules');
      const night = running ? `; ${publicId('night', running.id)} goes on` : '';
      return { said: `${name} is removed${night}` };
    },
  }),
  route({
    method: 'post',
    path: '/schedules/preview',
    allows: staff,
    tag: 'schedules',
    summary: 'Tell when a pattern fires next, or what is wrong with it',
    body: scheduleBodySchema.pick({ cron: true, timezone: true }),
    answer: firingsSchema,
    unaudited: true,
    run: async ({ body: { cron, timezone } }) => {
      checkTimezone(timezone);
      checkCron(cron, timezone);
      const next: string[] = [];
      for (let after = new Date(); next.length < firingsShown; after = new Date(next.at(-1)!)) {
        const time = nextTime(cron, timezone, after);
        if (!time) break;
        next.push(time.toISOString());
      }
      return { timezone, next };
    },
  }),
  route({
    method: 'get',
    path: '/nights',
    allows: staff,
    tag: 'schedules',
    summary: 'List the nights, newest first',
    query: z.object({
      schedule: z.string().optional(),
      offset: pageQuery.offset,
      limit: pageQuery.limit.default(30),
    }),
    answer: pageOf(nightSchema),
    run: async ({ query: { schedule, offset, limit } }, { session }) => {
      const { total, nights } = await listNights(session.database.prisma, schedule, limit, offset);
      return { total, offset, limit, items: nights.map(nightItem) };
    },
  }),
  route({
    method: 'get',
    path: '/nights/{night}',
    allows: staff,
    tag: 'schedules',
    summary: "Show a night: each step's outcome and time",
    params: z.object({ night: idOf('night') }),
    answer: nightSchema,
    run: async ({ params: { night: id } }, { session }) => {
      const row = await session.database.prisma.scheduleRun.findUnique({ where: { id } });
      return nightItem(describeNight(readNight(row ?? notFound(publicId('night', id)))));
    },
  }),
  route({
    method: 'post',
    path: '/nights/{night}/cancel',
    allows: operators,
    tag: 'schedules',
    summary: 'Cancel a night: the step under way is stopped, none is begun',
    params: z.object({ night: idOf('night') }),
    answer: saidSchema,
    run: async ({ params: { night: id } }, { session, events }) => {
      const said = await cancel(session, publicId('night', id), { wait: false });
      events.changed('schedules');
      return { said };
    },
  }),
];
