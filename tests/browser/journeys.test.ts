/** What people do with the pages, on a real product: ops, a data scientist, an artist, and who may do less. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { browserMissing, openWindow } from '../support/browser.ts';
import { clip } from '../support/catalogue.ts';
import { hiphop } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { productMs, useProduct } from '../support/pages.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: productMs });

describe.skipIf(browserMissing)(browserMissing ?? 'journeys', () => {
  const there = useProduct();

  /** Do something in a window of its own, in which nothing may go wrong besides. */
  async function visit(path: string, deeds: (page: Page) => Promise<void>): Promise<void> {
    const { page, context, troubles } = await openWindow(there.browser, there.product.url);
    await page.goto(path);
    await deeds(page);
    expect(troubles).toEqual([]);
    await context.close();
  }

  const funnel = async (page: Page, step: string) =>
    Number(
      (await page.locator(`[data-step="${step}"]`).first().textContent())
        ?.match(/^[\d,]+/)?.[0]
        .replace(',', ''),
    );

  const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).first().click();

  /** In the dialog that asks whether one is sure, until it has done what it was told. */
  const say = async (page: Page, name: string | RegExp) => {
    await page.locator('dialog[open]').getByRole('button', { name }).last().click();
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
  };

  test('ops start a crawl, are told its cost first, watch it move, cancel it and resume it', async () => {
    await visit('/', async (page) => {
      await press(page, 'Start a full recrawl');
      const form = page.getByRole('dialog', { name: 'Start a full recrawl' });
      await form.getByLabel('First year').fill('2019');
      await form.getByLabel('Last year').fill('2021');
      await form.getByRole('button', { name: 'What will it cost?' }).click();
      await form.getByText('Requests to the source').waitFor();
      await form.getByRole('button', { name: 'Yes, start it' }).click();
      await page.waitForURL(/\/crawls\/crawl-2$/);
      await page.goto('/');
      await page.getByText('crawl-2: hip-hop, 2019 to 2021, market US').waitFor();
      const before = await funnel(page, 'Tracks found');
      await eventually(async () => (await funnel(page, 'Spectrograms ready')) > 3, {
        what: 'spectrograms to be made',
      });
      expect(await funnel(page, 'Tracks found')).toBeGreaterThanOrEqual(before);
      await press(page, 'Cancel');
      await say(page, 'Cancel the crawl');
      await page.locator('.status', { hasText: 'cancelled' }).first().waitFor();
      const { state } = await there.product.api<{ state: string }>('/crawls/crawl-2');
      expect(state).toBe('cancelled');
      await press(page, 'Resume');
      await page.locator('.status', { hasText: 'running' }).first().waitFor();
    });
  });

  test('a paused stage holds its work, and every page says so', async () => {
    await visit('/', async (page) => {
      await press(page, 'Pause the stage spectrogram');
      await say(page, 'Pause it');
      await page.getByText(/Paused: stage spectrogram \(by local\)/).waitFor();
      await page.getByRole('link', { name: 'Catalogue' }).click();
      await page.getByText(/Paused: stage spectrogram/).waitFor();
      await page.getByRole('link', { name: 'Pipeline' }).click();
      await press(page, 'Resume the stage spectrogram');
      await page.getByText(/Paused: stage spectrogram/).waitFor({ state: 'detached' });
    });
  });

  test('what failed is retried by its reason, with the count that was shown', async () => {
    await eventually(
      async () => (await there.product.api<{ state: string }>('/crawls/crawl-2')).state === 'done',
      {
        what: 'the crawl to end',
        timeoutMs: 90_000,
      },
    );
    const { items } = await there.product.api<{ items: { reason: string; count: number }[] }>(
      '/failures/reasons',
    );
    const [group] = items;
    expect(group!.count).toBeGreaterThan(0);
    await visit('/failures', async (page) => {
      const button = page
        .getByRole('button', { name: new RegExp(`^Retry ${group!.count} of stage`) })
        .first();
      await button.click();
      await say(page, `Retry ${group!.count}`);
      // Its entry is written after the answer has been sent.
      const entry = await eventually(
        async () => {
          const { items: audit } = await there.product.api<{
            items: { action: string; who: string; status: number }[];
          }>('/audit');
          return audit.find(({ action }) => action === 'POST /failures/retry');
        },
        { what: 'the entry of the audit' },
      );
      expect(entry).toMatchObject({ who: 'local', status: 202 });
    });
  });

  test('an artist drops songs in, one of them a lie, and reads the ranking and its reasons', async () => {
    const folder = join(there.product.folder, 'songs');
    mkdirSync(folder);
    const song = (name: string, bytes: Buffer | string) => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    };
    const files = [
      song('Night drive v1.wav', clip('bass', 901)),
      song('Night drive v2.wav', clip('treble', 902)),
      song('Sunday.wav', clip('bass', 903)),
      song('no music.mp3', `<html>${'x'.repeat(3_000)}</html>`),
      song('=cmd.wav', Buffer.alloc(0)),
    ];
    await visit('/songs', async (page) => {
      await page.getByLabel('Name of the batch').fill('my demos');
      await page.locator('input[type=file]').first().setInputFiles(files);
      await page.getByText('5 of 5 uploaded').waitFor();
      await page.getByRole('link', { name: 'Watch them being judged' }).click();
      await page.getByRole('heading', { name: 'Ranking of 3 songs' }).waitFor({ timeout: 60_000 });
      await page.getByRole('heading', { name: 'Not judged: 2' }).waitFor();
      await page.getByText('this is a web page (HTML), not music').first().waitFor();
      await page.getByText('the file is empty (0 bytes)').first().waitFor();
      await page.getByText('Much of success is not in the sound').waitFor();
      await page
        .getByText(/^Compared with .*n = \d/)
        .first()
        .waitFor();
      expect(await page.getByText(/chance of a hit/i).count()).toBe(0);

      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: 'Download CSV' }).click();
      const csv = readFileSync((await (await download).path())!, 'utf8');
      expect(csv.split('\n')).toHaveLength(7);
      expect(csv).toContain("'=cmd.wav");
      expect(csv).not.toContain(there.product.folder);

      await page.getByRole('link', { name: 'Night drive v1.wav' }).first().click();
      await page.getByRole('heading', { name: 'In words' }).waitFor();
      const picture = page.locator('.spectrogram img');
      await picture.waitFor();
      const drawn = await page.request.get((await picture.getAttribute('src'))!);
      expect((await drawn.body()).subarray(1, 4).toString()).toBe('PNG');
      const versions = page.getByRole('region', { name: 'Versions' });
      await versions.getByText('Night drive v2.wav').waitFor();
      await press(page, /Play what the model heard/);
      await page.getByRole('button', { name: /Stop/ }).waitFor();
    });
    const { items } = await there.product.api<{ items: { id: string }[] }>('/batches');
    await visit(`/songs/batch/${items[0]!.id}`, async (page) => {
      await press(page, 'Delete');
      await say(page, 'Delete them');
      await page.waitForURL(/\/songs$/);
    });
    await expect(there.product.api(`/batches/${items[0]!.id}`)).rejects.toThrow('404');
  });

  test('a data scientist compares, promotes with a reason, and rolls back', async () => {
    const { champion, models } = await there.product.api<{
      champion: string;
      models: { id: string; name: string }[];
    }>('/models');
    const other = models.find(({ id, name }) => id !== champion && name !== 'dummy')!;
    await visit('/models', async (page) => {
      await page.getByLabel(`Compare ${champion}`).check();
      await page.getByLabel(`Compare ${other.id}`).check();
      await press(page, 'Compare 2');
      await page
        .getByRole('heading', { name: 'On the same songs, none of which either learned from' })
        .waitFor();
      await page.goto(`/models/${other.id}`);
      await press(page, `Make ${other.id} (${other.name}) the champion`);
      await page
        .locator('dialog[open]')
        .getByLabel('Reason, for who asks later')
        .fill('to try it on new songs');
      await say(page, 'Promote it');
      await page.locator('.status', { hasText: 'champion' }).first().waitFor();
      await page.goto('/models');
      await page.getByText('to try it on new songs').waitFor();
      await press(page, 'Make the champion before champion again');
      await page.locator('dialog[open]').getByLabel('Reason, for who asks later').fill('that was enough');
      await say(page, 'Roll back');
      await page.getByText('that was enough').waitFor();
    });
    expect((await there.product.api<{ champion: string }>('/models')).champion).toBe(champion);
  });

  test('a night is scheduled, told when it comes, run now, and removed', async () => {
    await visit('/schedules', async (page) => {
      await press(page, 'Add a schedule');
      const form = page.getByRole('dialog', { name: 'Add a schedule' });
      await form.getByLabel('Name').fill('nightly');
      await form.getByLabel('Pattern').fill('61 3 * * *');
      await form.getByText(/is no cron pattern/).waitFor();
      await form.getByLabel('Pattern').fill('30 3 * * *');
      await form.getByLabel('Time zone').fill('Asia/Tokyo');
      await form.getByText(/Next: .*03:30 \(Asia\/Tokyo\)/).waitFor();
      await form.getByLabel('crawl', { exact: true }).uncheck();
      await form.getByLabel('train', { exact: true }).uncheck();
      await form.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('heading', { name: 'nightly' }).waitFor();
      await press(page, 'Run nightly now');
      await say(page, 'Run it');
      await page.locator('.status', { hasText: 'freeze: done' }).first().waitFor({ timeout: 60_000 });
      await page.getByRole('link', { name: 'night-1' }).first().click();
      await page.getByRole('heading', { name: 'Steps' }).waitFor();
      await page.goto('/schedules');
      await press(page, 'Pause nightly');
      await page.getByText(/Paused: schedule nightly/).waitFor();
      await press(page, 'Remove nightly');
      await say(page, 'Remove it');
      await page.getByText('Nothing is scheduled yet').waitFor();
    });
  });

  test('the board of the queues works under the content policy, and changes no rows', async () => {
    await visit('/queues', async (page) => {
      await page.getByText('spectrogram').first().waitFor();
      await page.goto('/queues/queue/preview');
      await page.getByText('preview').first().waitFor();
    });
    const emptied = await fetch(`${there.product.url}/queues/api/queues/preview/empty`, { method: 'PUT' });
    expect(emptied.status).toBe(403);
  });

  test('with accounts everybody signs in, and a viewer and an artist see and do less', async () => {
    const password = 'a long enough password';
    for (const [name, role] of [
      ['ops', 'operator'],
      ['vera', 'viewer'],
      ['ann', 'artist'],
    ] as const) {
      const body = JSON.stringify({ name, password, role });
      if (name === 'ops') {
        const made = await fetch(`${there.product.url}/api/accounts`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body,
        });
        expect(made.status).toBe(201);
        continue;
      }
      const token = (await there.product.command<{ token: string }>('accounts', 'token', 'ops')).token;
      const made = await fetch(`${there.product.url}/api/accounts`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body,
      });
      expect(made.status).toBe(201);
    }
    expect((await fetch(`${there.product.url}/api/pipeline`)).status).toBe(401);
    const enter = async (page: Page, name: string) => {
      await page.getByLabel('Name').fill(name);
      await page.getByLabel('Password').fill(password);
      await press(page, 'Sign in');
      await page.getByRole('button', { name: 'Sign out' }).waitFor();
    };
    await visit('/sign-in', async (page) => {
      await enter(page, 'vera');
      await page.getByRole('heading', { name: 'Pipeline' }).waitFor();
      await page.getByRole('heading', { name: 'Stages and their queues' }).waitFor();
      expect(
        await page.getByRole('button', { name: /Start a full recrawl|Pause the stage|^Cancel/ }).count(),
      ).toBe(0);
      expect(await page.getByRole('link', { name: 'Songs' }).count()).toBe(0);
      const refused = await page.evaluate(
        `fetch('/api/me').then((r) => r.json()).then(({ csrf }) => fetch('/api/queues/preview/pause', { method: 'POST', headers: { 'X-CSRF-Token': csrf } })).then((r) => r.status)`,
      );
      expect(refused).toBe(403);
      await page.goto('/queues');
      await page.getByText('read-only').first().waitFor();
    });
    await visit('/sign-in', async (page) => {
      await enter(page, 'ann');
      await page.waitForURL(/\/songs$/);
      await page.getByText('No songs yet').waitFor();
      expect(await page.getByRole('link', { name: 'Pipeline' }).count()).toBe(0);
      await press(page, 'Sign out');
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    });
    expect((await hiphop(['accounts', 'list'], there.product.environment)).stdout).toMatch(/vera/);
  });
});
