/** What a public id or the id of a job names, as far as its asker may see it. */
import type { Session } from '../../../producers/session.ts';
import { type Noun, nouns, publicId } from '../../../shared/identifiers.ts';
import { type StageName, stageNames } from '../../../shared/stages.ts';
import { type Caller, staff } from '../../access/caller.ts';
import { ownBatches } from '../songs/owned.ts';
import type { Hit } from './schemas.ts';

type Prisma = Session['database']['prisma'];
type Found = Pick<Hit, 'title' | 'note'> | null;
type Look = (prisma: Prisma, id: number, caller: Caller) => Promise<Found>;

/** Artists see the catalogue, the models and their own songs. */
const ofStaff =
  (look: Look): Look =>
  (prisma, id, caller) =>
    staff.includes(caller.role) ? look(prisma, id, caller) : Promise.resolve(null);
/** Viewers have no songs, and see nobody's. */
const ofSongs =
  (look: Look): Look =>
  (prisma, id, caller) =>
    caller.role === 'viewer' ? Promise.resolve(null) : look(prisma, id, caller);

const lookers: Record<Noun, Look> = {
  track: async (prisma, id) => {
    const artists = { select: { artist: { select: { name: true } } }, orderBy: { position: 'asc' } } as const;
    const row = await prisma.track.findUnique({ where: { id }, select: { title: true, artists } });
    return row && { title: row.title, note: row.artists.map(({ artist }) => artist.name).join(', ') || null };
  },
  model: async (prisma, id) => {
    const row = await prisma.model.findUnique({ where: { id }, select: { name: true, state: true } });
    return row && { title: row.name, note: row.state };
  },
  run: async (prisma, id) => {
    const dataSet = { select: { name: true } };
    const row = await prisma.trainingRun.findUnique({ where: { id }, select: { dataSet } });
    return row && { title: 'training run', note: `on ${row.dataSet.name}` };
  },
  'data-set': async (prisma, id) => {
    const row = await prisma.dataSet.findUnique({ where: { id }, select: { name: true } });
    return row && { title: row.name, note: null };
  },
  song: ofSongs(async (prisma, id, caller) => {
    const batch = { select: { name: true } };
    const where = { id, batch: ownBatches(caller) };
    const row = await prisma.song.findFirst({ where, select: { file: true, batch } });
    return row && { title: row.file, note: row.batch.name };
  }),
  batch: ofSongs(async (prisma, id, caller) => {
    const row = await prisma.scoreBatch.findFirst({
      where: { id, ...ownBatches(caller) },
      select: { name: true, state: true },
    });
    return row && { title: row.name ?? 'batch of songs', note: row.state };
  }),
  crawl: ofStaff(async (prisma, id) => {
    const row = await prisma.crawl.findUnique({ where: { id }, select: { source: true, state: true } });
    return row && { title: `crawl of ${row.source}`, note: row.state };
  }),
  night: ofStaff(async (prisma, id) => {
    const select = { scheduleName: true, state: true };
    const row = await prisma.scheduleRun.findUnique({ where: { id }, select });
    return row && { title: `night of ${row.scheduleName}`, note: row.state };
  }),
  failure: ofStaff(async (prisma, id) => {
    const select = { stage: true, state: true, songId: true, subject: true };
    const row = await prisma.failure.findUnique({ where: { id }, select });
    // A song's failure names its file.
    return row && { title: `failure of ${row.stage}`, note: row.songId === null ? row.subject : row.state };
  }),
};

export const pages: Record<Noun, (id: string) => string> = {
  track: (id) => `/tracks/${id}`,
  model: (id) => `/models/${id}`,
  run: (id) => `/training-runs/${id}`,
  'data-set': (id) => `/data-sets/${id}`,
  song: (id) => `/songs/${id}`,
  batch: (id) => `/songs/batch/${id}`,
  crawl: (id) => `/crawls/${id}`,
  night: (id) => `/schedules/nights/${id}`,
  failure: () => '/failures?state=all',
};

async function look(prisma: Prisma, noun: Noun, number: number, caller: Caller): Promise<Hit[]> {
  const found = await lookers[noun](prisma, number, caller);
  const id = publicId(noun, number);
  return found ? [{ kind: noun, id, ...found, href: pages[noun](id) }] : [];
}

/** What an id names: `track-12`, a bare number (whatever has it), or a job such as `preview-track-12-…`. */
export async function byId(session: Session, q: string, caller: Caller): Promise<Hit[]> {
  const { prisma } = session.database;
  const text = q.trim().toLowerCase();
  if (/^\d{1,9}$/.test(text)) {
    const all = await Promise.all(nouns.map((noun) => look(prisma, noun, Number(text), caller)));
    return all.flat();
  }
  const noun = nouns.find(
    (name) => text.startsWith(`${name}-`) && /^\d{1,9}$/.test(text.slice(name.length + 1)),
  );
  if (noun) return look(prisma, noun, Number(text.slice(noun.length + 1)), caller);
  const stage = stageNames.find((name) => text.startsWith(`${name}-`));
  return stage ? byJob(session, stage, q.trim(), caller) : [];
}

/** The job in its queue, if it is still there, and what it is about, whose id stands in its own. */
async function byJob(session: Session, stage: StageName, id: string, caller: Caller): Promise<Hit[]> {
  const { queues, database } = session;
  const hits: Hit[] = [];
  if (staff.includes(caller.role)) {
    const queue = queues.of(stage);
    const job = await queue.getJob(id);
    if (job) {
      const href = `/queues/queue/${encodeURIComponent(queue.name)}/${encodeURIComponent(id)}`;
      hits.push({ kind: 'job', id, title: `job of stage ${stage}`, note: await job.getState(), href });
    }
  }
  const about = id.slice(stage.length + 1).replace(/^explain-/, '');
  const [, what, number] = /^(track|song|model|batch|night|page|due)-(\d{1,9})(?:-|$)/.exec(about) ?? [];
  if (what === 'page') {
    const page = await database.prisma.searchPage.findUnique({ where: { id: Number(number) } });
    return page ? [...hits, ...(await look(database.prisma, 'crawl', page.crawlId, caller))] : hits;
  }
  if (what === undefined || what === 'due') return hits;
  return [...hits, ...(await look(database.prisma, what as Noun, Number(number), caller))];
}
