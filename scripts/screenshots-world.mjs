// The world that the pictures show: a larger demo's, served by `hiphop up`, with songs dropped in by hand, one of them
// explained, a schedule, and a larger crawl under way.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const url = 'http://127.0.0.1:4478/';

/** @returns where its pages are, and what ends it */
export async function startWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'hiphop-pictures-'));
  const started = [];
  const hiphop = (args, env) => {
    const child = spawn(process.execPath, ['bin/hiphop.mjs', ...args], {
      env: { ...process.env, LOG_LEVEL: 'error', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(child);
    return child;
  };
  const stop = async () => {
    // The pages first, and by SIGTERM: the simulator leaves SIGINT to a terminal.
    for (const child of started
      .reverse()
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    // With fewer artists no order of songs is sure, and all of them share their ranks.
    const demo = hiphop(['demo', '--tracks', '1500'], { DATA_DIR: folder });
    demo.stdout.resume();
    const [status] = await once(demo, 'exit');
    if (status !== 0) throw new Error('the demo failed');
    const simulator = hiphop(['simulate', '--tracks', '4000', '--chaos', 'mild'], { DATA_DIR: folder });
    const [line] = await once(simulator.stdout, 'data');
    const dataDir = join(folder, 'demo');
    const env = { DATA_DIR: dataDir, DASHBOARD_PORT: '4478', SIMULATOR_URL: JSON.parse(line).url };
    hiphop(['up'], env).stdout.resume();
    await until(
      'the pages to be served',
      async () => (await fetch(new URL('/readyz', url)).catch(() => null))?.ok,
    );
    const unheard = join(dataDir, 'music', 'unheard');
    await dropSongs(readdirSync(unheard).map((name) => join(unheard, name)));
    const add = ['--cron', '0 3 * * *', '--timezone', 'Europe/Berlin', '--steps', 'crawl,freeze,train'];
    await once(hiphop(['schedule', 'add', 'nightly', ...add], env), 'exit');
    await post('/api/crawls', { genre: 'hip-hop', years: [2019, 2021], market: 'US', limit: null });
    await until('the crawl to be well under way', async () => {
      const { crawl } = await get('/api/pipeline');
      return crawl.funnel.tracks.ready > 150 && crawl.timeLeft?.known;
    });
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** As a person does it: on the page, by its file input; then the best song is explained. */
async function dropSongs(files) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ baseURL: url });
    await page.goto('/songs');
    await page.getByLabel('Name of the batch').fill('Album demos');
    await page.locator('input[type=file]').first().setInputFiles(files);
    await until('the songs to be judged', async () => {
      const { name, state } = (await newestBatch()) ?? {};
      return name === 'Album demos' && state === 'done';
    });
  } finally {
    await browser.close();
  }
  const { songs } = await get(`/api/batches/${(await newestBatch()).id}`);
  await post(`/api/songs/${songs[0].id}/explain`);
  await until('a song to be explained', async () => (await get(`/api/songs/${songs[0].id}`)).explanation);
}

const newestBatch = async () => (await get('/api/batches')).items[0];
const get = async (path) => (await fetch(new URL(path, url))).json();

async function post(path, body) {
  const answer = await fetch(new URL(path, url), {
    method: 'POST',
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

async function until(what, holds) {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 600) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
