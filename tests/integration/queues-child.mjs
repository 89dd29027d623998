// A process beside the test: `work LOG` runs the stage preview with a slow stand-in that notes what it
// does in LOG, `enqueue N` enqueues N jobs. Runs what was built, as every process of the program does.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConfig } from '../../dist/shared/config.js';
import { createLogger } from '../../dist/shared/logging.js';
import { openQueueBackend } from '../../dist/shared/queues/backend.js';
import { Queues } from '../../dist/shared/queues/queues.js';
import { startWorkers } from '../../dist/workers/workforce.js';

const config = parseConfig(process.env);
const [role, argument] = process.argv.slice(2);

if (role === 'work') {
  const note = (what, id) => appendFileSync(argument, `${what} ${id} ${process.pid}\n`);
  const preview = () => ({
    stage: 'preview',
    run: async ({ id }) => {
      note('start', id);
      await sleep(1_000);
      note('end', id);
      return { outcome: 'done' };
    },
    fail: async ({ id }) => ({ subject: { subject: `song ${id}` } }),
  });
  await startWorkers(config, createLogger(config, 'worker'), ['preview'], { preview });
  process.send('ready');
} else {
  const queues = new Queues(await openQueueBackend(config, config.databaseUrl));
  process.send('ready');
  // Start at the same time as the others.
  await new Promise((resolve) => process.once('message', resolve));
  const ids = Array.from({ length: Number(argument) }, (_, index) => index + 1);
  await queues.enqueue(
    'preview',
    ids.map((id) => ({ kind: 'song', id, parametersHash: '0123456789abcdef' })),
  );
  await queues.close();
  process.disconnect();
}
