/** An explanation in words. */
import type { Decision, Effect } from './decision.ts';
import type { BandGroup, Stretch } from './grid.ts';

/** A time of the song, e.g. `0:12`. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A frequency, e.g. `250 Hz` or `2 kHz`. */
export function frequency(hz: number): string {
  return hz < 1_000 ? `${Math.round(hz)} Hz` : `${Math.round(hz / 100) / 10} kHz`;
}

function stretchText({ fromSeconds, toSeconds }: Stretch): string {
  return `${clock(Math.floor(fromSeconds + 0.25))}–${clock(Math.ceil(toSeconds - 0.25))}`;
}

function bandText({ name, fromHz, toHz }: BandGroup): string {
  return `the ${name} (${frequency(fromHz)} to ${frequency(toHz)})`;
}

/** `a, b and c` */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** What carried the decision, and how far that can be trusted. */
export function decisionSentences(decision: Decision): string[] {
  const { topSeconds, topBands, faithfulness } = decision;
  if (topSeconds.length === 0 && topBands.length === 0) {
    return ['Nothing that was taken away from the song moved its score.'];
  }
  const sentences = [
    side('Speaks for it', topSeconds, topBands, 1),
    side('Speaks against it', topSeconds, topBands, -1),
  ];
  return [...sentences.filter((sentence) => sentence !== null), trustSentence(faithfulness)];
}

function side(
  opening: string,
  seconds: readonly (Stretch & Effect)[],
  bands: readonly (BandGroup & Effect)[],
  sign: 1 | -1,
): string | null {
  const when = seconds.filter(({ effect }) => sign * effect > 0).map(stretchText);
  const where = bands.filter(({ effect }) => sign * effect > 0).map(bandText);
  if (when.length === 0 && where.length === 0) return null;
  if (where.length === 0) return `${opening}: ${listed(when)}.`;
  return `${opening}: ${when.length > 0 ? `${listed(when)}, and in pitch ` : ''}${listed(where)}.`;
}

function trustSentence({ checks, trusted }: Decision['faithfulness']): string {
  const figures = checks.map(
    ({ direction, segments, change, randomChange }) =>
      `without the ${segments} parts that speak ${direction} it the log odds ${direction === 'for' ? 'fall' : 'rise'} by ${change.toFixed(2)}, without random ones of the same size they move by ${randomChange.toFixed(2)}`,
  );
  if (trusted) return `Checked: ${figures.join('; ')}.`;
  const why = figures.length > 0 ? `: ${figures.join('; ')}` : '';
  return `This is not to be trusted: taking away what is named does not move the score more than taking away random parts${why}.`;
}
