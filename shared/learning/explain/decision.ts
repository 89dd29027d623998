/** Which seconds and which bands carried a model's decision on a song. */

import { median } from '../threshold.ts';
import { checkFaithfulness, type Faithfulness, namedSegments } from './faithfulness.ts';
import type { Mask } from './filling.ts';
import { type BandGroup, type Grid, type Stretch, segmentCount } from './grid.ts';
import type { MaskedJudge } from './masked-judge.ts';
import type { Sanity } from './sanity.ts';
import { drawMasks, fitSurrogate } from './surrogate.ts';

/** Random masks for each segment, and the most of all. */
const masksASegment = 3;
const mostMasks = 640;
/** What is named beside the strongest has at least this share of its effect. */
const namedShare = 0.4;
/** A neighbour of the strongest stretch belongs to it with at least this share of its effect. */
const joinedShare = 0.5;
const mostNamed = 3;
/** A stretch stands out with at least this many times the mean effect of all. */
const outstanding = 2.5;

/** An effect is what something adds to the log odds of being popular: above 0 it speaks for the song. */
export interface Effect {
  readonly effect: number;
}

export interface Segment extends Stretch, BandGroup, Effect {
  /** By taking it alone away. */
  readonly occlusion: number;
  /** By the surrogate's coefficient. */
  readonly surrogate: number;
  /** Whether it is among those that the faithfulness check takes away. */
  readonly named: boolean;
}

export interface Decision {
  /** Of the whole song. */
  readonly logOdds: number;
  /** All segments, group after group, the lowest first. */
  readonly segments: readonly Segment[];
  /** Each whole stretch, and each whole group of bands. */
  readonly stretches: readonly (Stretch & Effect)[];
  readonly groups: readonly (BandGroup & Effect)[];
  /**
   * The stretches and groups that carried the decision, strongest first; of stretches the effect is what
   * they add beside the song's typical one.
   */
  readonly topSeconds: readonly (Stretch & Effect)[];
  /** Whether one stretch matters much more than the others; else the effect is spread over the song. */
  readonly momentStandsOut: boolean;
  readonly topBands: readonly (BandGroup & Effect)[];
  readonly surrogate: { readonly masks: number; readonly rSquared: number };
  readonly faithfulness: Faithfulness;
  /** Missing from explanations that were made before there was this check. */
  readonly sanity?: Sanity | undefined;
}

/**
 * Find out what carried the decision. Effects are those of taking away (occlusion) and of the surrogate,
 * averaged; the surrogate counts as much as it explains.
 *
 * @param seed the same gives the same.
 */
export async function explainDecision(judge: MaskedJudge, seed: number): Promise<Decision> {
  const { grid } = judge;
  const ask = (masks: readonly Mask[]) => judge.judge(masks);
  const cells = segmentCount(grid);
  const [base, ...alone] = await ask([new Uint8Array(cells), ...singleMasks(grid)]);
  const occlusion = alone.map((logOdds) => base! - logOdds);
  const masks = drawMasks(grid, Math.min(mostMasks, masksASegment * cells), seed);
  const { effects: linear, rSquared } = fitSurrogate(masks, await ask(masks));
  const trust = Math.max(0, Math.min(1, rSquared));
  const combine = (taken: number, fitted: number) => (taken + trust * fitted) / (1 + trust);
  /** Effects of whole stretches or groups, whose occlusions begin at `first`. */
  const effectsOf = <T>(parts: readonly T[], first: number, partOf: (segment: number) => number) =>
    parts.map((part, at) => {
      const fitted = linear.reduce((sum, value, segment) => (partOf(segment) === at ? sum + value : sum), 0);
      return { ...part, effect: combine(occlusion[first + at]!, fitted) };
    });

  const { stretchOf, groupOf } = partsOf(grid);
  const effects = Array.from(linear, (fitted, segment) => combine(occlusion[segment]!, fitted));
  const named = new Set(namedSegments(effects));
  const stretches = effectsOf(grid.stretches, cells, stretchOf);
  const groups = effectsOf(grid.groups, cells + grid.stretches.length, groupOf);
  return {
    logOdds: base!,
    segments: effects.map((effect, segment) => ({
      ...grid.groups[groupOf(segment)]!,
      ...grid.stretches[stretchOf(segment)]!,
      ...{ effect, occlusion: occlusion[segment]!, surrogate: linear[segment]! },
      named: named.has(segment),
    })),
    ...{ stretches, groups },
    topSeconds: topStretches(besideTypical(stretches)),
    momentStandsOut: standsOut(besideTypical(stretches)),
    topBands: strongest(groups),
    surrogate: { masks: masks.length, rSquared },
    faithfulness: await checkFaithfulness(effects, grid, base!, ask, seed),
  };
}

