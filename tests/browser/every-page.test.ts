/** Each page, on a real product: opens without a script's error or a refusal by the content policy, axe, phone. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { browserMissing, isTooWide, openWindow, seriousFindings, type Watched } from '../support/browser.ts';
import { testPassword } from '../support/browser-session.ts';
import { clip } from '../support/catalogue.ts';
import { eventually } from '../support/eventually.ts';
import { type Product, productMs, useProduct } from '../support/pages.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: productMs });

const pages = [
  ...['/', '/crawls/crawl-1', '/failures', '/schedules', '/history', '/logs', '/audit'],
  ...['/tracks', '/tracks/overview', '/tracks/track-1'],
  ...['/songs', '/songs/batch/batch-1', '/songs/song-1', '/schedules/nights/night-1'],
  ...['/models', '/models/model-2', '/models/compare?models=model-2,model-3', '/data-sets/data-set-1'],
  ...['/training-runs/run-1', '/search?q=track-1', '/search?q=nothing+has+this+name'],
  ...['/account', '/accounts', '/api/docs', '/nowhere'],
];

describe.skipIf(browserMissing)(browserMissing ?? 'every page', () => {
  const there = useProduct();
  /** By light on a desk, and by dark on a phone. */
  const windows: Watched[] = [];

  beforeAll(async () => {
    await fill(there.product);
    for (const by of [{}, { dark: true, phone: true }]) {
      windows.push(await openWindow(there.browser, there.product.url, by));
    }
  });

  /** Look at a page in both windows, once it has come to rest. */
  async function look(path: string, deeds: (page: Page) => Promise<void> = async () => {}): Promise<void> {
    for (const { page, troubles } of windows) {
      // What an earlier page was in trouble with has been told by its own test.
      troubles.length = 0;
      await page.goto(path);
      await page.locator('h1, .title').first().waitFor();
      await deeds(page);
      await eventually(async () => (await page.locator('.loading').count()) === 0, {
        what: `${path} to load`,
      });
      await page.waitForTimeout(100);
      expect(troubles).toEqual([]);
      expect(await page.locator('[role=alert]').allTextContents()).toEqual([]);
      // The readable page of the API is another project's, as it is.
      if (path !== '/api/docs') {
        expect(await seriousFindings(page)).toEqual([]);
        expect(await isTooWide(page)).toBe(false);
      }
    }
  }

  test.each(pages)('%s by light on a desk, and by dark on a phone', (path) => look(path));

  test.each([
    ['/', 'Start a full recrawl'],
    ['/schedules', 'Add a schedule'],
    ['/schedules', 'Run nightly now'],
  ])('the dialog of %s: %s', (path, name) =>
    look(path, async (page) => {
      await page.getByRole('button', { name }).first().click();
      await page.locator('dialog[open]').getByRole('heading').waitFor();
    }),
  );

  test('a dialog by keyboard: it opens, keeps the keyboard, and Escape gives it back', async () => {
    const { page, context, troubles } = await openWindow(there.browser, there.product.url);
    await page.goto('/schedules');
    const button = page.getByRole('button', { name: 'Add a schedule' });
    await button.waitFor();
    const isOnIt = async () =>
      (await page.evaluate('document.activeElement.textContent')) === 'Add a schedule';
    for (let presses = 0; !(await isOnIt()); presses++) {
      expect(presses, 'the button is reached by Tab').toBeLessThan(40);
      await page.keyboard.press('Tab');
    }
    for (const key of ['Enter', 'Space']) {
      await page.keyboard.press(key);
      const dialog = page.getByRole('dialog', { name: 'Add a schedule' });
      await dialog.waitFor();
      // Forwards and backwards the page behind it is not reached.
      for (const way of ['Tab', 'Tab', 'Shift+Tab', 'Shift+Tab', 'Shift+Tab']) {
        await page.keyboard.press(way);
        const inside =
          "document.activeElement === document.body || !!document.activeElement.closest('dialog')";
        expect(await page.evaluate(inside)).toBe(true);
      }
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden' });
      expect(await isOnIt()).toBe(true);
    }
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('what is loaded first is small, and nothing comes from elsewhere', async () => {
    const { page, context } = await openWindow(there.browser, there.product.url);
    let scriptBytes = 0;
    const foreign: string[] = [];
    page.on('response', async (response) => {
      if (!response.url().startsWith(there.product.url)) foreign.push(response.url());
    });
    const client = await context.newCDPSession(page);
    await client.send('Network.enable');
    const scripts = new Set<string>();
    client.on('Network.responseReceived', ({ requestId, type }) => {
      if (type === 'Script') scripts.add(requestId);
    });
    client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (scripts.has(requestId)) scriptBytes += encodedDataLength;
    });
    await page.goto('/');
    // The page is complete: its first answers are there and shown.
    await page.getByText(/^Live; updated/).waitFor();
    expect(foreign).toEqual([]);
    expect(scriptBytes).toBeGreaterThan(10_000);
    expect(scriptBytes).toBeLessThan(300_000);
    await context.close();
  });

  // The last two: with accounts this machine is open to nobody any more.
  test('a view that is shared opens with the filters, the order and the columns that were saved', async () => {
    const { page, context, troubles } = await openWindow(there.browser, there.product.url);
    await page.goto('/tracks?popularityFrom=60');
    // The address changes at once; the rows follow with the answer, and until then are the old ones.
    const ordered = page.waitForResponse(/\/api\/tracks\?.*sort=/);
    await page.getByRole('button', { name: /^Popularity/ }).click();
    await page.waitForURL(/sort=/);
    await ordered;
    await page.getByText('Columns', { exact: true }).click();
    await page.getByLabel('Artists').click();
    await page.waitForURL(/columns=/);
    let before: string[] = [];
    const shown = await eventually(
      async () => {
        const now = await tableOf(page);
        const isAtRest = JSON.stringify(now) === JSON.stringify(before);
        before = now;
        return isAtRest && now.length > 5 && !now[0]!.includes('Artists') && now;
      },
      { what: 'the table in its new order, without the column', everyMs: 200 },
    );
    const { search } = new URL(page.url());
    await page.getByText(/^Views/).click();
    await page.getByLabel('Name of this view').fill('popular ones');
    await page.getByLabel('others see it').check();
    await page.getByRole('button', { name: 'Save this view' }).click();
    await page.getByRole('link', { name: 'popular ones' }).waitFor();
    await context.close();

    await account('ops', 'operator');
    const ops = await openWindow(there.browser, there.product.url);
    await ops.page.goto('/tracks');
    await ops.page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
    await ops.page.getByLabel('Name').fill('ops');
    await ops.page.getByLabel('Password').fill(testPassword('ops'));
    await ops.page.keyboard.press('Enter');
    await ops.page.getByText(/^Views \(1\)/).click();
    await ops.page.getByText('shared by local').waitFor();
    await ops.page.getByRole('link', { name: 'popular ones' }).click();
    await ops.page.waitForURL(`**/tracks${search}`);
    await eventually(async () => JSON.stringify(await tableOf(ops.page)) === JSON.stringify(shown), {
      what: 'the same table',
    });
    expect(await ops.page.getByLabel('Popularity from').inputValue()).toBe('60');
    expect([...troubles, ...ops.troubles]).toEqual([]);
    await ops.context.close();
  });

  test('signing in, by light on a desk, and by dark on a phone', () => look('/sign-in'));

  async function account(name: string, role: string): Promise<void> {
    const body = JSON.stringify({ name, role, password: testPassword(name) });
    const headers = { 'Content-Type': 'application/json' };
    await there.product.api('/accounts', { method: 'POST', headers, body });
  }
});

