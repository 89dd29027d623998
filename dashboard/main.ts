/** The dashboard's process: serves the pages and the API until it is told to stop. */
import { setMaxListeners } from 'node:events';
import { withSession } from '../producers/session.ts';
import { parseConfig } from '../shared/config.ts';
import { reasonOf, UserError } from '../shared/errors.ts';
import { createLogger } from '../shared/logging.ts';
import { startReporting } from '../shared/metrics/reporting.ts';
import { startDashboard } from './server.ts';

/** What it says to the process that started it. */
export type FromDashboard = { url: string };

const stop = new AbortController();
setMaxListeners(0, stop.signal);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
}
// A parent that is gone wants no pages any more.
process.on('disconnect', () => stop.abort());

try {
  // biome-ignore lint/style/noProcessEnv: the entry point is where settings are read
  const config = parseConfig(process.env);
  const log = createLogger(config, 'dashboard');
  await withSession(config, log, stop.signal, async (session) => {
    const reporting = startReporting(session.database.pool, log, 'dashboard');
    const dashboard = await startDashboard(session);
    log.info({ url: dashboard.url }, 'the pages are served');
    // The parent may be gone by now, of which the next event tells.
    process.send?.({ url: dashboard.url } satisfies FromDashboard, () => {});
    await new Promise<void>((resolve) => {
      if (stop.signal.aborted) resolve();
      stop.signal.addEventListener('abort', () => resolve());
    });
    await dashboard.close();
    await reporting.stop();
  });
} catch (error) {
  process.stderr.write(`hiphop: ${reasonOf(error)}\n`);
  process.exitCode = error instanceof UserError ? 2 : 1;
}
if (process.connected) process.disconnect();
