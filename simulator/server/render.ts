import { randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import type { World } from '../world/types.ts';

export interface RenderTask {
  recording: number;
  /** Where the MP3 is to be. */
  path: string;
  seconds: number;
}

/** Synthesise a preview into a file. Under its name there is the whole file or none, whoever else writes it. */
export async function renderToFile(world: World, { recording, path, seconds }: RenderTask): Promise<void> {
  const partial = `${path}.${randomUUID()}.partial`;
  await writeFile(partial, world.renderPreview(recording, seconds));
  await rename(partial, path);
}
