import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Excerpts } from '../../../dashboard/audio/excerpts.ts';
import { spectrogramParameters } from '../../../shared/audio/parameters.ts';
import { CancelledError, CrowdedError } from '../../../shared/errors.ts';
import { Turns } from '../../../shared/turns.ts';

const parameters = spectrogramParameters();

/** A decoder that ends when it is told to, and what was asked of it. */
function desk() {
  const loaded: string[] = [];
  const decoding: { signal: AbortSignal; end: () => void }[] = [];
  const excerpts = new Excerpts(
    (bytes, _parameters, signal) =>
      new Promise((resolve, reject) => {
        signal!.addEventListener('abort', () => reject(new CancelledError('decoding was cancelled')));
        decoding.push({ signal: signal!, end: () => resolve(bytes) });
      }),
  );
  const get = (contentHash: string, signal = new AbortController().signal) =>
    excerpts.get({
      ...{ contentHash, parametersHash: 'p', parameters, signal },
      load: async () => {
        loaded.push(contentHash);
        return contentHash === 'none' ? null : Buffer.from(contentHash);
      },
    });
  return { loaded, decoding, get };
}

const soon = async () => {
  for (let i = 0; i < 5; i++) await turn();
};

test('one file is in memory at a time, and what is asked for twice is made once and then kept', async () => {
  const { loaded, decoding, get } = desk();
  const asked = [get('a'), get('a'), get('b')];
  await soon();
  expect([loaded, decoding.length]).toEqual([['a'], 1]);
  decoding[0]!.end();
  await soon();
  expect(loaded).toEqual(['a', 'b']);
  decoding[1]!.end();
  expect((await Promise.all(asked)).map(String)).toEqual(['a', 'a', 'b']);
  expect(String(await get('a'))).toBe('a');
  expect(await get('none')).toBeNull();
  expect(loaded).toEqual(['a', 'b', 'none']);
});

test('decoding is given up when all who asked have gone, and not before', async () => {
  const { decoding, get } = desk();
  const [one, other] = [new AbortController(), new AbortController()];
  const asked = Promise.allSettled([get('a', one.signal), get('a', other.signal)]);
  await soon();
  one.abort();
  expect(decoding[0]!.signal.aborted).toBe(false);
  other.abort();
  expect(decoding[0]!.signal.aborted).toBe(true);
  expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const again = get('a');
  await soon();
  decoding[1]!.end();
  expect(String(await again)).toBe('a');
});

test('a crowd is sent away, and a failure keeps nobody waiting', async () => {
  const turns = new Turns(1, 1);
  let fail = (_: Error) => {};
  const first = turns.run(() => new Promise<void>((_resolve, reject) => (fail = reject)));
  const leaving = new AbortController();
  const left = turns.run(async () => 'never', leaving.signal);
  await expect(turns.run(async () => {})).rejects.toThrow(CrowdedError);
  leaving.abort();
  await expect(left).rejects.toThrow(CancelledError);
  const second = turns.run(async () => 'its turn');
  fail(new Error('broken'));
  await expect(first).rejects.toThrow('broken');
  expect(await second).toBe('its turn');
  expect(await turns.run(async () => 'free')).toBe('free');
});
