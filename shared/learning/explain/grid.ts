/** How a recording is cut into segments of time and frequency that can be taken away one by one. */
import { bandEdges, type MelSpectrogramParameters } from '../../audio/mel.ts';
import { taggerInput } from '../../tagger/input.ts';
import { patchFrames } from '../../tagger/weights.ts';

/** Seconds of the song, not of the excerpt that was looked at. */
export interface Stretch {
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

export interface BandGroup {
  readonly name: string;
  readonly fromHz: number;
  readonly toHz: number;
}

/** Segment i is of group floor(i / stretches) and stretch i mod stretches. */
export interface Grid {
  readonly stretches: readonly Stretch[];
  readonly groups: readonly BandGroup[];
}

/** What sound engineers call the parts of the spectrum, by where each begins, in hertz. */
const groupStarts: readonly (readonly [name: string, hz: number])[] = [
  ...([['sub-bass', 0] as const, ['bass', 100] as const, ['low mids', 250] as const] as const),
  ...([['mids', 500] as const, ['upper mids', 1_000] as const, ['presence', 2_000] as const] as const),
  ...([['brilliance', 4_000] as const, ['air', 7_000] as const] as const),
];

/** Half a patch of the tagger, so that few patches change when a stretch does. */
const halfPatchSeconds = (patchFrames * taggerInput.hop) / taggerInput.sampleRate / 2;
/** Fewer stretches are made of shorter ones, down to an eighth of a patch; more of longer ones. */
const fewestStretches = 8;
const mostStretches = 40;
/** Times that differ by less than this are the same, in seconds. */
const rounding = 1e-6;

/** What is cut: where it begins and ends, in seconds of the song. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Lay a grid over a recording: stretches of about 1.5 s, and bands by the names that engineers give them.
 *
 * @param spans what models hear of the song (the spectrogram, and the tagger's input where it is asked);
 *   edges are counted from the start of the last.
 * @param parameters of the spectrogram, whose bands the groups consist of.
 */
export function gridOf(spans: readonly [Span, ...Span[]], parameters: MelSpectrogramParameters): Grid {
  const start = Math.min(...spans.map((span) => span.start));
  const end = Math.max(...spans.map((span) => span.end));
  const unit = unitOf(end - start);
  const origin = spans.at(-1)!.start;
  const edges = [start];
  // No sliver at either end: what is left over goes to the neighbour.
  const first = Math.ceil((start + unit / 2 - origin) / unit);
  for (let at = first; origin + at * unit < end - unit / 2; at++) edges.push(origin + at * unit);
  edges.push(end);
  const stretches = edges.slice(1).map((to, index) => ({ fromSeconds: edges[index]!, toSeconds: to }));
  return { stretches, groups: groupsOf(parameters) };
}

function unitOf(seconds: number): number {
  let unit = halfPatchSeconds;
  for (let halved = 0; halved < 2 && seconds / unit < fewestStretches; halved++) unit /= 2;
  while (seconds / unit > mostStretches) unit *= 2;
  return unit;
}

function groupsOf({ minHz, maxHz, ...rest }: MelSpectrogramParameters): BandGroup[] {
  const centres = bandCentres({ minHz, maxHz, ...rest });
  const all = groupStarts.map(([name, hz], index) => {
    const next = groupStarts[index + 1]?.[1] ?? Number.POSITIVE_INFINITY;
    return { name, fromHz: Math.max(hz, minHz), toHz: Math.min(next, maxHz) };
  });
  return all.filter(({ fromHz, toHz }) => centres.some((hz) => hz >= fromHz && hz < toHz));
}

/** Where each band is strongest, in hertz. */
export function bandCentres(parameters: MelSpectrogramParameters): number[] {
  return bandEdges(parameters).slice(1, -1);
}

export function segmentCount({ stretches, groups }: Grid): number {
  return stretches.length * groups.length;
}

/** Which stretch each frame, and which group each band belongs to; -1 for none. */
export interface Placement {
  readonly stretchOf: Int32Array;
  readonly groupOf: Int32Array;
}

/**
 * Find the place of a spectrogram's frames and bands in the grid.
 * @param start where it begins, in seconds of the song.
 */
export function placementOf(
  { stretches, groups }: Grid,
  parameters: MelSpectrogramParameters,
  frames: number,
  start: number,
): Placement {
  const seconds = parameters.hop / parameters.sampleRate;
  const last = stretches.length - 1;
  const stretchOf = Int32Array.from({ length: frames }, (_, frame) => {
    const time = start + frame * seconds + rounding;
    const found = stretches.findIndex(
      ({ fromSeconds, toSeconds }) => time >= fromSeconds && time < toSeconds,
    );
    // The last frame is centred on the end.
    return found === -1 && time >= stretches[last]!.toSeconds ? last : found;
  });
  const groupOf = Int32Array.from(bandCentres(parameters), (hz) =>
    groups.findIndex(({ fromHz, toHz }) => hz >= fromHz && hz < toHz),
  );
  return { stretchOf, groupOf };
}