/** Which stretch and which group a segment belongs to. */
function partsOf({ stretches }: Grid) {
  return {
    stretchOf: (segment: number) => segment % stretches.length,
    groupOf: (segment: number) => Math.floor(segment / stretches.length),
  };
}

/** Each segment alone, then each whole stretch, then each whole group. */
function singleMasks(grid: Grid): Mask[] {
  const { stretchOf, groupOf } = partsOf(grid);
  const cells = segmentCount(grid);
  const where = (belongs: (segment: number) => boolean): Mask =>
    Uint8Array.from({ length: cells }, (_, segment) => (belongs(segment) ? 1 : 0));
  return [
    ...Array.from({ length: cells }, (_, one) => where((segment) => segment === one)),
    ...grid.stretches.map((_, at) => where((segment) => stretchOf(segment) === at)),
    ...grid.groups.map((_, at) => where((segment) => groupOf(segment) === at)),
  ];
}

/** Those that matter most. */
function strongest<T extends Effect>(items: readonly T[]): T[] {
  const sorted = [...items].sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  const least = namedShare * Math.abs(sorted[0]?.effect ?? 0);
  return sorted.filter(({ effect }) => effect !== 0 && Math.abs(effect) >= least).slice(0, mostNamed);
}

/**
 * How much more each stretch matters than the song's typical one. What is put in a stretch's place may
 * itself sound like something to a model, the same in every stretch: that is no moment. A stretch that is
 * only less for the song than others are does not speak against it, and counts nothing.
 */
function besideTypical<T extends Effect>(stretches: readonly T[]): T[] {
  const typical = median(stretches.map(({ effect }) => effect));
  return stretches.map((stretch) => {
    const beside = stretch.effect - typical;
    return { ...stretch, effect: beside > 0 === stretch.effect > 0 ? beside : 0 };
  });
}

function standsOut(items: readonly Effect[]): boolean {
  const sizes = items.map(({ effect }) => Math.abs(effect));
  return Math.max(...sizes) >= (outstanding * sizes.reduce((sum, size) => sum + size, 0)) / sizes.length;
}

/** The stretches that matter most, each with the neighbours that it goes on in, strongest first. */
function topStretches(stretches: readonly (Stretch & Effect)[]): (Stretch & Effect)[] {
  const named = new Set<number>();
  for (const peak of strongest(stretches)) {
    const belongs = (at: number) => (stretches[at]?.effect ?? 0) / peak.effect >= joinedShare;
    const at = stretches.indexOf(peak);
    for (let left = at; belongs(left); left--) named.add(left);
    for (let right = at; belongs(right); right++) named.add(right);
  }
  const spans: (Stretch & Effect)[] = [];
  for (const [at, stretch] of stretches.entries()) {
    if (!named.has(at)) continue;
    const before = spans.at(-1);
    const goesOn = before?.toSeconds === stretch.fromSeconds && before.effect > 0 === stretch.effect > 0;
    if (!goesOn) spans.push(stretch);
    else {
      const effect = before.effect + stretch.effect;
      spans[spans.length - 1] = { ...before, toSeconds: stretch.toSeconds, effect };
    }
  }
  return spans.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect)).slice(0, mostNamed);
}
