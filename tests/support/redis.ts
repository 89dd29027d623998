import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.ts';

/** A Redis of one test file alone. */
export interface TestRedis {
  url: string;
  stop(): Promise<void>;
}

const missing = spawnSync('redis-server', ['--version']).error !== undefined;

/**
 * Why the Redis half does not run here; undefined: it runs. Where a merge depends on it, it always
 * runs, and fails where there is no Redis: what did not run must not look like what passed.
 */
export const redisSkipped =
  missing && process.env['CI'] !== 'true'
    ? 'Redis half skipped: no redis-server on this machine (apt-get install redis-server)'
    : undefined;

/** Redis ends when this process closes its input, which it also does when it is killed. */
const untilInputEnds = 'redis-server "$@" & server=$!; read _; kill -9 $server; wait $server';

/** Start a Redis on a free port of this machine that keeps nothing. */
export async function startRedis(): Promise<TestRedis> {
  if (missing) throw new Error('CI needs redis-server on the PATH: apt-get install redis-server');
  const folder = mkdtempSync(join(tmpdir(), 'hiphop-redis-'));
  // Between asking for a free port and Redis taking it, another process may: then try another. The
  // password tells its server from ours.
  const password = randomBytes(16).toString('hex');
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const listen = ['--bind', '127.0.0.1', '--port', String(port), '--requirepass', password];
    const keep = ['--save', '', '--appendonly', 'no', '--dir', folder];
    const server = spawn('sh', ['-c', untilInputEnds, 'sh', ...listen, ...keep], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const gone = once(server, 'exit');
    const stop = async () => {
      server.stdin.end();
      await gone;
    };
    const url = `redis://:${password}@127.0.0.1:${port}`;
    if (await answersAt(url)) {
      return {
        url,
        stop: async () => {
          await stop();
          rmSync(folder, { recursive: true, force: true });
        },
      };
    }
    await stop();
    if (attempt === 3) throw new Error('redis-server does not start');
  }
}

async function answersAt(url: string): Promise<boolean> {
  const probe = new Redis(url, { maxRetriesPerRequest: 2, retryStrategy: () => 50 });
  probe.on('error', () => {}); // not up yet
  try {
    await eventually(
      () =>
        probe.ping().then(
          (pong) => pong === 'PONG',
          () => false,
        ),
      {
        what: 'Redis to answer',
        timeoutMs: 10_000,
      },
    );
    return true;
  } catch {
    return false;
  } finally {
    probe.disconnect();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
