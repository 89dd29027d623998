/** The queues' board shows an operator no button that this server would refuse. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { browserMissing, launchBrowser, openWindow, type Watched } from '../support/browser.ts';
import { startTestDashboard, type TestDashboard } from '../support/dashboard.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

describe.skipIf(browserMissing)(browserMissing ?? 'the board of the queues', () => {
  let bench: QueueBench;
  let dashboard: TestDashboard;
  let browser: Browser;
  let watched: Watched;

  beforeAll(async () => {
    [bench, browser] = await Promise.all([openBench('postgresql'), launchBrowser()]);
    dashboard = await startTestDashboard(bench);
    watched = await openWindow(browser, dashboard.url);
    const payload = { kind: 'track', id: 1, parametersHash: 'p' };
    await bench.queues.of('preview').add('preview', payload, { jobId: 'later', delay: 10_000_000 });
    await bench.queues
      .of('schedule')
      .upsertJobScheduler('nightly', { pattern: '0 3 * * *' }, { name: 'schedule', data: { scheduleId: 1 } });
  });
  afterAll(async () => {
    await browser?.close();
    await dashboard?.close();
    await bench?.close();
  });

  test('offers pausing and running at once, and both work', async () => {
    const { page, troubles } = watched;
    await page.goto('/queues/queue/preview?status=delayed');
    const actions = page.locator('[class^=jobActions-] li, [class^=queueActions-] li');
    await actions.first().waitFor({ state: 'attached' });
    expect(await actions.count()).toBeGreaterThan(4);
    expect(await page.locator('[class^=jobActions-] li:visible').count()).toBe(1);
    expect(await page.locator('[class^=queueActions-] li:visible').count()).toBe(1);
    const paused = page.waitForResponse(/\/pause$/);
    await page.locator('button:has(.lucide-ellipsis-vertical)').last().click();
    await page.locator('[role=menuitem]:visible').first().waitFor();
    expect(await page.locator('[role=menuitem]:visible').allTextContents()).toEqual(['Pause']);
    await page.getByRole('menuitem', { name: 'Pause' }).click();
    await page.getByRole('button', { name: /^confirm$/i }).click();
    expect((await paused).status()).toBe(200);
    const promoted = page.waitForResponse(/\/promote$/);
    await page.locator('[class^=jobActions-] li:visible button').click();
    await page.getByRole('button', { name: /^confirm$/i }).click();
    expect((await promoted).status()).toBe(204);
    expect(troubles).toEqual([]);
  });

  test('leaves schedules to the page of schedules', async () => {
    const { page } = watched;
    await page.goto('/queues/job-schedulers');
    await page.getByText('0 3 * * *').first().waitFor();
    expect(await page.locator('td button:visible').count()).toBe(1); // what a scheduler carries
  });
});
