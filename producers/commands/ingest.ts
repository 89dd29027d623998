import type { Command } from 'commander';
import { countCrawl, settleCrawls } from '../../shared/crawls/lifecycle.ts';
import type { PrismaClient } from '../../shared/database/generated/client.ts';
import { reasonOf } from '../../shared/errors.ts';
import { publicId } from '../../shared/identifiers.ts';
import { readCatalogue } from '../../shared/sources/folder/catalogue.ts';
import { audioStages } from '../../shared/stages.ts';
import { exitStatus, runInSession } from '../cli.ts';
import { enqueueUnfinished, ingest } from '../ingest.ts';
import { print, printJson, progress, tell } from '../output.ts';
import { currentParameters } from '../parameters.ts';
import type { Session } from '../session.ts';
import { waitFor } from '../wait.ts';

interface IngestOptions {
  wait?: boolean;
  json?: boolean;
}

export function registerIngest(program: Command): void {
  program
    .command('ingest')
    .description('take in a catalogue: a CSV manifest (file, popularity, …) or a folder of audio')
    .argument('<path>', 'the manifest, or the folder')
    .option('--wait', 'stay until all spectrograms are made (always so where nothing else runs the work)')
    .option('--json', 'print the outcome as JSON')
    .action((path: string, options: IngestOptions) => runInSession((session) => run(session, path, options)));
}

async function run(session: Session, path: string, options: IngestOptions): Promise<void> {
  const outcome = await ingestAndWait(session, path, options.wait ?? false);
  if (options.json) printJson(outcome.answer);
  else print(outcome.summary);
  if (outcome.answer.tracks === 0) process.exitCode = exitStatus.failed;
}

export interface IngestAnswer {
  tracks: number;
  spectrograms: number;
  failed: number;
  failures: { file: string; reason: string }[];
}

/** Read a catalogue, enqueue it and wait for its spectrograms. */
export async function ingestAndWait(
  session: Session,
  path: string,
  wait: boolean,
): Promise<{ answer: IngestAnswer; summary: string }> {
  const { prisma } = session.database;
  const reading = progress('reading');
  const catalogue = await readCatalogue(path, { onProgress: reading.update, signal: session.signal }).finally(
    reading.stop,
  );
  for (const note of catalogue.notes) tell(`note: ${note}`);
  for (const { line, file, reason } of catalogue.warnings) {
    tell(`warning: ${[line === null ? '' : `line ${line}`, file].filter(Boolean).join(': ')}: ${reason}`);
  }
  if (!catalogue.hasPopularity) {
    tell('note: no popularity is given: these tracks can be scored, and cannot be learned from');
  }
  const { crawl, enqueued } = await ingest(session, catalogue);
  const stages = audioStages(session.config);
  const own = enqueued > 0 && (await session.workforce.missing(stages)).length > 0;
  const stay = wait || own;
  if (stay) {
    const bar = progress('spectrograms');
    const parametersHash = await currentParameters(session);
    await waitFor(session, {
      stages,
      finished: async () => {
        const { tracks, ready, failed, unfinished } = await countCrawl(prisma, crawl.id);
        bar.update(ready + failed, tracks, failed > 0 ? `(${failed} failed)` : '');
        return unfinished === 0;
      },
      repair: async () => {
        await enqueueUnfinished(session, crawl.id, parametersHash, { failedToo: false });
      },
    }).finally(bar.stop);
    await settleCrawls(session.database.pool, session.queues);
  }
  const counts = await countCrawl(prisma, crawl.id);
  const failures = await failuresOf(prisma, crawl.id);
  const answer: IngestAnswer = {
    tracks: counts.tracks,
    spectrograms: counts.ready,
    failed: failures.length,
    failures,
  };
  const lines = [
    `${publicId('crawl', crawl.id)}: ${answer.tracks} tracks, ${answer.spectrograms} with a spectrogram, ${answer.failed} failed`,
    ...answer.failures.map(({ file, reason }) => `  ${file}: ${reason}`),
  ];
  if (!stay && counts.unfinished > 0)
    lines.push(`${counts.unfinished} are under way; hiphop status shows them`);
  return { answer, summary: lines.join('\n') };
}

/** What of a crawl went wrong: rows that were not taken, and tracks that came to no spectrogram. */
async function failuresOf(prisma: PrismaClient, crawlId: number): Promise<IngestAnswer['failures']> {
  const rows = await prisma.failure.findMany({
    where: { crawlId, stage: 'ingest', state: 'open' },
    orderBy: { id: 'asc' },
  });
  // From the tracks themselves: their failure's row is written a moment later, and names one crawl
  // where several may have asked for the track.
  const tracks = await prisma.crawlTrack.findMany({
    where: { crawlId, track: { state: 'failed' } },
    orderBy: { trackId: 'asc' },
    include: { track: true },
  });
  return [
    ...rows.map(({ subject, reason }) => ({ file: subject, reason: reasonOf(reason) })),
    ...tracks.map(({ file, track }) => ({
      file: file ?? track.location ?? track.title,
      reason: reasonOf(track.failureReason),
    })),
  ];
}
