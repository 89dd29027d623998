/** How long a crawl will take, as far as that can be told. */
import type { Funnel, Rates, TimeLeft } from './schemas.ts';

export interface Outlook {
  funnel: Funnel;
  rates: Rates | null;
  audio: boolean;
  /** Whether pages are still asked: what they will bring is not known. */
  searching: boolean;
  /** What stops it now, in words; empty: nothing. */
  stopped: readonly string[];
  /** An earlier crawl of the same query. */
  earlier: { crawl: string; pages: number; tracks: number } | null;
}

/** One thing to be done: how many are left, how fast they go a minute, and how many of them were seen. */
interface Work {
  left: number;
  aMinute: number;
  seen: number;
}

/**
 * The range is what remains at the pace of the last minutes, give or take two standard errors of a count
 * (2 / sqrt(n) of n that were seen, and never less than a tenth). While pages are asked it is open above,
 * unless an earlier crawl of the same query says how much there is.
 */
export function timeLeft({ funnel, rates, audio, searching, stopped, earlier }: Outlook): TimeLeft {
  if (stopped.length > 0) return { known: false, basis: stopped.join('; ') };
  if (!rates) return { known: false, basis: 'it has to be watched for some seconds first' };
  const { pages, tracks } = funnel;
  const pagesLeft = Math.max(pages.queued, searching && earlier ? earlier.pages - pages.asked : 0);
  const expected = Math.max(tracks.found, searching && earlier ? earlier.tracks : 0);
  const minutes = rates.overSeconds / 60;
  const works: Work[] = [
    ...(searching ? [{ left: pagesLeft, aMinute: rates.pages, seen: rates.pages * minutes }] : []),
    ...(audio
      ? [{ left: expected - tracks.ready - tracks.failed, aMinute: rates.ended, seen: rates.ended * minutes }]
      : []),
  ].filter(({ left }) => left > 0);
  if (works.length === 0) return { known: false, basis: 'what is left is about to be closed' };
  if (works.some(({ seen }) => seen < 1)) {
    return { known: false, basis: `nothing has moved in the last ${inWords(rates.overSeconds)}` };
  }
  // Pages and audio are worked on side by side: the slower one decides.
  const ranges = works.map(rangeOf);
  const open = (searching && !earlier) || ranges.some(({ to }) => to === null);
  return {
    known: true,
    fromSeconds: Math.max(...ranges.map(({ from }) => from)),
    toSeconds: open ? null : Math.max(...ranges.map(({ to }) => to!)),
    basis: basisOf({ works, rates, audio, searching, earlier }),
  };
}

function rangeOf({ left, aMinute, seen }: Work): { from: number; to: number | null } {
  const error = Math.max(0.1, 2 / Math.sqrt(seen));
  const seconds = (60 * left) / aMinute;
  return { from: seconds / (1 + error), to: error < 1 ? seconds / (1 - error) : null };
}

function basisOf(facts: {
  works: readonly Work[];
  rates: Rates;
  audio: boolean;
  searching: boolean;
  earlier: Outlook['earlier'];
}): string {
  const { rates, audio, searching, earlier } = facts;
  const pace = [
    ...(searching ? [`${Math.round(rates.pages)} pages`] : []),
    ...(audio ? [`${Math.round(rates.ended)} tracks`] : []),
  ].join(' and ');
  const known = !searching
    ? 'all pages are asked'
    : earlier
      ? `${earlier.crawl} of the same query asked ${earlier.pages} pages and found ${earlier.tracks} tracks`
      : 'pages are still asked, and each may ask for more';
  return `at ${pace} a minute over the last ${inWords(rates.overSeconds)}; ${known}`;
}

const inWords = (seconds: number) =>
  seconds < 90 ? `${Math.round(seconds)} seconds` : `${Math.round(seconds / 60)} minutes`;
