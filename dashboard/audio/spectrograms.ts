/** Spectrograms as the pages draw them. */
import { bandEdges } from '../../shared/audio/mel.ts';
import type { SpectrogramParameters } from '../../shared/audio/parameters.ts';
import type { Database } from '../../shared/database/index.ts';

/** Frequencies that the axis names, in Hz. */
const named = [200, 500, 1_000, 2_000, 5_000, 10_000];

export interface ShownSpectrogram {
  /** Shape [bands][frames]. */
  levels: Uint8Array;
  facts: {
    bands: number;
    frames: number;
    /** Length of the excerpt. */
    seconds: number;
    /** Where it begins in the recording. */
    startSeconds: number;
    durationSeconds: number;
    ticks: { hz: number; place: number }[];
  };
}

/** Null where there is none. */
export async function readSpectrogram(
  { pool }: Database,
  contentHash: string,
  { hash, parameters }: { hash: string; parameters: SpectrogramParameters },
): Promise<ShownSpectrogram | null> {
  const { rows } = await pool.query<{
    bands: number;
    frames: number;
    levels: Buffer;
    duration: number;
    start: number;
  }>(
    `SELECT bands, frames, levels, duration_seconds AS duration, excerpt_start_seconds AS start
     FROM spectrograms WHERE content_hash = $1 AND parameters_hash = $2`,
    [contentHash, hash],
  );
  const row = rows[0];
  if (!row) return null;
  const { bands, frames, levels, duration, start } = row;
  const { hop, sampleRate } = parameters;
  const ticks = hop && sampleRate ? ticksOf(parameters) : [];
  return {
    levels,
    facts: {
      ...{ bands, frames, ticks, startSeconds: start, durationSeconds: duration },
      seconds: ((frames - 1) * hop) / sampleRate || duration,
    },
  };
}

/** Where frequencies stand among the bands, which are evenly spaced on the mel scale. */
export function ticksOf(parameters: SpectrogramParameters): { hz: number; place: number }[] {
  const edges = bandEdges(parameters);
  const last = edges.length - 1;
  return named.flatMap((hz) => {
    const above = edges.findIndex((edge) => edge >= hz);
    if (above <= 0) return [];
    const within = (hz - edges[above - 1]!) / (edges[above]! - edges[above - 1]!);
    return [{ hz, place: (above - 1 + within) / last }];
  });
}
