/** The crawls as they stand: costly counts are shared by all who look, and made the seldomer the longer they take. */
import { LRUCache } from 'lru-cache';
import { describeCrawl } from '../../../producers/crawl.ts';
import type { Session } from '../../../producers/session.ts';
import type { Crawl } from '../../../shared/database/generated/client.ts';
import { publicId } from '../../../shared/identifiers.ts';
import { countFunnel, Watch } from './funnel.ts';
import { openFailures } from './open-failures.ts';
import type { CrawlDetail, CurrentCrawl, Funnel } from './schemas.ts';
import { Seldom } from './seldom.ts';
import { timeLeft } from './time-left.ts';
import { askedFor } from './words.ts';

/** So many crawls are kept in mind. */
const kept = 50;
/** Reasons of a crawl's failures that are shown. */
const reasonsShown = 20;
/** Partitions that brought less are listed up to so many. */
const shortShown = 200;

interface Counted {
  funnel: Funnel;
  failed: number;
  failures: CurrentCrawl['failures'];
}

interface Remembered {
  watch: Watch;
  counted: Seldom<Counted>;
  detail: Seldom<Pick<CrawlDetail, 'rows' | 'newRows' | 'recordings' | 'albums' | 'short'>>;
  earlier: Seldom<{ crawl: string; pages: number; tracks: number } | null>;
}

export class Crawls {
  readonly #session: Session;
  readonly #remembered = new LRUCache<number, Remembered>({ max: kept });

  constructor(session: Session) {
    this.#session = session;
  }

  /** The newest crawl that runs, else the newest. */
  async newest(): Promise<Crawl | null> {
    const { prisma } = this.#session.database;
    const running = await prisma.crawl.findFirst({ where: { state: 'running' }, orderBy: { id: 'desc' } });
    return running ?? prisma.crawl.findFirst({ orderBy: { id: 'desc' } });
  }

  /** @param stopped what stops the work now, in words */
  async describe(row: Crawl, stopped: readonly string[]): Promise<CurrentCrawl> {
    const { counted, watch, earlier } = this.#of(row);
    const { funnel, failed, failures } = await counted.get();
    const running = row.state === 'running';
    const searching = row.source === 'spotify' && row.searchedAt === null;
    const audio = row.parametersHash !== null;
    const rates = running ? watch.rates() : null;
    return {
      ...describeRow(row),
      ...{ funnel, rates, failed, failures },
      timeLeft: running
        ? timeLeft({
            ...{ funnel, rates, audio, searching, stopped },
            earlier: searching ? await earlier.get() : null,
          })
        : null,
    };
  }

  /** When what `describe` tells was counted, in milliseconds since 1970. */
  countedAt(row: Crawl): number {
    return this.#of(row).counted.readAt;
  }

  async detail(row: Crawl, stopped: readonly string[]): Promise<CrawlDetail> {
    const [current, detail] = await Promise.all([this.describe(row, stopped), this.#of(row).detail.get()]);
    return { ...current, honoursNot: row.honoursNot, ...detail };
  }

  #of(row: Crawl): Remembered {
    const known = this.#remembered.get(row.id);
    if (known) return known;
    const watch = new Watch();
    const remembered: Remembered = {
      watch,
      counted: new Seldom(async () => {
        const counted = await this.#count(row.id);
        watch.add(performance.now(), counted.funnel);
        return counted;
      }),
      detail: new Seldom(() => this.#detail(row.id), { share: 0.02 }),
      earlier: new Seldom(() => this.#earlier(row), { freshMs: 600_000 }),
    };
    this.#remembered.set(row.id, remembered);
    return remembered;
  }

  async #count(id: number): Promise<Counted> {
    const { pool, prisma } = this.#session.database;
    const [funnel, { open, reasons }] = await Promise.all([
      countFunnel(pool, id),
      openFailures(prisma, { crawlId: id }, reasonsShown),
    ]);
    return { funnel, failed: open, failures: reasons };
  }

  async #detail(id: number) {
    const { pages, tracks } = await describeCrawl(this.#session, id);
    const where = { crawlId: id, note: { contains: 'promised' } };
    const { prisma } = this.#session.database;
    const items = await prisma.partition.findMany({
      where,
      orderBy: { id: 'asc' },
      take: shortShown,
      select: { query: true, expected: true, total: true, note: true },
    });
    return {
      ...{ rows: pages.rows, newRows: pages.newRows, recordings: tracks.recordings, albums: tracks.albums },
      short: {
        total: await prisma.partition.count({ where }),
        items: items.map(({ note, ...item }) => ({ ...item, note: note ?? '' })),
      },
    };
  }

  /** What the last crawl of the same query came to. */
  async #earlier({ id, queryKey }: Crawl) {
    const { prisma } = this.#session.database;
    const before = await prisma.crawl.findFirst({
      where: { queryKey, state: 'done', id: { lt: id } },
      orderBy: { id: 'desc' },
      select: { id: true },
    });
    if (!before || queryKey === null) return null;
    return {
      crawl: publicId('crawl', before.id),
      pages: await prisma.searchPage.count({ where: { crawlId: before.id, state: 'done' } }),
      tracks: await prisma.crawlTrack.count({ where: { crawlId: before.id } }),
    };
  }
}

export function describeRow({ id, state, source, query, parametersHash, quota, ...row }: Crawl) {
  return {
    ...{ crawl: publicId('crawl', id), state, source, asked: askedFor(source, query) },
    ...{ audio: parametersHash !== null, quota, startedAt: row.startedAt.toISOString() },
    searchedAt: row.searchedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
