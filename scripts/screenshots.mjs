// Pictures of the running product for the README: `npm run screenshots`.
// Makes the demo's simulated world, serves its pages, drops songs in, starts a crawl, and takes pictures with
// a real browser.
//   --url URL      of pages that are served already, instead of the demo's
//   --out FOLDER   where the pictures go (default docs/pages)
//   --all          every page, light, dark and on a phone, instead of those that the README shows
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { startWorld } from './screenshots-world.mjs';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' },
    out: { type: 'string', default: 'docs/pages' },
    all: { type: 'boolean', default: false },
  },
});

/** What the README shows: name, address, look. An address may be made from what is there. */
const shown = [
  ['pipeline', '/', {}],
  ['models', '/models', {}],
  ['model', (there) => `/models/${there.model}`, {}],
  ['ranking', (there) => `/songs/batch/${there.batch}`, {}],
  ['song', (there) => `/songs/${there.song}`, { dark: true }],
  ['ranking-phone', (there) => `/songs/batch/${there.batch}`, { phone: true }],
  ['catalogue', '/tracks/overview', {}],
];

/** Every page, to be looked at. */
const every = [
  ...['/', '/failures', '/queues', '/tracks', '/tracks/overview', '/models', '/songs', '/schedules'],
  ...['/history', '/logs', '/audit', '/accounts', '/account', '/api/docs'],
  (there) => `/crawls/${there.crawl}`,
  (there) => `/tracks/${there.track}`,
  (there) => `/models/${there.model}`,
  (there) => `/models/compare?models=${there.models.slice(0, 2).join(',')}`,
  (there) => `/data-sets/${there.dataSet}`,
  (there) => `/songs/batch/${there.batch}`,
  (there) => `/songs/${there.song}`,
];

const world = options.url ? { url: options.url, stop: async () => {} } : await startWorld();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  mkdirSync(options.out, { recursive: true });
  const there = await whatIsThere(world.url);
  if (options.all) {
    const looks = [
      ['light', {}],
      ['dark', { dark: true }],
      ['phone', { phone: true }],
    ];
    for (const [look, how] of looks) {
      for (const address of every) await take(address, how, there, (path) => `${nameOf(path)}-${look}`);
    }
  } else for (const [name, address, how] of shown) await take(address, how, there, () => name);
} finally {
  await browser.close();
  await world.stop();
}

async function take(address, { dark = false, phone = false }, there, name) {
  const path = typeof address === 'string' ? address : address(there);
  if (/undefined/.test(path)) return;
  const context = await browser.newContext({
    baseURL: world.url,
    colorScheme: dark ? 'dark' : 'light',
    viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 860 },
    deviceScaleFactor: phone ? 2 : 1,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
  });
  const page = await context.newPage();
  await page.goto(path);
  // The stream of events never ends, so the network is never idle.
  await page.waitForTimeout(2_500);
  await page.screenshot({ path: join(options.out, `${name(path)}.png`), fullPage: options.all });
  await context.close();
  process.stderr.write(`${path}\n`);
}

function nameOf(path) {
  const parts = path
    .replace(/\?.*/, '')
    .replace(/^\/|\/$/g, '')
    .replaceAll('/', '-');
  return parts || 'pipeline';
}

async function whatIsThere(url) {
  const get = async (path) => (await fetch(new URL(`/api${path}`, url))).json();
  const [crawls, tracks, models, dataSets, batches] = await Promise.all(
    ['/crawls', '/tracks?state=ready&limit=1', '/models', '/data-sets', '/batches'].map(get),
  );
  const batch = batches.items?.[0]?.id;
  const songs = batch ? (await get(`/batches/${batch}`)).songs : [];
  const ids = models.models?.map(({ id }) => id) ?? [];
  return {
    crawl: crawls.items?.[0]?.crawl,
    track: tracks.items?.[0]?.id,
    model: models.champion ?? ids[0],
    models: ids,
    dataSet: (dataSets.items ?? dataSets)[0]?.id,
    batch,
    song: songs?.[0]?.id,
  };
}