/** What a table shows, its headings first, a line each. */
const tableOf = (page: Page): Promise<string[]> =>
  page.locator('table tr').evaluateAll((rows) => rows.map((row) => row.textContent ?? ''));

/** Two songs that are judged, and a night that has run. */
async function fill(product: Product): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const post = <T>(path: string, body: unknown) =>
    product.api<T>(path, { method: 'POST', headers, body: JSON.stringify(body) });
  const { id } = await post<{ id: string }>('/batches', { name: 'demos', explain: 2 });
  for (const [name, kind] of [
    ['Night drive', 'bass'],
    ['Sunday', 'treble'],
  ] as const) {
    await product.api(`/batches/${id}/songs?file=${encodeURIComponent(`${name}.wav`)}`, {
      ...{ method: 'POST', headers: { 'Content-Type': 'application/octet-stream' } },
      body: new Uint8Array(clip(kind, 900)),
    });
  }
  await post('/schedules', { name: 'nightly', cron: '30 3 * * *', timezone: 'UTC', steps: ['freeze'] });
  await post('/schedules/nightly/run', {});
  const isDone = async (path: string) => (await product.api<{ state: string }>(path)).state === 'done';
  await eventually(async () => (await isDone(`/batches/${id}`)) && (await isDone('/nights/night-1')), {
    ...{ what: 'the songs to be judged and the night to end', timeoutMs: 90_000 },
  });
}
