import type { Command } from 'commander';
import { UserError } from '../../shared/errors.ts';
import { setUpTagger } from '../../shared/tagger/provision.ts';
import { runInSession } from '../cli.ts';
import { countMissing, type EmbedScope, enqueueEmbeddings } from '../embed.ts';
import { print, printJson, progress, tell } from '../output.ts';
import type { Session } from '../session.ts';
import { isIdle, waitFor } from '../wait.ts';

interface EmbedOptions {
  dataSet?: string;
  wait?: boolean;
  json?: boolean;
}

export function registerEmbed(program: Command): void {
  program
    .command('embed')
    .description('let the music tagger listen to tracks that were taken in without it')
    .option('--data-set <name>', 'only the tracks of this data set')
    .option('--wait', 'stay until all are done (always so where nothing else runs the work)')
    .option('--json', 'print the outcome as JSON')
    .action((options: EmbedOptions) => runInSession((session) => run(session, options)));
}

/** A track whose address has expired is looked up again first. */
const stages = ['lookup', 'preview', 'embedding', 'spectrogram'] as const;

async function run(session: Session, options: EmbedOptions): Promise<void> {
  const scope: EmbedScope = options.dataSet === undefined ? {} : { dataSet: options.dataSet };
  await needTagger(session);
  const missing = await session.workforce.missing(stages);
  const enqueued = await enqueueEmbeddings(session, scope);
  const stay = enqueued > 0 && (options.wait === true || missing.length > 0);
  if (stay) await wait(session, scope, enqueued);
  const left = stay ? await countMissing(session, scope) : enqueued;
  const answer = { enqueued, embedded: enqueued - left, left };
  if (options.json) printJson(answer);
  else print(describe(answer, stay));
}

async function wait(session: Session, scope: EmbedScope, enqueued: number): Promise<void> {
  const bar = progress('embeddings');
  await waitFor(session, {
    stages,
    finished: async () => {
      const left = await countMissing(session, scope);
      bar.update(enqueued - Math.min(left, enqueued), enqueued);
      // What cannot be fetched or embedded is left over when the queues are empty.
      return left === 0 || isIdle(session, stages);
    },
  }).finally(bar.stop);
}

function describe(answer: { enqueued: number; embedded: number; left: number }, waited: boolean): string {
  const { enqueued, embedded, left } = answer;
  if (enqueued === 0) return 'all tracks that are ready have an embedding';
  if (!waited) return `${enqueued} tracks have no embedding: enqueued; hiphop status shows them`;
  const failed = left > 0 ? `, ${left} could not be: hiphop failures lists why` : '';
  return `${embedded} of ${enqueued} tracks were embedded${failed}`;
}

/** @throws UserError when neither this machine has the tagger nor a worker that may have it is alive */
async function needTagger({ config, workforce }: Session): Promise<void> {
  if (config.tagger === 'off') throw new UserError('the tagger is off: set TAGGER=auto to embed tracks');
  if ((await workforce.missing(['embedding'])).length === 0) return;
  const { cacheDir, tagger: setting } = config;
  const { ready, note } = await setUpTagger({ cacheDir, setting, log: tell, insist: true });
  if (!ready) throw new UserError(note ?? 'the music tagger is not set up');
}
