/** What comes of what is pressed is seen: where it failed, where nothing else moves, and where no news come. */
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { browserMissing, isTooWide, openWindow, seriousFindings } from '../support/browser.ts';
import { testPassword } from '../support/browser-session.ts';
import { useInBrowser } from '../support/dashboards.ts';
import { givenModel, givenSong } from '../support/songs.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

describe.skipIf(browserMissing)(browserMissing ?? 'outcomes', () => {
  const there = useInBrowser(
    { ops: 'operator', ann: 'artist', cara: 'artist' },
    { settings: { SECURE_COOKIES: 'no' } },
  );

  /** A window of somebody who is signed in, in which nothing may go wrong besides. */
  const visit = async (
    name: string,
    path: string,
    deeds: (page: Page) => Promise<void>,
    options: Parameters<typeof openWindow>[2] = {},
  ) => {
    const { page, context, troubles } = await openWindow(there.browser, there.dashboard.url, options);
    await page.goto('/sign-in');
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(testPassword(name));
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    await page.goto(path);
    await deeds(page);
    expect(troubles).toEqual([]);
    await context.close();
  };

  test('who cannot be signed out is told so, and can try again', () =>
    visit('ops', '/audit', async (page) => {
      await page.route('**/api/sign-out', (route) => route.abort());
      const button = page.getByRole('button', { name: 'Sign out' });
      await button.click();
      await page.getByRole('banner').getByText('the server cannot be reached').waitFor();
      expect(await isTooWide(page)).toBe(false);
      await page.unroute('**/api/sign-out');
      await button.click();
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    }));

  test('tokens expire unless it is said that they never do, and go with the password', () =>
    visit('cara', '/account', async (page) => {
      const make = async (name: string, expires?: string) => {
        await page.getByLabel('Name of a new token').fill(name);
        if (expires) await page.getByLabel('Expires in').selectOption(expires);
        await page.getByRole('button', { name: 'Make a token' }).click();
        await page.getByRole('button', { name: `Revoke ${name}` }).waitFor();
        return there.bench.database.prisma.apiToken.findFirstOrThrow({ where: { name } });
      };
      expect((await make('for a while')).expiresAt).not.toBeNull();
      expect((await make('for ever', 'never')).expiresAt).toBeNull();
      const change = async (from: string, to: string) => {
        await page.getByLabel('Current password').fill(from);
        await page.getByLabel('New password').fill(to);
        await page.keyboard.press('Enter');
      };
      const wrong = page.getByText('the current password is not this one');
      const done = page.getByText('Your password is changed');
      await change('a wrong password', 'another long password');
      await wrong.waitFor();
      await change(testPassword('cara'), 'another long password');
      await done.waitFor();
      await page.getByText('You have none.').waitFor();
      expect(await wrong.count()).toBe(0);
      await change(testPassword('cara'), 'yet another long password');
      await wrong.waitFor();
      expect(await done.count()).toBe(0);
    }));

  test('without news a page shows what was answered since, and does not call itself live', () =>
    visit('ops', '/audit', async (page) => {
      const old = await page.evaluate("fetch('/api/pipeline').then((answer) => answer.text())");
      let streams = 0;
      await page.route('**/api/events', (route) =>
        ++streams === 1
          ? route.fulfill({ contentType: 'text/event-stream', body: `event: pipeline\ndata: ${old}\n\n` })
          : route.abort(),
      );
      await page.goto('/');
      await page.getByText('No news come from the server').waitFor();
      await page.getByRole('button', { name: 'Pause the stage spectrogram' }).click();
      await page.getByRole('button', { name: 'Pause it' }).click();
      await page.getByRole('button', { name: 'Resume the stage spectrogram' }).click();
      await page.getByRole('button', { name: 'Pause the stage spectrogram' }).waitFor();
      await page.getByText(/^As it was/).waitFor();
      expect(await page.getByText(/^Live;/).count()).toBe(0);
    }));

  test('a batch that is cancelled says so of its songs, and goes on when it is resumed', async () => {
    const { prisma } = there.bench.database;
    const model = await givenModel(prisma, { champion: true });
    const ann = await prisma.account.findUniqueOrThrow({ where: { name: 'ann' } });
    const batch = await prisma.scoreBatch.create({ data: { modelId: model.id, ownerId: ann.id } });
    await givenSong(prisma, batch.id, { file: 'a song.wav', state: 'queued' });
    await visit('ann', `/songs/batch/batch-${batch.id}`, async (page) => {
      const song = page.getByRole('row', { name: /a song.wav/ });
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'Cancel it' }).click();
      await song.getByText('its batch is cancelled: resume it to go on').waitFor();
      expect(await page.getByRole('button', { name: 'Add songs' }).count()).toBe(0);
      expect((await there.bench.queues.counts('preview')).waiting).toBe(0);
      await page.getByRole('button', { name: 'Resume' }).click();
      await song.getByText('waits').waitFor();
      await page.getByRole('button', { name: 'Add songs' }).waitFor();
      expect((await there.bench.queues.counts('preview')).waiting).toBe(1);
    });
  });

  test('a track that is worked on is asked for again until it is ready', async () => {
    const { prisma } = there.bench.database;
    const { id } = await prisma.track.create({
      data: { source: 'folder', sourceKey: 'worked on', title: 'worked on', state: 'queued' },
    });
    await visit('ops', `/tracks/track-${id}`, async (page) => {
      await page.locator('.status', { hasText: 'queued' }).waitFor();
      await prisma.track.update({ where: { id }, data: { state: 'ready' } });
      await page.locator('.status', { hasText: 'ready' }).waitFor();
    });
  });

  test('a track counts the readings that have a value, and tells artists no probability', async () => {
    const { prisma } = there.bench.database;
    const model = await givenModel(prisma);
    const { id } = await prisma.track.create({
      data: {
        ...{ source: 'folder', sourceKey: 'judged unheard', title: 'judged unheard', state: 'ready' },
        readings: { create: [{ value: 63, origin: 'deezer' }, { origin: 'deezer' }] },
        predictions: {
          create: { modelId: model.id, side: 'holdout', probability: 0.8345, popular: true },
        },
      },
    });
    const probability = /popular with a probability of 83 %/;
    const counted = (page: Page) =>
      page.getByRole('heading', { name: 'Popularity over time (n = 1 reading)' }).waitFor();
    await visit('ops', `/tracks/track-${id}`, async (page) => {
      await counted(page);
      await page.getByText(probability).waitFor();
    });
    await visit('ann', `/tracks/track-${id}`, async (page) => {
      await counted(page);
      expect(await page.getByText(probability).count()).toBe(0);
    });
  });

  test.each([
    ['on a desk', {}],
    ['on a phone', { phone: true }],
  ])('%s: what is left of a retry, and that an explanation is made, is said', async (_, options) => {
    const { prisma } = there.bench.database;
    const reason = 'line 3 has no title';
    await prisma.failure.deleteMany();
    await prisma.failure.create({
      data: { stage: 'ingest', kind: 'permanent', subject: 'line 3', reason, cause: reason },
    });
    const model = await givenModel(prisma, { champion: true });
    const batch = await prisma.scoreBatch.create({ data: { modelId: model.id, explain: 0, state: 'done' } });
    await givenSong(prisma, batch.id, { file: 'a song.wav', state: 'scored' });
    const said = async (page: Page, text: string) => {
      await page.getByRole('status').getByText(text).waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      expect(await isTooWide(page)).toBe(false);
    };
    await visit(
      'ops',
      '/failures',
      async (page) => {
        for (const path of ['/failures', '/']) {
          await page.goto(path);
          await page.getByRole('button', { name: `Retry 1 of stage ingest: ${reason}` }).click();
          await page.locator('dialog[open]').getByRole('button', { name: 'Retry 1' }).click();
          await said(page, 'Retried: 0; left: 1 (correct the manifest and ingest it again).');
        }
        await page.goto(`/songs/batch/batch-${batch.id}`);
        await page.getByRole('button', { name: 'Explain a song.wav' }).click();
        await said(page, 'is being explained: some seconds to a minute');
      },
      options,
    );
  });
});
