import { expect, test } from 'vitest';
import { z } from 'zod';
import { Problem, parsePart, problemOf } from '../../../dashboard/api/problem.ts';
import { CrowdedError, PermanentError, UserError } from '../../../shared/errors.ts';

test('what a person can mend is told in its words', () => {
  const problem = problemOf(new UserError('no model is champion: promote one'));
  expect(problem.details()).toEqual({
    type: '/api/problems#cannot-be-done',
    title: 'This cannot be done',
    status: 422,
    detail: 'no model is champion: promote one',
  });
  expect(problemOf(new PermanentError('the file is empty')).status).toBe(422);
  expect(problemOf(new UserError('there is no crawl-7')).status).toBe(404);
  expect(problemOf(new CrowdedError('too many wait')).details()).toMatchObject({
    ...{ status: 503, detail: 'too many wait' },
  });
});

test('what was not foreseen tells nothing of this machine', () => {
  const problem = problemOf(new Error('ENOENT: /srv/secret/place'));
  expect(problem.status).toBe(500);
  expect(JSON.stringify(problem.details())).not.toMatch(/srv|ENOENT/);
});

test('each thing that is wrong with a request is named', () => {
  const schema = z.object({ genre: z.string().min(1), years: z.array(z.int()) });
  const wrong = () => parsePart(schema, { genre: '', years: ['x'] }, 'body');
  expect(wrong).toThrow(Problem);
  try {
    wrong();
  } catch (error) {
    const { status, errors } = (error as Problem).details();
    expect(status).toBe(400);
    expect(errors!.map(({ at }) => at)).toEqual(['body.genre', 'body.years.0']);
  }
});
