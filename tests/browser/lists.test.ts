/** Lists of the pages: their filters, their places, what they say when empty, and their look on a phone. */
import type { Page, Route } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { browserMissing, isTooWide, openWindow } from '../support/browser.ts';
import { signIn } from '../support/browser-session.ts';
import { useInBrowser } from '../support/dashboards.ts';
import { eventually } from '../support/eventually.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Longer than what is typed waits for more, in milliseconds. */
const settleMs = 600;

describe.skipIf(browserMissing)(browserMissing ?? 'lists', () => {
  const there = useInBrowser({ ops: 'operator', ann: 'artist' });

  /** Do something in a window of somebody who is signed in; nothing may go wrong besides. */
  async function visit(who: string, path: string, deeds: (page: Page) => Promise<void>): Promise<void> {
    const { page, context, troubles } = await openWindow(there.browser, there.dashboard.url);
    const { cookie } = await signIn(there.dashboard, who);
    const [name, ...value] = cookie.split('=');
    await context.addCookies([{ name: name!, value: value.join('='), url: there.dashboard.url }]);
    await page.goto(path);
    await page.locator('h1').waitFor();
    await deeds(page);
    expect(troubles).toEqual([]);
    await context.close();
  }

  const parameter = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);

  test('an empty list tells operators what to do, and others who does it', async () => {
    for (const path of ['/tracks', '/tracks/overview', '/models']) {
      const deed = 'hiphop ingest catalogue.csv';
      await visit('ops', path, (page) => page.getByText(deed).waitFor());
      await visit('ann', path, async (page) => {
        await page.getByText(/^An operator (starts a crawl|takes in a catalogue)/).waitFor();
        expect(await page.getByText(deed).count()).toBe(0);
        expect(await page.locator('main a[href="/"]').count()).toBe(0);
      });
    }
  });

  test('the part before stays, and the keyboard where it is, until the next part is there', async () => {
    for (const rows of [
      `audit_entries (who, action, status) SELECT 'ops', 'POST /deeds/' || n, 200`,
      `failures (stage, kind, subject, reason, cause, updated_at)
         SELECT 'preview', 'permanent', 'track ' || n, 'gone', 'gone', now()`,
      `crawls (source, query, state) SELECT 'spotify', '{"genre": "hip-hop"}', 'done'`,
    ]) {
      await there.bench.database.pool.query(`INSERT INTO ${rows} FROM generate_series(1, 120) n`);
    }
    for (const path of ['/audit', '/failures', '/crawls']) {
      await visit('ops', path, async (page) => {
        const late = async (route: Route) => {
          await page.waitForTimeout(500);
          await route.continue();
        };
        await page.route(/\/api\/.*offset=50/, late, { times: 1 });
        const next = page.getByRole('button', { name: 'Next' });
        await next.focus();
        const asked = page.waitForRequest(/offset=50/);
        await page.keyboard.press('Enter');
        await asked;
        expect(await page.locator('tbody tr').count()).toBeGreaterThanOrEqual(50);
        await page.getByText(/^51 to 100 of/).waitFor();
        expect(await page.evaluate('document.activeElement.textContent')).toBe('Next');
      });
    }
  });

  test('columns are chosen without leaving the part that is shown; another order begins anew', async () => {
    await there.bench.database.pool.query(
      `INSERT INTO tracks (source, source_key, title, state, updated_at)
       SELECT 'folder', 'key-' || n, 'song ' || n, 'ready', now() FROM generate_series(1, 120) n`,
    );
    await visit('ops', '/tracks?offset=50', async (page) => {
      await page.locator('tbody tr').nth(49).waitFor();
      await page.getByText('Columns', { exact: true }).click();
      await page.getByLabel('ISRC').click();
      await page.waitForURL(/columns=/);
      expect(parameter(page, 'offset')).toBe('50');
      await page.getByRole('columnheader', { name: 'ISRC' }).waitFor();
      // The list of columns lies over the headings.
      await page.getByText('Columns', { exact: true }).click();
      await page.getByRole('button', { name: /^Title/ }).click();
      await page.waitForURL(/sort=/);
      expect(parameter(page, 'offset')).toBeNull();
    });
  });

  test('a letter typed while the words before it are on their way is not lost', async () => {
    await visit('ops', '/tracks', async (page) => {
      const box = page.getByLabel('Search', { exact: true }).last();
      await box.focus();
      // It comes just as the address is changed, before the page has heard of it.
      await page.evaluate(`{
        const replace = history.replaceState.bind(history);
        const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
        history.replaceState = (...place) => {
          replace(...place);
          if (!String(place[2]).includes('search=abc')) return;
          history.replaceState = replace;
          set.call(document.activeElement, 'abcd');
          document.activeElement.dispatchEvent(new Event('input', { bubbles: true }));
        };
      }`);
      await box.pressSequentially('abc');
      await page.waitForURL(/search=abcd$/);
      expect(await box.inputValue()).toBe('abcd');
    });
  });

  test('each word typed into a filter of the audit is asked for once', async () => {
    await visit('ops', '/audit', async (page) => {
      const asked: string[] = [];
      page.on('request', (request) => {
        const { pathname, searchParams } = new URL(request.url());
        if (pathname === '/api/audit') asked.push(searchParams.get('action') ?? '');
      });
      await page.getByLabel('action').pressSequentially('deeds/7');
      await page.waitForURL(/action=/);
      await page.waitForTimeout(settleMs);
      expect(asked.filter((words) => words !== '')).toEqual(['deeds/7']);
    });
  });

  test('the log: a saved view brings its words, and lines of one job are left again', async () => {
    const job = 'preview-track-1-0123456789abcdef';
    await there.bench.database.pool.query(
      `INSERT INTO log_lines (at, level, host, pid, process, stage, job, message)
       VALUES (now(), 30, 'h', 1, 'worker', 'preview', $1, 'fetched a preview'),
         (now(), 30, 'h', 1, 'worker', null, null, 'nothing to do')`,
      [job],
    );
    const { ask } = await signIn(there.dashboard, 'ops');
    const view = { page: '/logs', name: 'fetched ones', search: '?text=fetched', shared: false };
    expect((await ask('POST', '/api/views', { body: view })).status).toBeLessThan(300);
    await visit('ops', '/logs', async (page) => {
      const words = page.getByLabel('Words of the message');
      const idle = page.getByText('nothing to do');
      await idle.waitFor();
      await page.getByText(/^Views/).click();
      await page.getByRole('link', { name: 'fetched ones' }).click();
      await idle.waitFor({ state: 'detached' });
      await page.waitForTimeout(settleMs);
      expect(parameter(page, 'text')).toBe('fetched');
      expect(await words.inputValue()).toBe('fetched');
      await words.fill('');
      await idle.waitFor();
      await page.getByRole('button', { name: `Only lines of ${job}` }).click();
      await idle.waitFor({ state: 'detached' });
      await page.goBack();
      await idle.waitFor();
      await page.getByRole('button', { name: `Only lines of ${job}` }).click();
      await page.getByText(`Only lines of ${job}`).waitFor();
      await page.getByRole('button', { name: 'Show all' }).click();
      await idle.waitFor();
      expect(parameter(page, 'job')).toBeNull();
    });
  });

  test('a list that the server gives in parts is not ordered within a part', async () => {
    const night = { night: 'night-1', schedule: 'nightly', state: 'done', steps: [], reason: null };
    const items = [{ ...night, startedAt: '2026-01-02T03:04:05Z', seconds: 60 }];
    await visit('ops', '/account', async (page) => {
      await page.route('**/api/nights*', (route) =>
        route.fulfill({ json: { total: 1, offset: 0, limit: 50, items } }),
      );
      await page.goto('/schedules');
      const nights = page.getByRole('table', { name: 'Nights' });
      await nights.getByRole('columnheader', { name: 'Started' }).waitFor();
      expect(await nights.locator('.sorter').count()).toBe(0);
    });
  });

  test('plots of a data set name it, also where it is none of the newest', async () => {
    const none = { n: 0, bins: [], months: [], threshold: null };
    const overview = {
      ...{ of: 'the first one', asOf: new Date().toISOString(), tracks: 0, popularity: none, releases: none },
      ...{ previews: [], missing: [], durations: none, artists: [], genres: [], sources: [] },
    };
    await visit('ops', '/account', async (page) => {
      await page.route('**/api/catalogue/overview?*', (route) => route.fulfill({ json: overview }));
      await page.goto('/tracks/overview?dataSet=data-set-1');
      const chosen = page.getByLabel('Of', { exact: true }).locator('option:checked');
      await eventually(async () => (await chosen.textContent()) === 'the first one', { what: 'its name' });
    });
  });

  test('saved views open within the window, however wide it is', async () => {
    for (const path of ['/failures', '/logs', '/audit', '/tracks', '/models']) {
      await visit('ops', path, async (page) => {
        for (const width of [1440, 1280, 901, 700, 390]) {
          await page.setViewportSize({ width, height: 800 });
          await page.reload();
          await page.getByText(/^Views/).click();
          const save = page.getByRole('button', { name: 'Save this view' });
          const { x, width: wide } = (await save.boundingBox())!;
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x + wide).toBeLessThanOrEqual(width);
          expect(await isTooWide(page), `${path} at ${width}`).toBe(false);
        }
      });
    }
  });

  test('all of the menu is reached on a phone that is held sideways', async () => {
    await visit('ops', '/failures', async (page) => {
      await page.setViewportSize({ width: 844, height: 390 });
      await page.locator('tbody tr').nth(49).waitFor();
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.evaluate('scrollTo(0, 150)');
      const last = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Audit' });
      const { y, height } = (await last.boundingBox())!;
      expect(y + height).toBeLessThanOrEqual(390);
      await last.click();
      await page.waitForURL(/\/audit$/);
    });
  });

  test('on a phone a label of many lines is not written over what stands below it', async () => {
    await visit('ops', '/tracks', async (page) => {
      await page.setViewportSize({ width: 390, height: 844 });
      const cell = page.locator('tbody td').first();
      await cell.evaluate((td) => td.setAttribute('data-label', 'as long as a label can be '.repeat(3)));
      expect((await cell.boundingBox())!.height).toBeGreaterThan(60);
    });
  });
});
