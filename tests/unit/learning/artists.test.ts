import { describe, expect, it } from 'vitest';
import { artistKey, isArtist } from '../../../shared/learning/artists.ts';

describe('isArtist', () => {
  it.each([
    '',
    '  ',
    '-',
    '?',
    '???',
    '—',
    '<Unknown>',
    'unknown',
    'Unknown Artist',
    'Various',
    'VARIOUS ARTISTS',
    'V.A.',
    'n/a',
    'N.A.',
    'null',
    'None',
    'Künstler unbekannt'.slice(9),
  ])('takes %j for no artist', (name) => expect(isArtist(name)).toBe(false));

  it.each(['Eminem', 'The Unknown', 'Various Cruelties', '!!!', 'Ø', '椎名林檎', 'A', '+/-'])(
    'takes %j for an artist',
    (name) => expect(isArtist(name)).toBe(true),
  );

  it('takes a missing name for no artist', () => {
    expect(isArtist(null)).toBe(false);
    expect(isArtist(undefined)).toBe(false);
  });
});

describe('artistKey', () => {
  it.each([
    ['Beyoncé', 'BEYONCE'],
    ['JAY-Z', 'Jay Z'],
    ['  A$AP  Rocky', 'aap rocky'],
    ['Weiß', 'WEISS'],
    ['Simon & Garfunkel', 'Simon and Garfunkel'],
    ['Motörhead', 'Moto\u0308rhead'],
    ['ＤＪ', 'dj'],
  ])('folds %j and %j into one', (a, b) => expect(artistKey(a)).toBe(artistKey(b)));

  it('keeps different names apart', () => {
    expect(artistKey('Nas')).not.toBe(artistKey('Nasty'));
    expect(artistKey('!!!')).not.toBe(artistKey('???!'));
  });
});
