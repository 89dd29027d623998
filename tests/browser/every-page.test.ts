/** Each page, on a real product: opens without a script's error or a refusal by the content policy, axe, phone. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { browserMissing, isTooWide, launchBrowser, openWindow, seriousFindings } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { type Product, startProduct } from '../support/pages.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 300_000 });

const pages = [
  ...['/', '/crawls/crawl-1', '/failures', '/schedules', '/history', '/logs', '/audit'],
  ...['/tracks', '/tracks/overview', '/tracks/track-1', '/songs'],
  ...['/models', '/models/model-2', '/models/compare?models=model-2,model-3', '/data-sets/data-set-1'],
  ...['/training-runs/run-1', '/search?q=track-1', '/search?q=nothing+has+this+name'],
  ...['/account', '/accounts', '/api/docs', '/nowhere'],
];

describe.skipIf(browserMissing)(browserMissing ?? 'every page', () => {
  let product: Product;
  let browser: Browser;

  beforeAll(async () => {
    [product, browser] = await Promise.all([startProduct(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await product?.stop();
  });

  test.each(pages)('%s by light on a desk, and by dark on a phone', async (path) => {
    for (const look of [{}, { dark: true, phone: true }]) {
      const { page, troubles, context } = await openWindow(browser, product.url, look);
      await page.goto(path);
      await page.locator('h1, .title').first().waitFor();
      await eventually(async () => (await page.locator('.loading').count()) === 0, {
        what: `${path} to load`,
      });
      await page.waitForTimeout(300);
      expect(troubles).toEqual([]);
      expect(await page.locator('[role=alert]').allTextContents()).toEqual([]);
      // The readable page of the API is another project's, as it is.
      if (path !== '/api/docs') {
        expect(await seriousFindings(page)).toEqual([]);
        expect(await isTooWide(page)).toBe(false);
      }
      await context.close();
    }
  });

  test('what is loaded first is small, and nothing comes from elsewhere', async () => {
    const { page, context } = await openWindow(browser, product.url);
    let scriptBytes = 0;
    const foreign: string[] = [];
    page.on('response', async (response) => {
      if (!response.url().startsWith(product.url)) foreign.push(response.url());
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
    await page.locator('h1').waitFor();
    await page.waitForTimeout(1_000);
    expect(foreign).toEqual([]);
    expect(scriptBytes).toBeGreaterThan(10_000);
    expect(scriptBytes).toBeLessThan(300_000);
    await context.close();
  });
});
