import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArtists, parseIsrc, parsePopularity } from '../../../shared/sources/folder/cells.ts';
import { parseReleaseDate, slashOrderOf } from '../../../shared/sources/folder/release-date.ts';

describe('parsePopularity', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['100', 100],
    [' 45 ', 45],
    ['45.5', 45.5],
    ['45,5', 45.5],
    ['+7', 7],
    ['.5', 0.5],
    ['5.', 5],
    ['1E+01', 10],
  ])('reads %j', (text, value) => expect(parsePopularity(text)).toEqual({ value, reason: null }));

  it('takes an empty cell for an unknown popularity', () => {
    expect(parsePopularity('  ')).toEqual({ value: null, reason: null });
  });

  it.each([
    'n/a',
    '-',
    'NaN',
    'Infinity',
    '0x10',
    '45%',
    '1.234,5',
    '1 000',
    '4 5',
    '12,3,4',
    ''.padEnd(99, '9'),
  ])('refuses %j', (text) => expect(parsePopularity(text).reason).toMatch(/popularity/));

  it.each(['-1', '100.1', '101', '1e3', '-0.5'])('refuses %j, out of range', (text) => {
    expect(parsePopularity(text).reason).toMatch(/0 to 100/);
  });

  it('reads every popularity in both notations', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (hundredths) => {
        const text = (hundredths / 100).toFixed(2);
        expect(parsePopularity(text).value).toBe(hundredths / 100);
        expect(parsePopularity(text.replace('.', ',')).value).toBe(hundredths / 100);
      }),
    );
  });
});

describe('parseIsrc', () => {
  it.each([
    'USRC17607839',
    'us-rc1-76-07839',
    ' US RC1 76 07839 ',
    'ISRC: US-RC1-76-07839',
    'US‑RC1‑76‑07839',
  ])('reads %j', (text) => expect(parseIsrc(text).value).toBe('USRC17607839'));
  it.each(['USRC1760783', 'USRC176078390', '12RC17607839', 'unknown'])('refuses %j', (text) => {
    expect(parseIsrc(text).reason).toContain(text);
  });
  it('takes an empty cell for none', () => expect(parseIsrc(' ').reason).toBeNull());
});

describe('parseArtists', () => {
  it.each([
    ['Tyler, The Creator', ['Tyler, The Creator']],
    ['Simon & Garfunkel', ['Simon & Garfunkel']],
    ['AC/DC', ['AC/DC']],
    ['Lil Nas X', ['Lil Nas X']],
    ['Earth, Wind & Fire; Guest', ['Earth, Wind & Fire', 'Guest']],
    ['A feat. B', ['A', 'B']],
    ['A ft. B Featuring C', ['A', 'B', 'C']],
    ['A (feat. B)', ['A', 'B']],
    ['A [Ft B & Co]', ['A', 'B & Co']],
    ['A; a ;  A  ', ['A']],
    ['Defeater', ['Defeater']],
    ['Daft. Punk', ['Daft. Punk']],
    [' ; ', []],
    ['', []],
  ])('%j', (text, artists) => expect(parseArtists(text)).toEqual(artists));
});

describe('parseReleaseDate', () => {
  const day = (text: string, order?: 'day first' | 'month first') =>
    parseReleaseDate(text, order ?? null)
      .value?.toISOString()
      .slice(0, 10);

  it.each([
    ['2020', '2020-01-01'],
    ['2020-03', '2020-03-01'],
    ['2020-03-09', '2020-03-09'],
    ['2020-3-9', '2020-03-09'],
    ['2020/03/09', '2020-03-09'],
    ['2020.03.09', '2020-03-09'],
    ['2020-03-09T12:30:00Z', '2020-03-09'],
    ['2020-03-09 00:00:00', '2020-03-09'],
    ['20200309', '2020-03-09'],
    ['9.3.2020', '2020-03-09'],
    ['09.03.2020', '2020-03-09'],
    ['31/12/2020', '2020-12-31'],
    ['12/31/2020', '2020-12-31'],
    ['05/05/2020', '2020-05-05'],
    ['29.02.2020', '2020-02-29'],
    ['43831', '2020-01-01'],
    ['44197', '2021-01-01'],
  ])('reads %j', (text, date) => expect(day(text)).toBe(date));

  it('does not guess whether the day or the month comes first', () => {
    expect(parseReleaseDate('03/04/2020')).toMatchObject({
      value: null,
      reason: expect.stringMatching(/day or the month/),
    });
    expect(day('03/04/2020', 'day first')).toBe('2020-04-03');
    expect(day('03/04/2020', 'month first')).toBe('2020-03-04');
  });

  it.each([
    '2021-02-29',
    '30.02.2020',
    '2020-13',
    '13/13/2020',
    '0000',
    '1066-10-14',
    '99999',
    '1.1.20',
    'soon',
    '202',
  ])('refuses %j', (text) =>
    expect(parseReleaseDate(text)).toMatchObject({ value: null, reason: expect.any(String) }),
  );

  it('reads back every day in every unambiguous notation', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1900-03-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
        (date) => {
          const iso = date.toISOString().slice(0, 10);
          const [y, m, d] = iso.split('-');
          for (const text of [iso, `${d}.${m}.${y}`, `${y}${m}${d}`, `${y}/${m}/${d}`])
            expect(day(text)).toBe(iso);
          expect(day(`${d}/${m}/${y}`, 'day first')).toBe(iso);
          expect(day(`${m}/${d}/${y}`, 'month first')).toBe(iso);
        },
      ),
    );
  });

  it('learns from a column which comes first', () => {
    expect(slashOrderOf(['01/02/2020', '31/01/2020'])).toBe('day first');
    expect(slashOrderOf(['01/02/2020', '01/31/2020'])).toBe('month first');
    expect(slashOrderOf(['01/02/2020', ''])).toBeNull();
    expect(slashOrderOf(['01/31/2020', '31/01/2020'])).toBeNull();
  });
});
