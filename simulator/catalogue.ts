/** Make a catalogue of synthesised music on disk: what the demo learns from, and what it ranks. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { stringify } from 'csv-stringify/sync';
import { CancelledError, UserError } from '../shared/errors.ts';
import { encodeTag } from './id3.ts';
import { encodeMp3 } from './mp3.ts';
import { musicRate, synthesise } from './music.ts';
import { type PlannedTrack, planTracks } from './plan.ts';

export interface CatalogueOptions {
  /** Folder to make; it may exist if an earlier call made it, or is empty. */
  out: string;
  tracks: number;
  /** How many further songs, by other artists, without a known popularity. */
  unheard: number;
  seed: number;
  /** Length of every song. */
  seconds: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface CatalogueSummary {
  /** Absolute paths. */
  manifest: string;
  unheardFolder: string;
  /** CSV: file, popularity; what the ranking is compared with, and nothing else. */
  truth: string;
  tracks: number;
  recordings: number;
  artists: number;
  unheard: number;
  secondsPerTrack: number;
  seed: number;
  /** Files made by this call; the others were there already. */
  made: number;
  wallSeconds: number;
}

/** Raise it when the same options sound different, so that an older catalogue is made anew. */
const generation = 1;
const stampName = '.simulated.json';

/**
 * Write `catalogue/*.mp3` with `catalogue/manifest.csv`, `unheard/*.mp3` and `unheard-truth.csv`.
 * The same options give the same bytes; a call that was interrupted goes on where it stopped.
 * @throws UserError when `out` holds something else
 * @throws CancelledError when `signal` is aborted
 */
export async function writeCatalogue(options: CatalogueOptions): Promise<CatalogueSummary> {
  const started = performance.now();
  const out = resolve(options.out);
  const { tracks, unheard, seed, seconds } = options;
  const known = planTracks({ tracks, seed, world: 'catalogue', reissues: 0.05 });
  const unknown = planTracks({ tracks: unheard, seed, world: 'unheard', reissues: 0 });
  await claimFolder(out, JSON.stringify({ generation, tracks, unheard, seed, seconds }));

  const jobs = [
    ...known.map((track) => ({ track, folder: join(out, 'catalogue') })),
    ...unknown.map((track) => ({ track, folder: join(out, 'unheard') })),
  ];
  const present = new Set<string>();
  for (const folder of new Set(jobs.map((job) => job.folder))) {
    for (const name of await readdir(folder)) present.add(join(folder, name));
  }
  let made = 0;
  for (const [index, { track, folder }] of jobs.entries()) {
    if (options.signal?.aborted) throw new CancelledError('making the catalogue was cancelled');
    const path = join(folder, track.file);
    if (!present.has(path)) {
      await writeWhole(path, renderTrack(track, seconds));
      made++;
      // Synthesis is a long computation: let signals and timers through.
      await breathe();
    }
    options.onProgress?.(index + 1, jobs.length);
  }

  const manifest = join(out, 'catalogue', 'manifest.csv');
  const truth = join(out, 'unheard-truth.csv');
  await writeWhole(manifest, manifestText(known));
  await writeWhole(
    truth,
    stringify(
      unknown.map(({ file, popularity }) => ({ file, popularity })),
      header,
    ),
  );
  return {
    manifest,
    unheardFolder: join(out, 'unheard'),
    truth,
    tracks: known.length,
    recordings: new Set(known.map(({ tags }) => tags.isrc)).size,
    artists: new Set(known.flatMap(({ tags }) => tags.artists)).size,
    unheard: unknown.length,
    secondsPerTrack: seconds,
    seed,
    made,
    wallSeconds: Math.round((performance.now() - started) / 10) / 100,
  };
}

/** A track as a file's bytes: MP3 with tags. */
export function renderTrack(track: PlannedTrack, seconds: number): Buffer {
  const samples = synthesise({ seed: track.songSeed, style: track.style, seconds });
  return Buffer.concat([encodeTag(track.tags), encodeMp3(samples, musicRate)]);
}

const header = { header: true } as const;

function manifestText(tracks: readonly PlannedTrack[]): string {
  const rows = tracks.map(({ file, tags, popularity }) => ({
    file,
    title: tags.title,
    artist: tags.artists.join('; '),
    album: tags.album,
    genre: tags.genre,
    release_date: tags.releaseDate,
    isrc: tags.isrc,
    popularity,
  }));
  return stringify(rows, header);
}

/** Take a folder for these options: what other options made there is removed, what others made is not. */
async function claimFolder(out: string, stamp: string): Promise<void> {
  await mkdir(out, { recursive: true });
  const before = await readFile(join(out, stampName), 'utf8').catch(() => null);
  if (before === null && (await readdir(out)).length > 0) {
    throw new UserError(`${out} is not empty and was not made by the simulator: name another folder`);
  }
  if (before !== stamp) {
    for (const name of ['catalogue', 'unheard', 'unheard-truth.csv']) {
      await rm(join(out, name), { recursive: true, force: true });
    }
    await writeWhole(join(out, stampName), stamp);
  }
  await mkdir(join(out, 'catalogue'), { recursive: true });
  await mkdir(join(out, 'unheard'), { recursive: true });
}

/** Under its name there is the whole file or none. */
async function writeWhole(path: string, content: string | Buffer): Promise<void> {
  const partial = `${path}.partial`;
  await writeFile(partial, content);
  await rename(partial, path);
}
