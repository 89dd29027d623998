/** Who sees what in a browser, how news reach its tabs, and what a browser does with pages between them. */
import type { Page, Request } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { browserMissing, openTab, openWindow } from '../support/browser.ts';
import { testPassword } from '../support/browser-session.ts';
import { clip } from '../support/catalogue.ts';
import { useInBrowser } from '../support/dashboards.ts';
import { eventually } from '../support/eventually.ts';
import { givenModel } from '../support/songs.ts';

vi.setConfig({ testTimeout: 60_000 });

/** A name that a browser does not take for this machine: what comes from there by http is not secure. */
const elsewhere = 'pages.test';

describe.skipIf(browserMissing)(browserMissing ?? 'access', () => {
  const there = useInBrowser(
    { ops: 'operator', vera: 'viewer', ann: 'artist' },
    { settings: { SECURE_COOKIES: 'no' }, names: [elsewhere] },
  );

  const enter = async (page: Page, name: string, at = '/sign-in') => {
    await page.goto(at);
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(testPassword(name));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
  };
  const live = (page: Page) => page.getByText(/^Live; updated/).waitFor();
  const alarm = (page: Page) => page.getByText('No news come from the server');
  const alerts = (page: Page) => page.locator('[role=alert]').allTextContents();

  test('plain http under a name: the pages are whole, and each tab that is looked at listens', async () => {
    const url = there.dashboard.url.replace('127.0.0.1', elsewhere);
    const { page, context, troubles } = await openWindow(there.browser, url);
    await enter(page, 'ops');
    expect(
      await page.evaluate('[isSecureContext, typeof navigator.locks, typeof crypto.randomUUID]'),
    ).toEqual([false, 'undefined', 'undefined']);
    await live(page);
    await page.getByRole('button', { name: 'Start a full recrawl' }).waitFor();
    const second = await openTab(context, troubles);
    await second.goto('/');
    await live(second);
    await second.goto('/songs');
    await second.getByText('Nobody can judge songs yet').waitFor();
    // Six tabs that listen would leave no connection for a seventh: those that nobody looks at let go.
    const look = (hidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));`);
    const isStream = (request: Request) => request.url().endsWith('/api/events');
    const ended = page.waitForEvent('requestfailed', isStream);
    await look(true);
    await ended;
    const opened = page.waitForEvent('request', isStream);
    await look(false);
    await opened;
    expect(troubles).toEqual([]);
    await context.close();
  });

  test.each(['main', 'banner'] as const)(
    'whoever is not signed in is asked to, once, and led back from %s; nothing is listened to before',
    async (place) => {
      const { page, context, troubles } = await openWindow(there.browser, there.dashboard.url);
      const streams: string[] = [];
      page.on('request', (request) => {
        if (request.url().includes('/api/events')) streams.push(request.url());
      });
      await page.goto('/tracks?search=drill');
      await page.getByText('These pages are for people with an account').waitFor();
      await page.waitForLoadState('networkidle');
      expect(streams).toEqual([]);
      expect(await alerts(page)).toEqual([]);
      await page.getByRole(place).getByRole('link', { name: 'Sign in' }).click();
      // Where one is then is not where one wanted to be.
      await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).click();
      await page.getByLabel('Name').fill('vera');
      await page.getByLabel('Password').fill(testPassword('vera'));
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/tracks\?search=drill$/);
      await eventually(() => streams.length > 0, { what: 'the stream to open' });
      expect(troubles).toEqual([]);
      await context.close();
    },
  );

  test.each([429, 502])(
    'a stream that is refused with %d is tried again, by whichever tab',
    async (status) => {
      const { page, context } = await openWindow(there.browser, there.dashboard.url);
      let refused = 0;
      await enter(page, 'vera');
      await live(page);
      await page.close();
      await context.route('**/api/events', (route) => {
        refused++;
        return route.fulfill({ status, body: 'not now' });
      });
      const tabs = [await openTab(context, []), await openTab(context, [])];
      for (const tab of tabs) await tab.goto('/');
      for (const tab of tabs) await alarm(tab).waitFor();
      await eventually(() => refused > 2, { what: 'it to be tried again' });
      await context.unroute('**/api/events');
      for (const tab of tabs) {
        await live(tab);
        await alarm(tab).waitFor({ state: 'detached' });
      }
      // The tab that listens goes: another one does.
      await tabs[0]!.close();
      await tabs[1]!.reload();
      await live(tabs[1]!);
      await context.close();
    },
  );

  test('one stream serves all tabs, and a tab that has just opened is told what there is', async () => {
    const { page, context } = await openWindow(there.browser, there.dashboard.url);
    let streams = 0;
    context.on('request', (request) => {
      if (request.url().endsWith('/api/events')) streams++;
    });
    await enter(page, 'ops');
    await live(page);
    const second = await openTab(context, []);
    await second.goto('/');
    await live(second);
    expect(streams).toBe(1);
    await context.close();
  });

  test("another user's sign-in reaches all tabs: nothing of the one before stays, and no page breaks", async () => {
    const { page, context, troubles } = await openWindow(there.browser, there.dashboard.url);
    await enter(page, 'ops');
    await live(page);
    const second = await openTab(context, troubles);
    await second.goto('/audit');
    await second.getByRole('heading', { name: 'Entries, newest first' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await second.getByText('These pages are for people with an account').waitFor();
    expect([...(await alerts(page)), ...(await alerts(second))]).toEqual([]);
    await second.goto('/');
    await enter(page, 'ann');
    // The pipeline is not for artists, also where it was open.
    await second.waitForURL(/\/songs$/);
    await second.getByText('ann (artist)').waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('each role begins at home, and is told who else may see a page', async () => {
    const refusals: string[] = [];
    const visit = async (name: string, deeds: (page: Page) => Promise<void>) => {
      const { page, context, troubles } = await openWindow(there.browser, there.dashboard.url);
      page.on('response', (response) => {
        if (response.status() === 403) refusals.push(`${name} ${response.url()}`);
      });
      await enter(page, name);
      await deeds(page);
      expect(troubles).toEqual([]);
      expect(await alerts(page)).toEqual([]);
      await context.close();
    };
    const closed = async (page: Page, paths: readonly string[], title: string) => {
      for (const path of paths) {
        await page.goto(path);
        await page.getByRole('heading', { name: title }).waitFor();
      }
    };
    await visit('ann', async (page) => {
      await page.goto('/');
      await page.waitForURL(/\/songs$/);
      await page.getByText('No songs yet').waitFor();
      await closed(page, ['/failures', '/crawls/crawl-1', '/schedules'], 'For viewers and operators alone');
      await closed(page, ['/audit', '/logs', '/accounts'], 'For operators alone');
      await page.getByRole('link', { name: 'Go to where you begin' }).click();
      await page.waitForURL(/\/songs$/);
    });
    await visit('vera', async (page) => {
      await closed(page, ['/songs', '/songs/song-1'], 'For artists and operators alone');
      await closed(page, ['/audit'], 'For operators alone');
      await page.goto('/schedules');
      await page.getByText('Nothing is scheduled yet').waitFor();
    });
    expect(refusals).toEqual([]);
  });

  test('a page that is gone to begins at its top, is said, and has the keyboard; back is where one was', async () => {
    const { page, context, troubles } = await openWindow(there.browser, there.dashboard.url);
    await enter(page, 'ops');
    await live(page);
    await page.setViewportSize({ width: 1280, height: 300 });
    const scrolled = () => page.evaluate('Math.round(scrollY)');
    await page.evaluate('scrollTo(0, 250)');
    await page.getByRole('link', { name: 'Catalogue' }).click();
    await page.getByRole('heading', { name: 'Catalogue' }).waitFor();
    await page.getByRole('status').getByText('Catalogue · hiphop-popularity').waitFor({ state: 'attached' });
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
    expect(await scrolled()).toBe(0);
    // Before the list is there the page is not long enough to be scrolled.
    await page.getByText('The catalogue is empty').waitFor();
    // Filters do not move the page, nor the keyboard.
    await page.evaluate('scrollTo(0, 100)');
    await page.getByLabel('State').selectOption('ready');
    await page.waitForURL(/state=ready/);
    await page
      .getByText(/No track|Nothing|no tracks/i)
      .first()
      .waitFor();
    expect(await scrolled()).toBe(100);
    await page.goBack();
    await page.getByRole('heading', { name: 'Pipeline' }).waitFor();
    await eventually(async () => (await scrolled()) === 250, { what: 'the place where one was' });
    await page.goForward();
    await page.getByRole('heading', { name: 'Catalogue' }).waitFor();
    await eventually(async () => (await scrolled()) === 100, { what: 'the place in the catalogue' });
    await page.reload();
    await eventually(async () => (await scrolled()) === 100, { what: 'the place to survive a reload' });
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('a theme that was chosen is there before anything is drawn', async () => {
    const { page, context } = await openWindow(there.browser, there.dashboard.url);
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.goto('/sign-in');
    const light = await ground();
    await page.getByLabel('Theme').selectOption('dark');
    const dark = await ground();
    expect(dark).not.toBe(light);
    // The pages' own script never comes: what is drawn is what stands before it.
    await context.route('**/assets/index-*.js', (route) => route.abort());
    await page.reload();
    expect(await ground()).toBe(dark);
    await page.evaluate("localStorage.removeItem('theme')");
    await page.reload();
    expect(await ground()).toBe(light);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await ground()).toBe(dark);
    await context.close();
  });

  test('without a network this machine is still reached', async () => {
    const { page, context, troubles } = await openWindow(there.browser, there.dashboard.url);
    await enter(page, 'ops');
    await page.evaluate("dispatchEvent(new Event('offline'))");
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByText('POST /sign-in').first().waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('the queues and the API can be used under the content policy', async () => {
    const { page, context } = await openWindow(there.browser, there.dashboard.url);
    const refused: string[] = [];
    page.on('console', (message) => {
      if (/content security policy|refused to/i.test(message.text())) refused.push(message.text());
    });
    await enter(page, 'ops');
    await page.goto('/queues/queue/preview');
    await page.getByText('preview').first().waitFor();
    await page.waitForLoadState('networkidle');
    await page.goto('/api/docs');
    const me = page.locator('.opblock', { hasText: '/me' }).filter({ hasText: 'Say who asks' });
    await me.locator('.opblock-summary').click();
    await me.getByRole('button', { name: 'Try it out' }).click();
    await me.getByRole('button', { name: 'Execute' }).click();
    await me.locator('.live-responses-table').getByText('"ops"').waitFor();
    expect(refused).toEqual([]);
    await context.close();
  });

  // The last one: from then on there is a champion, and its tracks.
  test('plain http under a name: songs are dropped in', async () => {
    await givenModel(there.bench.database.prisma, { champion: true });
    const url = there.dashboard.url.replace('127.0.0.1', elsewhere);
    const { page, context, troubles } = await openWindow(there.browser, url);
    await enter(page, 'ann');
    await page.goto('/songs');
    const song = { name: 'a song.wav', mimeType: 'audio/wav', buffer: clip('bass', 1) };
    await page.locator('input[type=file]').setInputFiles(song);
    await page.getByText('1 of 1 uploaded').waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });
});
