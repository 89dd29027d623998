/** An explanation in words. */
import type { ExplanationContent } from './content.ts';
import type { Decision, Effect } from './decision.ts';
import type { BandGroup, Stretch } from './grid.ts';
import { trustOf } from './trust.ts';

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
  const from = Math.round(fromSeconds);
  return `${clock(from)}–${clock(Math.max(from + 1, Math.round(toSeconds)))}`;
}

function bandText({ name, fromHz, toHz }: BandGroup): string {
  return `the ${name} (${frequency(fromHz)} to ${frequency(toHz)})`;
}

/** `a, b and c` */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** What carried the decision, where that passed its checks; else why it is not told. */
export function decisionSentences(decision: Decision): string[] {
  const { topSeconds, topBands, momentStandsOut } = decision;
  if (topSeconds.length === 0 && topBands.length === 0) {
    return ['Nothing that was taken away from the song moved its score.'];
  }
  if (trustOf(decision) !== 'trusted') return [trustSentence(decision)];
  const moments = momentStandsOut ? topSeconds : [];
  const sentences = [side('for', moments, topBands), side('against', moments, topBands)];
  const spread = momentStandsOut ? null : 'No moment stands out: it is spread over the song.';
  return [...sentences, spread, trustSentence(decision)].filter((sentence) => sentence !== null);
}

function side(
  direction: 'for' | 'against',
  seconds: readonly (Stretch & Effect)[],
  bands: readonly (BandGroup & Effect)[],
): string | null {
  const ofSide = ({ effect }: Effect) => (direction === 'for' ? effect > 0 : effect < 0);
  const when = seconds.filter(ofSide).map(stretchText);
  const where = bands.filter(ofSide).map(bandText);
  const parts = [...when, ...where];
  return parts.length > 0 ? `Speaks ${direction} it: ${listed(parts)}.` : null;
}

/** How an explanation did in its checks, in counts: more digits of log odds would say nothing more. */
function trustSentence(decision: Decision): string {
  const { faithfulness, sanity } = decision;
  const { checks, draws } = faithfulness;
  const figures = checks.map(({ direction, segments, change, better }) => {
    const parts = `${segments} ${segments === 1 ? 'part that speaks' : 'parts that speak'} ${direction} it`;
    const verb = direction === 'for' ? 'lower' : 'raise';
    const moved = `${verb}s its score, by more than random parts of that size in ${Math.round(better * draws)} of ${draws} draws`;
    return `taking away the ${parts} ${change > 0 ? moved : `does not ${verb} its score`}`;
  });
  const unknown = 'Which parts its score hangs on cannot be said';
  const models = sanity?.correlations.length ?? 0;
  switch (trustOf(decision)) {
    case 'trusted':
      return `Checked: ${figures.join('; ')}; and ${models} models with shuffled weights give another picture of this song (${likeness(sanity!)}).`;
    case 'unfaithful':
      return `${unknown}: those that were found matter to the model no more than random ones do${figures.length > 0 ? ` (${figures.join('; ')})` : ''}.`;
    case 'like random':
      return `${unknown}: ${models} models with shuffled weights, which have learned nothing, give nearly the same picture of this song (${likeness(sanity!)}).`;
    case 'unchecked':
      return `${unknown}: this explanation was made before explanations were compared with those of shuffled models. Explain the song again.`;
  }
}

function likeness({ alike, bound }: NonNullable<Decision['sanity']>): string {
  const figure = (value: number) => value.toFixed(2).replace(/^0/, '');
  return `mean rank correlation ${figure(alike)}; 1 is the same, below ${figure(bound)} is another`;
}

/** All of an explanation in plain sentences. */
export function explanationSentences(content: Omit<ExplanationContent, 'sentences'>): string[] {
  const { decision, tags, neighbours, dataSet, missing } = content;
  return [
    ...(decision ? decisionSentences(decision) : []),
    ...(tags ? [tagSentence(tags, dataSet)] : []),
    ...neighbourSentences(neighbours),
    ...missing,
  ];
}

function tagSentence(differences: NonNullable<ExplanationContent['tags']>, dataSet: string): string {
  const more = differences.filter(({ difference }) => difference > 0).map(({ tag }) => tag);
  const less = differences.filter(({ difference }) => difference < 0).map(({ tag }) => tag);
  const popular = `the popular tracks of ${dataSet}`;
  if (differences.length === 0) return `Its tags are those of ${popular}.`;
  const parts = [
    more.length > 0 ? `more ${listed(more)}` : '',
    less.length > 0 ? `less ${listed(less)}` : '',
  ];
  return `Sounds ${parts.filter((part) => part !== '').join(', ')} than ${popular}.`;
}

function neighbourSentences({ popular, unpopular }: ExplanationContent['neighbours']): string[] {
  const names = (tracks: ExplanationContent['neighbours']['popular']) =>
    tracks
      .map(({ title, artists }) => (artists.length > 0 ? `${title} by ${listed(artists)}` : title))
      .join('; ');
  return [
    ...(popular.length > 0 ? [`Nearest popular tracks: ${names(popular)}.`] : []),
    ...(unpopular.length > 0 ? [`Nearest other tracks: ${names(unpopular)}.`] : []),
  ];
}
