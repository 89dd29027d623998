/** Numbers and times as people read them. One time zone on all pages: the browser's, named in the footer. */
export const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const whole = new Intl.NumberFormat('en');
const dateTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const dateOnly = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' });

/** 12,345 */
export const count = (value: number) => whole.format(value);

/** `1 track`, `12,345 tracks`. */
export const counted = (value: number, noun: string, plural = `${noun}s`) =>
  `${count(value)} ${value === 1 ? noun : plural}`;

/** `song` of `songs`, `entry` of `entries`, `batch` of `batches`. */
export const singular = (nouns: string) => nouns.replace(/ies$/, 'y').replace(/(?<=ch)es$|s$/, '');

const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });
const endings: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };

/** `63rd`, of a whole percentile of 0 to 100. */
export function percentileText(value: number): string {
  if (value <= 0) return 'below the 1st';
  if (value >= 100) return 'above the 99th';
  return `${value}${endings[ordinals.select(value)] ?? 'th'}`;
}

/** A share of 0 to 1 in whole percent. */
export const percent = (share: number) => `${Math.round(100 * share)} %`;

/** Three decimals without the leading zero, as ROC-AUCs are written: .841 */
export const figure = (value: number) => value.toFixed(3).replace(/^(-?)0\./, '$1.');

/** `.841 [.777 to .908]` */
export function withInterval(value: number | null, interval: readonly [number, number] | null): string {
  if (value === null) return 'not measured';
  return interval ? `${figure(value)} [${figure(interval[0])} to ${figure(interval[1])}]` : figure(value);
}

/** A moment, in the pages' time zone. */
export const moment = (iso: string | Date) => dateTime.format(new Date(iso));

/** A day that belongs to no time zone, e.g. of a release. */
export const day = (iso: string | Date) => dateOnly.format(new Date(iso));

/** `42 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`. @param seconds at least 0 */
export function duration(seconds: number): string {
  const rounded = Math.max(0, Math.round(seconds));
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3600) return join(Math.floor(rounded / 60), 'min', rounded % 60, 's');
  if (rounded < 86_400)
    return join(Math.floor(rounded / 3600), 'h', Math.floor((rounded % 3600) / 60), 'min');
  return join(Math.floor(rounded / 86_400), 'd', Math.floor((rounded % 86_400) / 3600), 'h');
}

const join = (big: number, bigUnit: string, small: number, smallUnit: string) =>
  small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;

/** `42 s ago`, of a moment in milliseconds or ISO. */
export const ago = (then: string | number | Date, now = Date.now()) =>
  `${duration((now - new Date(then).getTime()) / 1000)} ago`;

/** `3.4 MB` */
export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(0)} kB`;
  return value < 1e9 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}

/** A time in a schedule's own zone, which is named. */
export function inZone(at: string, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone });
  return `${format.format(new Date(at))} (${timeZone})`;
}

/** `2:05`, of seconds. */
export const clock = (seconds: number) =>
  `${Math.floor(seconds / 60)}:${Math.floor(seconds % 60)
    .toString()
    .padStart(2, '0')}`;

/** `200 Hz`, `1.5 kHz`. */
export const frequency = (hz: number) =>
  hz < 1000 ? `${Math.round(hz)} Hz` : `${Number((hz / 1000).toFixed(1))} kHz`;
