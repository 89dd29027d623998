/** A real browser on the pages: Debian's Chromium, driven by Playwright. */
import { existsSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Why tests of the pages are skipped, to be shown with the name of the suite; undefined: they run. */
export const browserMissing = existsSync(executablePath)
  ? undefined
  : `skipped: no browser at ${executablePath} (Debian: apt-get install chromium)`;

// Where a merge depends on it, a test that did not run must not look like one that passed.
if (browserMissing !== undefined && process.env['CI'] === 'true') {
  throw new Error(`CI needs a browser: ${browserMissing}`);
}

/** @param hosts names that lead to this machine, which a browser does not take for this machine */
export async function launchBrowser(hosts: readonly string[] = []): Promise<Browser> {
  const resolved = hosts.map((host) => `MAP ${host} 127.0.0.1`).join(',');
  // Chromium's own sandbox refuses to run as root, as containers do.
  return chromium.launch({ executablePath, args: ['--no-sandbox', `--host-resolver-rules=${resolved}`] });
}

/** A window, and what went wrong in it. */
export interface Watched {
  context: BrowserContext;
  page: Page;
  /** Errors of scripts, refusals by the content policy, answers of 500 and above. */
  troubles: string[];
}

export async function openWindow(
  browser: Browser,
  baseURL: string,
  options: { dark?: boolean; phone?: boolean } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    baseURL,
    colorScheme: options.dark ? 'dark' : 'light',
    viewport: options.phone ? { width: 390, height: 844 } : { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
  });
  const troubles: string[] = [];
  return { context, page: await openTab(context, troubles), troubles };
}

/** Another tab of a window. */
export async function openTab(context: BrowserContext, troubles: string[]): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => troubles.push(`script: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && /Content Security Policy|Uncaught|Warning:/i.test(text)) {
      troubles.push(`console: ${text}`);
    }
  });
  page.on('response', (response) => {
    if (response.status() >= 500) troubles.push(`${response.status()} ${response.url()}`);
  });
  return page;
}

/** What axe finds that is serious or worse, in words; empty: nothing. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // What fades in has other contrasts on its way.
  await page.evaluate('document.getAnimations().forEach((animation) => animation.finish())');
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target.join(' ')).join('; ')})`,
    );
}

/** Whether the page, or a dialog on it, is wider than its window: a phone shows it as a page to be pushed about. */
export function isTooWide(page: Page): Promise<boolean> {
  const wider = '(element) => element.scrollWidth > Math.min(innerWidth, element.clientWidth)';
  return page.evaluate(
    `[document.documentElement, ...document.querySelectorAll('dialog[open]')].some(${wider})`,
  );
}
