/** The server of the pages in this process, and requests to it of which every header is in hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startDashboard } from '../../dashboard/server.ts';
import type { Session } from '../../producers/session.ts';
import { Workforce } from '../../producers/workforce.ts';
import { parseConfig } from '../../shared/config.ts';
import type { QueueBench } from './queue-backends.ts';

export interface Asked {
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is. */
  raw?: string | Buffer;
}

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Of the answer, read as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  json: any;
}

export interface TestDashboard {
  url: string;
  dataDir: string;
  ask: (method: string, path: string, asked?: Asked) => Promise<Answered>;
  /** What it has logged. */
  log: string[];
  close: () => Promise<void>;
}

export async function startTestDashboard(
  bench: QueueBench,
  settings: Record<string, string> = {},
): Promise<TestDashboard> {
  const folder = mkdtempSync(join(tmpdir(), 'hiphop-dashboard-'));
  const dataDir = join(folder, 'data');
  const environment = { ...bench.environment, DATA_DIR: dataDir, DASHBOARD_PORT: '0', ...settings };
  const config = parseConfig(environment);
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) });
  const { database, queues } = bench;
  const { signal } = new AbortController();
  const workforce = new Workforce(database.prisma, config, log, signal);
  const session: Session = { config, log, database, queues, workforce, signal };
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  const dashboard = await startDashboard(session).catch((error) => {
    removeFolder();
    throw error;
  });
  // Where all addresses are served, one of them is asked.
  const url = dashboard.url.replace('//0.0.0.0:', '//127.0.0.1:').replace(/\/$/, '');
  return {
    ...{ url, dataDir, log: lines },
    ask: (method, path, asked = {}) => ask(`${url}${path}`, method, asked),
    close: async () => {
      await dashboard.close();
      removeFolder();
    },
  };
}

function ask(url: string, method: string, { headers = {}, body, raw }: Asked): Promise<Answered> {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const length = sent === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(sent)) };
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers: { ...type, ...length, ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        const isJson = /json/.test(response.headers['content-type'] ?? '');
        resolve({
          ...{ status: response.statusCode!, headers: response.headers, text },
          json: isJson && text !== '' ? JSON.parse(text) : undefined,
        });
      });
    });
    request.on('error', reject);
    request.end(sent);
  });
}
