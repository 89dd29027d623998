/** Dashboards that a test starts, on one database of its file: closed, and their accounts gone, after each test. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { addAccount, type Role } from '../../producers/accounts.ts';
import { testPassword } from './browser-session.ts';
import { startTestDashboard, type TestDashboard } from './dashboard.ts';
import { openBench, type QueueBench } from './queue-backends.ts';

export interface Dashboards {
  /** There from `beforeAll` on. */
  readonly bench: QueueBench;
  start: (settings?: Record<string, string>) => Promise<TestDashboard>;
  add: (name: string, role: Role) => ReturnType<typeof addAccount>;
}

export function useDashboards(): Dashboards {
  let bench: QueueBench;
  const opened: TestDashboard[] = [];
  beforeAll(async () => {
    bench = await openBench('postgresql');
  });
  afterAll(() => bench?.close());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((dashboard) => dashboard.close()));
    for (const table of ['accounts', 'web_sessions', 'audit_entries', 'saved_views']) {
      await bench.database.pool.query(`DELETE FROM ${table}`);
    }
  });
  return {
    get bench() {
      return bench;
    },
    start: async (settings = {}) => {
      const dashboard = await startTestDashboard(bench, settings);
      opened.push(dashboard);
      return dashboard;
    },
    add: (name, role) => addAccount(bench.database.prisma, { name, role, password: testPassword(name) }),
  };
}
