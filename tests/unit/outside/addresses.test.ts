import { isIP } from 'node:net';
import { describe, expect, test } from 'vitest';
import { PermanentError } from '../../../shared/errors.ts';
import {
  guardedLookup,
  loopbackOnly,
  publicOnly,
  systemResolver,
} from '../../../shared/outside/addresses.ts';
import { forbidden } from './forbidden.ts';

/** Neighbours of those, which are open to the public. */
const allowed = [
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.1', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
  ...['128.0.0.1', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.0'],
  ...['192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255'],
  ...['2001:200::1', '2003::1', '2606:4700::1111', '2a00:1450:4001::1', '2001:dba::1'],
];

describe('which addresses previews may come from', () => {
  test.each(forbidden.flatMap(([what, ...all]) => all.map((address) => ({ what, address }))))(
    '$address is refused: $what',
    ({ what, address }) => {
      expect(isIP(address)).not.toBe(0);
      expect(publicOnly(address)).toContain(what);
    },
  );

  test.each(allowed)('%s is allowed', (address) => expect(publicOnly(address)).toBeNull());

  test.each(['', 'localhost', 'fe80::1%eth0', '2606:4700::1111%1', '127.1', '0x7f000001', '1.1.1.1 '])(
    'what is no plain address is refused: %j',
    (text) => expect(publicOnly(text)).toBe('not an address'),
  );

  test('the rule for the simulator allows this machine and nothing else', () => {
    for (const address of ['127.0.0.1', '127.1.2.3', '::1']) expect(loopbackOnly(address)).toBeNull();
    for (const address of [
      '10.0.0.1',
      '1.1.1.1',
      '0.0.0.0',
      '::',
      '::ffff:127.0.0.1',
      '169.254.169.254',
      'x',
    ])
      expect(loopbackOnly(address)).not.toBeNull();
  });
});

describe('the lookup of sockets', () => {
  const look = (addresses: string[], all: boolean) =>
    new Promise((resolve, reject) => {
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      guardedLookup(async () => found, publicOnly)('host.test', { all }, (error, address, family) =>
        error ? reject(error) : resolve(all ? address : [address, family]),
      );
    });

  test('gives out what it has judged, in both ways that sockets ask', async () => {
    expect(await look(['1.1.1.1', '2606:4700::1111'], true)).toEqual([
      { address: '1.1.1.1', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ]);
    expect(await look(['2606:4700::1111', '1.1.1.1'], false)).toEqual(['2606:4700::1111', 6]);
  });

  test('one forbidden address among good ones refuses them all', async () => {
    const refused = look(['1.1.1.1', '2606:4700::1111', '10.0.0.1'], true);
    await expect(refused).rejects.toThrow(PermanentError);
    await expect(refused).rejects.toThrow(/^host\.test leads to 10\.0\.0\.1, .* a private network/);
  });

  test('a name without addresses is worth another try', async () => {
    await expect(look([], true)).rejects.not.toThrow(PermanentError);
    await expect(look([], true)).rejects.toThrow('host.test stands for no address');
  });

  test('the resolver of the system gives all addresses', async () => {
    const found = await systemResolver('localhost');
    expect(found.length).toBeGreaterThan(0);
    for (const { address } of found) expect(loopbackOnly(address)).toBeNull();
  });
});
