/** An explanation as a picture: the spectrogram in grey, what speaks for the song in one colour, against in another. */
import { encode } from 'fast-png';
import type { MelSpectrogramParameters } from '../../audio/mel.ts';
import type { Spectrogram } from '../spectrograms.ts';
import type { Decision } from './decision.ts';
import { bandCentres, type Span } from './grid.ts';
import { type Box, element, label, line, rectangle, renderPng } from './svg.ts';
import { type Trust, trustOf } from './trust.ts';
import { clock, frequency } from './words.ts';

export interface PictureOptions {
  readonly spectrogram: Spectrogram;
  readonly parameters: MelSpectrogramParameters;
  /** Where the spectrogram lies, in seconds of the song. */
  readonly span: Span;
  /** Null: the spectrogram alone. */
  readonly decision: Decision | null;
  readonly title: string;
  /** Under the title. */
  readonly subtitle: string;
}

export const pictureWidth = 1_200;
export const pictureHeight = 584;
const plot: Box = { x: 88, y: 92, width: 868, height: 368 };
const underPlot: Box = { x: plot.x, y: 494, width: plot.width, height: 56 };
const besidePlot: Box = { x: 1_070, y: plot.y, width: 100, height: plot.height };

// Vermillion and blue of M. Okabe and K. Ito, "Color universal design", 2008: colour-blind people tell them apart.
const colourFor = '#d55e00';
const colourAgainst = '#0072b2';
const ink = '#222222';
const faint = '#8a8a8a';
const mostOpacity = 0.72;
/** Fainter segments are left grey, as a share of the strongest. */
const leastShown = 0.08;
const labelledHz = [100, 250, 500, 1_000, 2_000, 4_000, 7_000, 10_000];
/** Characters of a title that fit into the picture. */
const titleLength = 84;

const colourOf = (effect: number): string => (effect > 0 ? colourFor : colourAgainst);

/** Over a picture without colours, where a model was asked. */
const refusals: Readonly<Record<Exclude<Trust, 'trusted'>, string>> = {
  unfaithful: 'nothing is coloured: the parts that were found move the score no more than random parts do',
  'like random': 'nothing is coloured: models that have learned nothing give nearly the same picture',
  unchecked: 'nothing is coloured: the explanation was not compared with those of shuffled models',
};

/**
 * Draw the picture; the parts are coloured only where the explanation passed its checks.
 * @returns a PNG file of `pictureWidth` x `pictureHeight`.
 */
export async function drawExplanation(options: PictureOptions): Promise<Uint8Array> {
  const trust = options.decision && trustOf(options.decision);
  const decision = trust === 'trusted' ? options.decision : null;
  const scale = new Scale(options);
  return renderPng(pictureWidth, pictureHeight, [
    ...heading(options, trust),
    element('image', {
      ...scale.spectrogramBox(),
      preserveAspectRatio: 'none',
      href: `data:image/png;base64,${Buffer.from(greyImage(options.spectrogram)).toString('base64')}`,
    }),
    ...(decision
      ? [...overlay(decision, scale), ...stretchBars(decision, scale), ...groupBars(decision, scale)]
      : []),
    rectangle(plot, { fill: 'none', stroke: ink, 'stroke-width': 1 }),
    ...axes(scale, decision !== null),
  ]);
}

/** Where seconds and hertz lie in the plot. */
class Scale {
  readonly start: number;
  readonly end: number;
  readonly #span: Span;
  readonly #centres: readonly number[];

  constructor({ span, decision, parameters }: PictureOptions) {
    this.#span = span;
    this.start = Math.min(span.start, decision?.stretches[0]?.fromSeconds ?? span.start);
    this.end = Math.max(span.end, decision?.stretches.at(-1)?.toSeconds ?? span.end);
    this.#centres = bandCentres(parameters);
  }

  x(seconds: number): number {
    return plot.x + ((seconds - this.start) / (this.end - this.start)) * plot.width;
  }

