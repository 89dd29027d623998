import { expect, test } from 'vitest';
import { UserError } from '../../shared/errors.ts';
import {
  checkCron,
  checkScheduleName,
  checkTimezone,
  nextTime,
  parseSteps,
} from '../../shared/schedules/definition.ts';
import { stages } from '../../shared/stages.ts';
import { reasonFrom } from '../../workers/schedule/command.ts';

test('any steps in their order, with blanks', () => {
  expect(parseSteps('crawl,freeze,train')).toEqual(['crawl', 'freeze', 'train']);
  expect(parseSteps(' freeze , train,')).toEqual(['freeze', 'train']);
  expect(parseSteps('train')).toEqual(['train']);
});

test.each([
  ['crawl,score', 'unknown step score; the steps are crawl, freeze, train'],
  ['constructor', 'unknown step constructor'],
  [' , ', 'no step is named'],
  ['train,freeze', 'say --steps freeze,train'],
  ['crawl,crawl,train', 'say --steps crawl,train'],
])('the steps "%s" are refused with what to do', (list, reason) => {
  const parse = () => parseSteps(list);
  expect(parse).toThrow(UserError);
  expect(parse).toThrow(reason);
});

test.each([
  '0 3 * * *',
  '*/2 * * * * *',
  '0 3 * * MON-FRI',
  '30 4 1,15 jan *',
  '15 10 L * *',
  ' 0  3 * * 7 ',
])('the pattern "%s" is taken', (cron) => checkCron(cron, 'Europe/Berlin'));

test.each([
  ['', 'expected five fields'],
  ['0 3 * *', 'expected five fields'],
  ['@daily', 'expected five fields'],
  ['0 0 3 * * * *', 'expected five fields'],
  ['61 * * * *', '0-59'],
  ['0 3 * * Mondays', 'no cron pattern'],
  ['H 3 * * *', 'H is not known'],
  ['0 0 31 2,4 *', 'never comes'],
])('the pattern "%s" is refused with a reason', (cron, reason) => {
  const check = () => checkCron(cron, 'UTC');
  expect(check).toThrow(UserError);
  expect(check).toThrow(reason);
});

test('a time zone has to be known', () => {
  for (const known of ['Europe/Berlin', 'UTC', 'America/New_York']) checkTimezone(known);
  for (const unknown of ['Europe/Hogwarts', '', '3']) {
    expect(() => checkTimezone(unknown)).toThrow(UserError);
  }
});

test('names that could not be typed, or look like options, are refused', () => {
  for (const good of ['nightly', 'täglich-3', '2.night_x']) checkScheduleName(good);
  for (const bad of ['', '--json', 'a b', 'a/b', 'x'.repeat(61), 'a\nb']) {
    expect(() => checkScheduleName(bad)).toThrow(UserError);
  }
});

test('a job of the stage carries a schedule that is due, or a night that goes on, and never both', () => {
  const { payload, jobId } = stages.schedule;
  expect(payload.parse({ scheduleId: 1 })).toEqual({ scheduleId: 1 });
  expect(jobId({ nightId: 1 })).not.toBe(jobId({ nightId: 11 }));
  for (const bad of [{}, { scheduleId: 1, nightId: 1 }, { nightId: 0 }, null]) {
    expect(payload.safeParse(bad).success).toBe(false);
  }
});

test('three at night is three at night, before and after the clocks change', () => {
  const at = (after: string) => nextTime('0 3 * * *', 'Europe/Berlin', new Date(after))?.toISOString();
  expect(at('2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
  expect(at('2026-10-24T12:00:00Z')).toBe('2026-10-25T02:00:00.000Z');
});

test('the reason of a command is its last word, and never a stack trace or a log line', () => {
  const stack = [
    'file:///app/dist/x.js:3',
    'hiphop: no track has a popularity',
    'This was not foreseen. LOG_LEVEL=debug shows where it happened.',
    '    at work (file:///app/dist/x.js:3:1)',
    '{"level":50,"msg":"a log line"}',
    '',
  ];
  expect(reasonFrom(stack, 1)).toBe('no track has a popularity');
  expect(reasonFrom(['a plain line', '    at work (x.js:3:1)', 'Node.js v20.20.2'], 1)).toBe('a plain line');
  expect(reasonFrom(['{"level":50}'], 1)).toBe('it ended with status 1');
  expect(reasonFrom([], 'SIGKILL')).toBe('it was ended by SIGKILL');
  expect(reasonFrom(['hiphop: postgresql://me:secret@host/db is away'], 1)).not.toContain('secret');
});
