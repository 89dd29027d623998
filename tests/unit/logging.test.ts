/** What is logged must not tell secrets, wherever they stand. */
import { expect, test } from 'vitest';
import { createLogger, secretNames } from '../../shared/logging.ts';
import { logLines } from '../../shared/metrics/log-lines.ts';

test('secrets at the top of a line and one level below it are not written', async () => {
  const secrets = Object.fromEntries(secretNames.map((name) => [name, `hidden ${name}`]));
  createLogger({ logLevel: 'warn' }, 'test').warn({ ...secrets, inside: secrets, shown: 'seen' }, 'said');
  let written = '';
  const query = async (_sql: string, values: unknown[]) => {
    written = JSON.stringify(values);
  };
  await logLines.flush({ query } as never, 'test');
  expect(written).toContain('seen');
  expect(written).not.toContain('hidden');
  for (const name of ['password', 'token', 'authorization', 'clientSecret', 'DATABASE_URL']) {
    expect(secretNames).toContain(name);
  }
});
