/** Taking segments away: they are filled from another sound of the same size. */
import type { Spectrogram } from '../spectrograms.ts';
import type { Grid, Placement } from './grid.ts';

/** [segments]: 1 is taken away. */
export type Mask = Uint8Array;

/** The runs of frames that belong to one stretch: [stretch, from, to). */
function runsOf(stretchOf: Int32Array): [stretch: number, from: number, to: number][] {
  const runs: [number, number, number][] = [];
  for (const [frame, stretch] of stretchOf.entries()) {
    const last = runs.at(-1);
    if (last && last[0] === stretch) last[2] = frame + 1;
    else runs.push([stretch, frame, frame + 1]);
  }
  return runs.filter(([stretch]) => stretch >= 0);
}

/**
 * Copy a spectrogram without the segments of a mask.
 * @param fill levels of the same shape.
 */
export function withoutSegments(
  { levels, frames }: Spectrogram,
  mask: Mask,
  { stretches }: Grid,
  { stretchOf, groupOf }: Placement,
  fill: Uint8Array,
): Spectrogram {
  const filled = Uint8Array.from(levels);
  const runs = runsOf(stretchOf);
  for (const [band, group] of groupOf.entries()) {
    if (group < 0) continue;
    for (const [stretch, from, to] of runs) {
      if (mask[group * stretches.length + stretch] === 0) continue;
      const start = band * frames;
      filled.set(fill.subarray(start + from, start + to), start + from);
    }
  }
  return { levels: filled, frames };
}

/** Copy a log-mel spectrogram, shape [frames][bands], without the segments of a mask. */
export function withoutSegmentsLogMel(
  logMel: Float32Array,
  mask: Mask,
  { stretches }: Grid,
  { stretchOf, groupOf }: Placement,
  fill: Float32Array,
): Float32Array {
  const filled = Float32Array.from(logMel);
  const bands = groupOf.length;
  for (const [frame, stretch] of stretchOf.entries()) {
    if (stretch < 0) continue;
    for (const [band, group] of groupOf.entries()) {
      if (group >= 0 && mask[group * stretches.length + stretch] === 1) {
        filled[frame * bands + band] = fill[frame * bands + band]!;
      }
    }
  }
  return filled;
}
