/** The whole product as a user has it: `hiphop up` with its pages, a catalogue, models, a world outside. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchBrowser } from './browser.ts';
import { settings, writeCatalogue } from './catalogue.ts';
import { expectNoProcesses, hiphopJson, killProcessesOf, type Running, startHiphop } from './cli.ts';
import { startTestSimulator, type TestSimulator } from './simulator.ts';

export interface Product {
  /** Where its pages are, without a slash at the end. */
  url: string;
  folder: string;
  simulator: TestSimulator;
  environment: Record<string, string>;
  /** Run a command beside it. */
  command: <T>(...args: string[]) => Promise<T>;
  /** Ask the API, as a program on this machine does. */
  api: <T>(path: string, init?: RequestInit) => Promise<T>;
  stop: () => Promise<void>;
}

/** How long a hook may take that starts it and puts some work in: longer than all that it waits for, one after the other. */
export const productMs = 600_000;

/** The product and a browser for all tests of a file; both are there from `beforeAll` on. */
export function useProduct(): { readonly product: Product; readonly browser: Browser } {
  let starting: Promise<Product> | undefined;
  let launching: Promise<Browser> | undefined;
  let product: Product;
  let browser: Browser;
  beforeAll(async () => {
    starting = startProduct();
    launching = launchBrowser();
    [product, browser] = await Promise.all([starting, launching]);
  });
  afterAll(async () => {
    // Also what came up too late for the hook above, or when the other did not.
    await launching?.then(
      (launched) => launched.close(),
      () => {},
    );
    await starting?.then(
      (started) => started.stop(),
      () => {},
    );
  });
  return {
    get product() {
      return product;
    },
    get browser() {
      return browser;
    },
  };
}

/** Start it, with a small catalogue taken in and two models trained on it. */
export async function startProduct(more: Record<string, string> = {}): Promise<Product> {
  const folder = mkdtempSync(join(tmpdir(), 'hiphop-pages-'));
  const simulator = await startTestSimulator({ tracks: 400 });
  const environment = {
    ...settings,
    ...{ DATA_DIR: join(folder, 'data'), DASHBOARD_PORT: '0', TENSORFLOW: 'wasm' },
    ...{ SIMULATOR_URL: simulator.url, ...more },
  };
  let up: Running | null = null;
  const stop = async () => {
    up?.kill('SIGTERM');
    await up?.finished.catch(() => {});
    await simulator.close();
    await expectNoProcesses(environment.DATA_DIR).finally(() => {
      killProcessesOf(environment.DATA_DIR);
      rmSync(folder, { recursive: true, force: true });
    });
  };
  try {
    up = startHiphop(['up'], environment, { timeoutMs: 900_000 });
    await up.said(/up: Ctrl-C stops it/, 120_000);
    const url = /the pages are at (http:\S+)\//.exec(up.stderr())![1]!;
    const command = <T>(...args: string[]) => hiphopJson<T>(args, environment, { timeoutMs: 180_000 });
    const { manifest } = writeCatalogue(join(folder, 'audio'), 40);
    await command('ingest', manifest, '--wait');
    await command('train', '--models', 'dummy,logistic,forest', '--wait');
    const api = async <T>(path: string, init?: RequestInit) => {
      const response = await fetch(`${url}/api${path}`, init);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    };
    return { url, folder, simulator, environment, command, api, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
