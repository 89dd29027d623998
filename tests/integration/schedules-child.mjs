// A worker of nights in a process of its own, to be killed. Its command line is a stand-in that notes in
// LOG what is asked for: `crawl` begins a crawl and answers, `train` begins a run and never answers.
import { appendFileSync } from 'node:fs';
import { parseConfig } from '../../dist/shared/config.js';
import { createLogger } from '../../dist/shared/logging.js';
import { buildSchedule } from '../../dist/workers/schedule.js';
import { startWorkers } from '../../dist/workers/workforce.js';

const config = parseConfig(process.env);
const [log] = process.argv.slice(2);

function schedule(services) {
  const { prisma } = services.database;
  const commands = {
    crawl: async () => {
      const crawl = await prisma.crawl.create({ data: { source: 'spotify', query: {} } });
      return { status: 0, answer: { crawl: `crawl-${crawl.id}` }, reason: '' };
    },
    train: async () => {
      const { id } = await prisma.dataSet.findFirstOrThrow();
      const models = { create: [{ name: 'dummy', dataSetId: id, options: {} }] };
      await prisma.trainingRun.create({ data: { dataSetId: id, options: {}, models } });
      return new Promise(() => {});
    },
  };
  return buildSchedule(services, (args) => {
    appendFileSync(log, `${args[0]} ${process.pid}\n`);
    return { ended: commands[args[0]](), said: () => [], stop: () => {} };
  });
}

await startWorkers(config, createLogger(config, 'worker'), ['schedule'], { schedule });
process.send('ready');
