/** What has a name that is searched for, as far as its asker may see it. */
import type { Session } from '../../../producers/session.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { type Caller, songOwners, staff } from '../../access/caller.ts';
import { findTracks } from '../catalogue/tracks.ts';
import { ownBatches } from '../songs/owned.ts';
import { pages } from './ids.ts';
import type { Hit } from './schemas.ts';

/** So many of each kind are told. */
export const mostOfAKind = 10;

type Search = (session: Session, q: string, caller: Caller) => Promise<Hit[]>;

const hit = (kind: 'track' | 'song' | 'batch' | 'model' | 'data-set' | 'crawl', number: number) => {
  const id = publicId(kind, number);
  return { kind, id, href: pages[kind](id) };
};
/** Anywhere in the name, whatever the case; newest first. */
const newestWith = <Field extends string>(field: Field, q: string) =>
  ({
    where: { [field]: { contains: q, mode: 'insensitive' } } as {
      [name in Field]: { contains: string; mode: 'insensitive' };
    },
    orderBy: { id: 'desc' },
    take: mostOfAKind,
  }) as const;

const searches: readonly [readonly Caller['role'][], Search][] = [
  [['viewer', 'artist', 'operator'], tracks],
  [songOwners, songs],
  [songOwners, batches],
  [['viewer', 'artist', 'operator'], models],
  [['viewer', 'artist', 'operator'], dataSets],
  [staff, crawls],
  [staff, schedules],
];

export async function byName(session: Session, q: string, caller: Caller): Promise<Hit[]> {
  const allowed = searches.filter(([roles]) => roles.includes(caller.role));
  return (await Promise.all(allowed.map(([, search]) => search(session, q, caller)))).flat();
}

/** Words of title and artists, in any order, or an ISRC. */
async function tracks({ database }: Session, q: string): Promise<Hit[]> {
  const found = await findTracks(database, { search: q }, { sort: 'id', offset: 0, limit: mostOfAKind });
  return found.map(({ id, title, artists }) => ({
    ...{ kind: 'track' as const, id, title: title || id, note: artists.join(', ') || null },
    href: pages.track(id),
  }));
}

async function songs({ database }: Session, q: string, caller: Caller): Promise<Hit[]> {
  const { where, ...newest } = newestWith('file', q);
  const rows = await database.prisma.song.findMany({
    where: { ...where, batch: ownBatches(caller) },
    ...newest,
    select: { id: true, file: true, batch: { select: { id: true, name: true } } },
  });
  return rows.map(({ id, file, batch }) => ({
    ...{ ...hit('song', id), title: file, note: batch.name ?? publicId('batch', batch.id) },
  }));
}

async function batches({ database }: Session, q: string, caller: Caller): Promise<Hit[]> {
  const { where, ...newest } = newestWith('name', q);
  const rows = await database.prisma.scoreBatch.findMany({
    where: { ...where, ...ownBatches(caller) },
    ...newest,
    select: { id: true, name: true, state: true },
  });
  return rows.map(({ id, name, state }) => ({ ...hit('batch', id), title: name ?? '', note: state }));
}

async function models({ database }: Session, q: string): Promise<Hit[]> {
  const rows = await database.prisma.model.findMany({
    ...newestWith('name', q),
    select: { id: true, name: true, state: true, dataSet: { select: { name: true } } },
  });
  return rows.map(({ id, name, state, dataSet }) => ({
    ...{ ...hit('model', id), title: name, note: `${state}, on ${dataSet.name}` },
  }));
}

async function dataSets({ database }: Session, q: string): Promise<Hit[]> {
  const rows = await database.prisma.dataSet.findMany({
    ...newestWith('name', q),
    select: { id: true, name: true },
  });
  return rows.map(({ id, name }) => ({ ...hit('data-set', id), title: name, note: null }));
}

/** By what was asked for, such as a genre. */
async function crawls({ database }: Session, q: string): Promise<Hit[]> {
  const { rows } = await database.pool.query<{ id: number; source: string; genre: string; state: string }>(
    `SELECT id, source, coalesce(query->>'genre', '') AS genre, state FROM crawls
     WHERE strpos(lower(source || ' ' || coalesce(query->>'genre', '')), lower($1)) > 0
     ORDER BY id DESC LIMIT ${mostOfAKind}`,
    [q],
  );
  return rows.map(({ id, source, genre, state }) => ({
    ...{ ...hit('crawl', id), title: [source, genre].filter(Boolean).join(': '), note: state },
  }));
}

async function schedules({ database }: Session, q: string): Promise<Hit[]> {
  const rows = await database.prisma.schedule.findMany({
    ...newestWith('name', q),
    select: { name: true, paused: true },
  });
  return rows.map(({ name, paused }) => ({
    ...{
      kind: 'schedule' as const,
      id: name,
      title: name,
      note: paused ? 'paused' : null,
      href: '/schedules',
    },
  }));
}
