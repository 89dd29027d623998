/** Release dates as people and spreadsheets write them. */
import { type Cell, quote } from './cells.ts';

/** Which of two numbers before the year is the day, in dates with slashes. */
export type SlashOrder = 'day first' | 'month first' | null;

const slashDate = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4})$/;
const earliestYear = 1860; // the oldest recording of music that still sounds is of 1860
const latestYear = 2100;

/**
 * Find out how one column writes dates with slashes: a spreadsheet writes all of them alike, so one
 * 31/12/2020 settles what 03/04/2020 means.
 * @returns null when nothing settles it, or when the column contradicts itself
 */
export function slashOrderOf(cells: Iterable<string>): SlashOrder {
  let dayFirst = false;
  let monthFirst = false;
  for (const cell of cells) {
    const match = slashDate.exec(cell.trim());
    if (!match) continue;
    if (Number(match[1]) > 12) dayFirst = true;
    if (Number(match[2]) > 12) monthFirst = true;
  }
  if (dayFirst === monthFirst) return null;
  return dayFirst ? 'day first' : 'month first';
}

/**
 * Read a release date: YYYY, YYYY-MM, YYYY-MM-DD (also with '/', '.' or none between, or a time
 * after it), DD.MM.YYYY, DD/MM/YYYY or MM/DD/YYYY where `order` or the numbers settle which, and the
 * day number that a spreadsheet shows for a date that lost its format (43831 is 2020-01-01).
 * @returns midnight UTC; the first of the month or year where the rest is not given
 */
export function parseReleaseDate(text: string, order: SlashOrder = null): Cell<Date> {
  const cell = text.trim();
  if (cell === '') return { value: null, reason: null };

  const iso = /^(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2})(?:[T ].*)?)?)?$/.exec(cell);
  if (iso) return dateOf(cell, iso[1], iso[3], iso[4]);
  const compact = /^(\d{4})(\d{2})(\d{2})$/.exec(cell);
  if (compact) return dateOf(cell, compact[1], compact[2], compact[3]);
  const dotted = /^(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})$/.exec(cell);
  if (dotted) return dateOf(cell, dotted[3], dotted[2], dotted[1]);
  const slashed = slashDate.exec(cell);
  if (slashed) return slashedDate(cell, slashed, order);
  if (/^[2-7]\d{4}$/.test(cell)) return spreadsheetDate(Number(cell));
  return { value: null, reason: `release date not understood: ${quote(cell)} (write YYYY-MM-DD)` };
}

function slashedDate(cell: string, match: RegExpExecArray, order: SlashOrder): Cell<Date> {
  const [, first, second, year] = match;
  const a = Number(first);
  const b = Number(second);
  if (a > 12 || a === b || (b <= 12 && order === 'day first')) return dateOf(cell, year, second, first);
  if (b > 12 || order === 'month first') return dateOf(cell, year, first, second);
  return {
    value: null,
    reason: `release date ${quote(cell)} can be read with the day or the month first (write YYYY-MM-DD)`,
  };
}

/** Days since 1899-12-30, which is how Excel and LibreOffice count from March 1900 on. */
function spreadsheetDate(days: number): Cell<Date> {
  return { value: new Date(Date.UTC(1899, 11, 30) + days * 86_400_000), reason: null };
}

function dateOf(cell: string, year: string | undefined, month = '1', day = '1'): Cell<Date> {
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  const date = new Date(Date.UTC(y, m - 1, d));
  const exists = date.getUTCFullYear() === y && date.getUTCMonth() === m - 1 && date.getUTCDate() === d;
  if (!exists || y < earliestYear || y > latestYear) {
    return { value: null, reason: `release date ${quote(cell)} is not a date` };
  }
  return { value: date, reason: null };
}
