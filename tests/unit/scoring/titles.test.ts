import { expect, test } from 'vitest';
import { versionTitle } from '../../../shared/scoring/titles.ts';

test.each([
  ['Night Bus v2.wav', 'Night Bus'],
  ['Night Bus mix 3.wav', 'Night Bus'],
  ['Night_Bus_MASTER_final2.mp3', 'Night Bus'],
  ['Night Bus (1).mp3', 'Night Bus'],
  ['Night Bus (Mix 3) [final].flac', 'Night Bus'],
  ['Night Bus 2024-05-01.wav', 'Night Bus'],
  ['Night Bus 20240501 v12 140bpm.wav', 'Night Bus'],
  ['Night Bus - radio edit.wav', 'Night Bus'],
  ['Night Bus rev. 4 copy (2).wav', 'Night Bus'],
  ['03 - Night Bus.wav', 'Night Bus'],
  ['Night Bus (feat. Somebody) v3.wav', 'Night Bus (feat. Somebody)'],
  // What belongs to the title stays.
  ['Song 2.mp3', 'Song 2'],
  ['99 Problems.mp3', '99 Problems'],
  ['Remix to Ignition.mp3', 'Remix to Ignition'],
  ['The New Old Thing.wav', 'The New Old Thing'],
  ['Something Old.wav', 'Something Old'],
  ['Something New.wav', 'Something New'],
  ['Henry V.mp3', 'Henry V'],
  ['Carbon Copy.wav', 'Carbon Copy'],
  ['Make It Last.wav', 'Make It Last'],
  // What is marked by a number, by brackets or as file managers do is a version.
  ['Henry V v2.mp3', 'Henry V'],
  ['Something Old (new).wav', 'Something Old'],
  ['Something Old new 2.wav', 'Something Old'],
  ['Night Bus - Copy.wav', 'Night Bus'],
  ['Night Bus - Copy (2).wav', 'Night Bus'],
  ['Night Bus copy 2.wav', 'Night Bus'],
  ['night bus DEMO.wav', 'night bus'],
  ['1999.wav', '1999'],
  // A name of nothing but marks is a name all the same.
  ['final mix v2.wav', 'final mix v2'],
  ['v2', 'v2'],
])('%s is a version of %s', (name, title) => {
  expect(versionTitle(name)).toBe(title);
});

test('a hostile name takes no time', () => {
  const started = performance.now();
  versionTitle(`${'mix '.repeat(5_000)}!`);
  versionTitle(`${'('.repeat(5_000)}${' '.repeat(5_000)}`);
  versionTitle(`a${'-. '.repeat(5_000)}b`);
  versionTitle(`a${' '.repeat(5_000)}- copy (2) b`);
  versionTitle(`a${' - copy'.repeat(5_000)} b`);
  expect(performance.now() - started).toBeLessThan(1_000);
});
