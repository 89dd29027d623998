/** Uploads outlive the page that began them, are sent again only where that may help, and become one song each. */
import type { Page, Route } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { browserMissing, openWindow, seriousFindings } from '../support/browser.ts';
import { clip } from '../support/catalogue.ts';
import { useInBrowser } from '../support/dashboards.ts';
import { eventually } from '../support/eventually.ts';
import { givenModel, givenSong } from '../support/songs.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

describe.skipIf(browserMissing)(browserMissing ?? 'uploads', () => {
  const there = useInBrowser({}, { settings: { UPLOAD_MAX_MEGABYTES: '1' } });

  const songs = (...seeds: number[]) =>
    seeds.map((seed) => ({ name: `song ${seed}.wav`, mimeType: 'audio/wav', buffer: clip('bass', seed) }));
  const choose = (page: Page, files: ReturnType<typeof songs>) =>
    page.locator('input[type=file]').first().setInputFiles(files);
  const uploadsOf = '**/api/batches/*/songs?*';

  test('before there is a champion the page says so, and what to do', async () => {
    const { page, context } = await openWindow(there.browser, there.dashboard.url);
    await page.goto('/songs');
    await page.getByText('Nobody can judge songs yet').waitFor();
    expect(await page.locator('input[type=file]').count()).toBe(0);
    await givenModel(there.bench.database.prisma, { champion: true });
    await page.goto('/songs');
    await page.getByText('Drop songs here').waitFor();
    await context.close();
  });

  test('they go on while one looks at other pages, and the browser asks before they are lost', async () => {
    const { page, context, troubles } = await openWindow(there.browser, there.dashboard.url);
    const held: Route[] = [];
    await page.route(uploadsOf, (route) => void held.push(route));
    await page.goto('/songs');
    await choose(page, songs(1, 2, 3, 4));
    await page.getByText('0 of 4 uploaded').waitFor();
    await page.getByRole('link', { name: 'Watch them being judged' }).click();
    await page.getByText('No song is in this batch yet').waitFor();
    await page.getByText('0 of 4 uploaded').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    // The first success empties the place where they were dropped.
    await eventually(() => held.length === 3, { what: 'three uploads to be on their way' });
    await held.shift()!.continue();
    await page.getByText('1 of 4 uploaded').waitFor();
    await page.getByText('No song is in this batch yet').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Cancel the upload of song 4.wav' }).click();
    await page.getByText('1 of 3 uploaded').waitFor();
    await page.getByRole('link', { name: 'Models' }).click();
    await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor();
    const asked = page.waitForEvent('dialog');
    const leaving = page.reload().catch(() => {}); // it is stopped
    const dialog = await asked;
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
    await leaving;
    await page.unroute(uploadsOf);
    // That of the fourth was given up with it.
    for (const route of held) await route.continue().catch(() => {});
    await page.getByRole('link', { name: 'Songs', exact: true }).click();
    await page.getByText('3 of 3 uploaded').waitFor();
    expect(await there.bench.database.prisma.song.count()).toBe(3);
    await page.getByRole('button', { name: 'Clear this list' }).click();
    await page.getByText('3 of 3 uploaded').waitFor({ state: 'detached' });
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('what is refused is sent once; what the line lost is sent again and stays one song', async () => {
    const { prisma } = there.bench.database;
    const before = await prisma.song.count();
    const { page, context } = await openWindow(there.browser, there.dashboard.url);
    let sent = 0;
    const keys = new Set<string>();
    await page.route(uploadsOf, async (route) => {
      sent++;
      keys.add((await route.request().allHeaders())['idempotency-key'] ?? 'none');
      const problem = { detail: 'no more songs today' };
      await route.fulfill({ status: 422, contentType: 'application/problem+json', json: problem });
    });
    await page.goto('/songs');
    await choose(page, songs(5));
    await page.getByText('no more songs today').waitFor();
    expect(await page.getByRole('button', { name: /^Upload song 5.wav again/ }).count()).toBe(0);
    expect(sent).toBe(1);
    await page.unroute(uploadsOf);
    // The server takes it, the answer is lost, each time.
    sent = 0;
    keys.clear();
    await page.route(uploadsOf, async (route) => {
      sent++;
      keys.add((await route.request().allHeaders())['idempotency-key'] ?? 'none');
      await route.fetch();
      await route.abort('connectionreset');
    });
    await choose(page, songs(6));
    const again = page.getByRole('button', { name: 'Upload song 6.wav again' });
    await again.waitFor();
    await page.getByText('the connection was lost').waitFor();
    expect(sent).toBe(4);
    await page.unroute(uploadsOf);
    await again.click();
    await page.getByText('1 of 2 uploaded').waitFor();
    expect([keys.size, (await prisma.song.count()) - before]).toEqual([1, 1]);
    // One that is too large is told at once.
    await choose(page, [{ name: 'long.wav', mimeType: 'audio/wav', buffer: Buffer.alloc(1_000_001) }]);
    await page.getByText('bounce it to MP3 or FLAC').waitFor();
    await context.close();
  });

  test('what is dropped next goes into the same batch, as is said, until another one is begun', async () => {
    const { prisma } = there.bench.database;
    const { page, context, troubles } = await openWindow(there.browser, there.dashboard.url);
    const drop = async (seed: number, uploaded: string) => {
      await choose(page, songs(seed));
      await page.getByText(uploaded).first().waitFor();
    };
    const name = page.getByLabel('Name of the batch');
    await page.goto('/songs');
    await name.fill('album A');
    await drop(11, '1 of 1 uploaded');
    await page.getByText('Goes into album A').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await drop(12, '2 of 2 uploaded');
    await page.getByRole('button', { name: 'Begin another batch' }).click();
    await name.fill('album B');
    await drop(13, '1 of 1 uploaded');
    await page.getByText('Goes into album B').waitFor();
    const albums = await prisma.scoreBatch.findMany({
      where: { name: { startsWith: 'album' } },
      select: { id: true, name: true, _count: { select: { songs: true } } },
      orderBy: { id: 'asc' },
    });
    expect(albums.map((album) => [album.name, album._count.songs])).toEqual([
      ['album A', 2],
      ['album B', 1],
    ]);
    // One that somebody deletes meanwhile takes nothing any more: another one is begun.
    await prisma.scoreBatch.delete({ where: { id: albums[1]!.id } });
    await drop(14, `there is no batch-${albums[1]!.id}`);
    await name.fill('album C');
    await drop(15, '1 of 1 uploaded');
    await page.getByText('Goes into album C').waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  test('a batch counts what is judged; cancelled it takes no songs, and those that waited wait no more', async () => {
    const { prisma } = there.bench.database;
    const model = await prisma.model.findFirstOrThrow();
    const { id } = await prisma.scoreBatch.create({
      data: { modelId: model.id, name: 'to be cancelled', explain: 0, state: 'running' },
    });
    await givenSong(prisma, id, { file: 'judged.wav', state: 'scored' });
    await givenSong(prisma, id, { file: 'broken.wav', state: 'failed' });
    const waiting = await givenSong(prisma, id, { file: 'waiting.wav', state: 'queued' });
    const { page, context, troubles } = await openWindow(there.browser, there.dashboard.url);
    await page.goto(`/songs/batch/batch-${id}`);
    await page.getByText('1 of 3 songs judged').waitFor();
    await page.getByText('1 waits, 0 are decoded, 0 are judged now, 1 failed').waitFor();
    await page.getByRole('button', { name: 'Delete waiting.wav' }).waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Cancel this batch?' });
    await dialog.getByRole('button', { name: 'Go back' }).click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await dialog.getByRole('button', { name: 'Cancel it' }).click();
    await page.getByText('its batch is cancelled').waitFor();
    await page.locator('.page-head .status', { hasText: 'cancelled' }).waitFor();
    expect(await page.getByRole('button', { name: 'Add songs' }).count()).toBe(0);
    await page.goto(`/songs/song-${waiting}`);
    await page.getByText('Not judged: its batch is cancelled').waitFor();
    await page.getByRole('region', { name: 'Versions' }).getByText('not judged').waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });
});
