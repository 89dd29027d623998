/** Explanations of scored songs: read from the database, where a worker on any machine has put them, into files. */
import { basename, extname, join } from 'node:path';
import type { ExplanationContent } from '../shared/learning/explain/content.ts';
import { save } from './output.ts';
import type { Session } from './session.ts';

/** The explanation of a song, or why there is none. */
export type Explained =
  | { file: string; picture: string; json: string; content: ExplanationContent }
  | { file: string; error: string };

/**
 * Write the explanations of a batch to a folder, as `<song>.png` and `<song>.json` each.
 * @param count how many of the best songs were to be explained
 * @returns best song first
 */
export async function writeExplanations(
  session: Session,
  batchId: number,
  count: number,
  folder: string,
): Promise<Explained[]> {
  const rows = await session.database.prisma.score.findMany({
    where: { song: { batchId } },
    orderBy: [{ rank: 'asc' }, { songId: 'asc' }],
    take: count,
    include: {
      song: {
        include: {
          explanation: true,
          failures: { where: { stage: 'score', state: 'open' }, orderBy: { id: 'desc' } },
        },
      },
    },
  });
  const taken = new Set<string>();
  const written: Explained[] = [];
  for (const { song } of rows) {
    if (!song.explanation) {
      written.push({ file: song.file, error: song.failures[0]?.reason ?? 'it was not explained' });
      continue;
    }
    const name = freeName(song.file, taken);
    const content = song.explanation.content as unknown as ExplanationContent;
    const [picture, json] = [join(folder, `${name}.png`), join(folder, `${name}.json`)];
    await save(picture, song.explanation.picture);
    await save(json, `${JSON.stringify(content, null, 2)}\n`);
    written.push({ file: song.file, picture, json, content });
  }
  return written;
}

/** The song's name without its folder and ending; with a number where songs of two folders have the same. */
function freeName(file: string, taken: Set<string>): string {
  const name = basename(file, extname(file));
  let free = name;
  for (let number = 2; taken.has(free.toLowerCase()); number++) free = `${name}-${number}`;
  taken.add(free.toLowerCase());
  return free;
}