  /** Between the bands below a frequency and those from it on. */
  y(hz: number): number {
    const found = this.#centres.findIndex((centre) => centre >= hz);
    const below = found === -1 ? this.#centres.length : found;
    return plot.y + plot.height * (1 - below / this.#centres.length);
  }

  box(from: { seconds: number; hz: number }, to: { seconds: number; hz: number }): Box {
    const [left, top] = [this.x(from.seconds), this.y(to.hz)];
    return { x: left, y: top, width: this.x(to.seconds) - left, height: this.y(from.hz) - top };
  }

  spectrogramBox(): Box {
    const left = this.x(this.#span.start);
    return { x: left, y: plot.y, width: this.x(this.#span.end) - left, height: plot.height };
  }
}

/** Loud is dark, the lowest band is at the bottom. */
function greyImage({ levels, frames }: Spectrogram): Uint8Array {
  const bands = levels.length / frames;
  const data = new Uint8Array(levels.length);
  for (let band = 0; band < bands; band++) {
    for (let frame = 0; frame < frames; frame++) {
      data[(bands - 1 - band) * frames + frame] = 255 - 0.7 * levels[band * frames + frame]!;
    }
  }
  return encode({ width: frames, height: bands, data, channels: 1, depth: 8 });
}

function heading({ title, subtitle }: PictureOptions, trust: Trust | null): string[] {
  const short = title.length > titleLength ? `${title.slice(0, titleLength - 1)}…` : title;
  const key = (x: number, colour: string, words: string) => [
    rectangle({ x, y: 64, width: 13, height: 13 }, { fill: colour, 'fill-opacity': mostOpacity }),
    label(words, x + 20, 75, { 'font-size': 13, fill: ink }),
  ];
  return [
    label(short, plot.x, 32, { 'font-size': 19, 'font-weight': 700, fill: ink }),
    label(subtitle, plot.x, 54, { 'font-size': 13, fill: '#555555' }),
    ...(trust === 'trusted'
      ? [
          ...key(plot.x, colourFor, 'speaks for the song'),
          ...key(plot.x + 190, colourAgainst, 'speaks against it'),
        ]
      : []),
    ...(trust === null || trust === 'trusted'
      ? []
      : [label(refusals[trust], plot.x, 75, { 'font-size': 13, 'font-weight': 700, fill: '#b00020' })]),
  ];
}

function overlay({ segments }: Decision, scale: Scale): string[] {
  const most = Math.max(...segments.map(({ effect }) => Math.abs(effect)));
  return segments.flatMap(({ effect, named, ...segment }) => {
    const strength = most > 0 ? Math.abs(effect) / most : 0;
    if (strength < leastShown) return [];
    const box = scale.box(
      { seconds: segment.fromSeconds, hz: segment.fromHz },
      { seconds: segment.toSeconds, hz: segment.toHz },
    );
    const fill = { fill: colourOf(effect), 'fill-opacity': mostOpacity * strength };
    return [rectangle(box, named ? { ...fill, stroke: colourOf(effect), 'stroke-width': 1.5 } : fill)];
  });
}

function stretchBars({ stretches }: Decision, scale: Scale): string[] {
  const most = Math.max(...stretches.map(({ effect }) => Math.abs(effect)), Number.MIN_VALUE);
  const middle = underPlot.y + underPlot.height / 2;
  const bars = stretches.map(({ fromSeconds, toSeconds, effect }) => {
    const height = (Math.abs(effect) / most) * (underPlot.height / 2);
    const box = {
      ...{ x: scale.x(fromSeconds) + 1, width: Math.max(1, scale.x(toSeconds) - scale.x(fromSeconds) - 2) },
      ...{ y: effect > 0 ? middle - height : middle, height },
    };
    return rectangle(box, { fill: colourOf(effect), 'fill-opacity': mostOpacity });
  });
  return [
    ...bars,
    line(underPlot.x, middle, underPlot.x + underPlot.width, middle, { stroke: faint, 'stroke-width': 1 }),
  ];
}

function groupBars({ groups }: Decision, scale: Scale): string[] {
  const most = Math.max(...groups.map(({ effect }) => Math.abs(effect)), Number.MIN_VALUE);
  const middle = besidePlot.x + besidePlot.width / 2;
  const bars = groups.flatMap(({ name, fromHz, toHz, effect }) => {
    const width = (Math.abs(effect) / most) * (besidePlot.width / 2);
    const [top, bottom] = [scale.y(toHz), scale.y(fromHz)];
    const box = {
      x: effect > 0 ? middle : middle - width,
      y: top + 1,
      width,
      height: Math.max(1, bottom - top - 2),
    };
    return [
      rectangle(box, { fill: colourOf(effect), 'fill-opacity': mostOpacity }),
      label(name, plot.x + plot.width + 14, (top + bottom) / 2 + 4, { 'font-size': 12, fill: ink }),
    ];
  });
  return [
    ...bars,
    line(middle, besidePlot.y, middle, besidePlot.y + besidePlot.height, {
      stroke: faint,
      'stroke-width': 1,
    }),
  ];
}

function axes(scale: Scale, withBars: boolean): string[] {
  const small = { 'font-size': 12, fill: ink };
  const step = tickSeconds(scale.end - scale.start);
  const bottom = plot.y + plot.height;
  const marks: string[] = [];
  for (let time = Math.ceil(scale.start / step) * step; time <= scale.end; time += step) {
    const x = scale.x(time);
    marks.push(line(x, bottom, x, bottom + 5, { stroke: ink, 'stroke-width': 1 }));
    marks.push(label(clock(time), x, bottom + 20, { ...small, 'text-anchor': 'middle' }));
  }
  for (const hz of labelledHz) {
    const y = scale.y(hz);
    if (y <= plot.y) continue;
    marks.push(line(plot.x - 5, y, plot.x, y, { stroke: ink, 'stroke-width': 1 }));
    marks.push(label(frequency(hz), plot.x - 9, y + 4, { ...small, 'text-anchor': 'end' }));
  }
  const note = { 'font-size': 12, fill: '#555555', 'text-anchor': 'middle' };
  const effects = withBars ? '; bars: effect of each stretch' : '';
  marks.push(
    label(`time in the song (minutes:seconds)${effects}`, plot.x + plot.width / 2, pictureHeight - 18, note),
  );
  if (withBars) marks.push(label('effect of each band', besidePlot.x + 20, plot.y - 12, note));
  return marks;
}

function tickSeconds(seconds: number): number {
  return [1, 2, 5, 10, 15, 30, 60].find((step) => seconds / step <= 12) ?? 120;
}
