/** Dashboards of a file of tests, on one database of its own. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { addAccount, type Role } from '../../producers/accounts.ts';
import { launchBrowser } from './browser.ts';
import { testPassword } from './browser-session.ts';
import { startTestDashboard, type TestDashboard } from './dashboard.ts';
import { openBench, type QueueBench } from './queue-backends.ts';

export interface Dashboards {
  /** There from `beforeAll` on. */
  readonly bench: QueueBench;
  start: (settings?: Record<string, string>) => Promise<TestDashboard>;
  add: (name: string, role: Role) => ReturnType<typeof addAccount>;
}

/** Those that a test starts: closed, and their accounts gone, after each test. */
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

/** What a file of tests looks at; all of it is there from `beforeAll` on. */
export interface InBrowser {
  readonly bench: QueueBench;
  readonly dashboard: TestDashboard;
  readonly browser: Browser;
}

/**
 * One dashboard for all tests of a file, and a browser.
 * @param accounts roles by name; none: nobody needs to sign in
 * @param names hosts that the browser takes for this machine
 */
export function useInBrowser(
  accounts: Record<string, Role>,
  { settings = {}, names = [] }: { settings?: Record<string, string>; names?: string[] } = {},
): InBrowser {
  let bench: QueueBench;
  let dashboard: TestDashboard;
  let browser: Browser;
  beforeAll(async () => {
    [bench, browser] = await Promise.all([openBench('postgresql'), launchBrowser(names)]);
    for (const [name, role] of Object.entries(accounts)) {
      await addAccount(bench.database.prisma, { name, role, password: testPassword(name) });
    }
    dashboard = await startTestDashboard(bench, settings);
  });
  afterAll(async () => {
    await browser?.close();
    await dashboard?.close();
    await bench?.close();
  });
  return {
    get bench() {
      return bench;
    },
    get dashboard() {
      return dashboard;
    },
    get browser() {
      return browser;
    },
  };
}
