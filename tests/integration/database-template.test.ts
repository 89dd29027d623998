import { afterEach, expect, test } from 'vitest';
import { connectDatabase } from '../../shared/database/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const databases: TestDatabase[] = [];
afterEach(async () => {
  for (const database of databases.splice(0)) await database.drop();
});

test('every test file has a database of its own, with the tables in it', async () => {
  const [one, other] = [await createTestDatabase(), await createTestDatabase()];
  databases.push(one, other);
  const first = connectDatabase(one.url);
  const second = connectDatabase(other.url);
  await first.prisma.artist.create({ data: { name: 'Nas', sourceKey: 'nas', key: 'nas' } });
  expect(await first.prisma.artist.count()).toBe(1);
  expect(await second.prisma.artist.count()).toBe(0);
  await Promise.all([first.close(), second.close()]);
});
