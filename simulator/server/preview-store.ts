/** The audio behind the addresses: synthesised once and kept on disk, or clips of a folder. */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import workerpool from 'workerpool';
import { CancelledError, UserError } from '../../shared/errors.ts';
import { entryPoint } from '../../shared/paths.ts';
import type { World } from '../world/types.ts';
import { previewHash } from './preview-address.ts';
import { renderToFile } from './render.ts';
import type { FixedSettings } from './settings.ts';

const audioExtensions = new Set([
  ...['.mp3', '.wav', '.aif', '.aiff', '.flac', '.ogg', '.oga', '.opus', '.m4a', '.mp4', '.aac'],
]);

/** Raise it when the same recording sounds different, so that an older cache is not served. */
const generation = 1;

export interface PreviewStore {
  /** A recording's file; nothing is kept in memory. Calls for one recording share its making. */
  bytes(recording: number): Promise<Buffer>;
  /** Make previews before anybody asks for them. */
  prerender(recordings: Iterable<number>): Promise<void>;
  /** End the processes that synthesise, and remove a temporary folder. */
  close(): Promise<void>;
}

/** @throws UserError when the folder of clips holds none, or a folder cannot be used */
export async function openPreviewStore(world: World, settings: FixedSettings): Promise<PreviewStore> {
  return settings.audioFolder === null
    ? await openRenderedStore(world, settings)
    : await openClipStore(settings.audioFolder);
}

async function openClipStore(folder: string): Promise<PreviewStore> {
  const names = await readdir(folder).catch((error: Error) => {
    throw new UserError(`the folder of clips cannot be read: ${error.message}`);
  });
  const files = names.filter((name) => audioExtensions.has(extname(name).toLowerCase())).sort();
  if (files.length === 0) throw new UserError(`there is no audio file in ${folder}`);
  return {
    bytes: (recording) => readFile(join(folder, files[recording % files.length]!)),
    prerender: async () => {},
    close: async () => {},
  };
}

async function openRenderedStore(world: World, settings: FixedSettings): Promise<PreviewStore> {
  const { cacheFolder, previewSeconds, worldOptions } = settings;
  const root = cacheFolder ?? (await mkdtemp(join(tmpdir(), 'hiphop-previews-')));
  // Years and number are in the name because they shape the songs; a cache outlives a world.
  const name = worldOptions
    ? `seed${worldOptions.seed}-${worldOptions.years.join('-')}-of${worldOptions.tracks}`
    : `seed${world.seed}`;
  const folder = join(root, `${name}-${previewSeconds}s-v${generation}`);
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw new UserError(`previews cannot be kept: ${error.message}`);
  });

  const renderer = createRenderer(world, settings);
  const underWay = new Map<number, Promise<void>>();
  const make = (recording: number, path: string): Promise<void> => {
    let making = underWay.get(recording);
    if (!making) {
      making = renderer.render(recording, path).finally(() => underWay.delete(recording));
      underWay.set(recording, making);
    }
    return making;
  };
  const bytes = async (recording: number): Promise<Buffer> => {
    const path = join(folder, `${previewHash(world.seed, recording)}.mp3`);
    const kept = await readFile(path).catch(nullWhereMissing);
    if (kept) return kept;
    await make(recording, path);
    return await readFile(path);
  };
  return {
    bytes,
    async prerender(recordings) {
      // One iterator for all lanes: each takes the next. Few lanes, so that few files are in memory.
      const each = recordings[Symbol.iterator]();
      const lanes = Array.from({ length: Math.max(1, settings.renderers) }, async () => {
        for (let next = each.next(); !next.done; next = each.next()) await bytes(next.value);
      });
      await Promise.all(lanes);
    },
    async close() {
      await renderer.close();
      await Promise.allSettled(underWay.values());
      if (cacheFolder === null) await rm(root, { recursive: true, force: true });
    },
  };
}

interface Renderer {
  /** Write a recording's preview to a file: all of it or none. */
  render(recording: number, path: string): Promise<void>;
  close(): Promise<void>;
}

function createRenderer(world: World, { renderers, worldOptions, previewSeconds }: FixedSettings): Renderer {
  if (renderers === 0 || worldOptions === null) {
    return {
      render: (recording, path) => renderToFile(world, { recording, path, seconds: previewSeconds }),
      close: async () => {},
    };
  }
  // Processes and not threads: their memory is not this one's, and the encoder is C.
  const pool = workerpool.pool(entryPoint('simulator/server/render-process.ts'), {
    workerType: 'process',
    maxWorkers: renderers,
    forkArgs: [JSON.stringify(worldOptions)],
  });
  let closed = false;
  return {
    async render(recording, path) {
      try {
        await pool.exec('render', [{ recording, path, seconds: previewSeconds }]);
      } catch (error) {
        throw closed ? new CancelledError('the simulator was closed') : error;
      }
    },
    async close() {
      closed = true;
      // A child that was killed while idle is never reported as ended.
      await Promise.race([pool.terminate(true), sleep(1_000, undefined, { ref: false })]);
    },
  };
}

function nullWhereMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
