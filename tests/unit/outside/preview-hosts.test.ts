import { describe, expect, test } from 'vitest';
import { PermanentError, UserError } from '../../../shared/errors.ts';
import { createPreviewHosts, shown } from '../../../shared/outside/preview-hosts.ts';

const simulator = 'http://127.0.0.1:8080';
const hosts = createPreviewHosts(['p.scdn.co', '*.dzcdn.net', 'bücher.example'], simulator);

describe('which places previews may come from, by their spelling', () => {
  test.each([
    'https://p.scdn.co/mp3-preview/1?cid=2',
    'https://P.SCDN.CO/1',
    'https://p.scdn.co:443/1',
    'https://p%2Escdn.co/1',
    'https://ｐ.scdn.co/1',
    'https://cdn-preview-1.dzcdn.net/1',
    'https://a.b.c.dzcdn.net/1',
    'https://bücher.example/1',
    'https://xn--bcher-kva.example/1',
  ])('%s is allowed', (address) => expect(hosts.placeOf(new URL(address))).toBe('outside'));

  test.each<[string, RegExp]>([
    ['http://p.scdn.co/1', /https only/],
    ['ftp://p.scdn.co/1', /https only/],
    ['file:///etc/passwd', /https only/],
    ['data:audio/mpeg,x', /https only/],
    ['https://p.scdn.co:8443/1', /port 8443/],
    ['https://p.scdn.co:22/1', /port 22/],
    ['https://user@p.scdn.co/1', /user name/],
    ['https://:secret@p.scdn.co/1', /user name/],
    ['https://p.scdn.co@evil.example/1', /user name/],
    ['https://p.scdn.co./1', /not among/],
    ['https://xp.scdn.co/1', /not among/],
    ['https://a.p.scdn.co/1', /not among/],
    ['https://p.scdn.co.evil.example/1', /not among/],
    ['https://evil.example/p.scdn.co', /not among/],
    ['https://evil.example#p.scdn.co', /not among/],
    ['https://evil.example\\.dzcdn.net/', /not among/],
    ['https://dzcdn.net/1', /not among/],
    ['https://evildzcdn.net/1', /not among/],
    ['https://a.dzcdn.net.evil.example/1', /not among/],
    ['https://2130706433/1', /127\.0\.0\.1 is not among/],
    ['https://0x7f.1/1', /127\.0\.0\.1 is not among/],
    ['https://0177.0.0.1/1', /127\.0\.0\.1 is not among/],
    ['https://127.1/1', /127\.0\.0\.1 is not among/],
    ['https://①②⑦.0.0.1/1', /127\.0\.0\.1 is not among/],
    ['https://[::1]/1', /\[::1\] is not among/],
    ['https://[::ffff:127.0.0.1]/1', /not among/],
    ['https://p.scdn.co%00.evil.example/1', /./],
    // The simulator is one origin and nothing beside it.
    ['https://127.0.0.1:8080/1', /port 8080/],
    ['http://127.0.0.1:8081/1', /https only/],
    ['http://127.0.0.1/1', /https only/],
    ['http://localhost:8080/1', /https only/],
    ['http://127.0.0.2:8080/1', /https only/],
    ['http://[::1]:8080/1', /https only/],
    ['http://user@127.0.0.1:8080/1', /user name/],
  ])('%s is refused', (address, why) => {
    // What is no address at all is refused where it is read.
    if (!URL.canParse(address)) return;
    expect(() => hosts.placeOf(new URL(address))).toThrow(PermanentError);
    expect(() => hosts.placeOf(new URL(address))).toThrow(why);
  });

  test('the simulator is allowed where it is set, in each spelling of its origin', () => {
    for (const address of [`${simulator}/1`, 'http://0x7f.1:8080/1', 'http://2130706433:8080/1']) {
      expect(hosts.placeOf(new URL(address))).toBe('simulator');
      expect(() => createPreviewHosts(['p.scdn.co'], undefined).placeOf(new URL(address))).toThrow(
        PermanentError,
      );
    }
  });

  test('the refusal names the host and the setting, and neither a secret nor a query', () => {
    const refusal = () => hosts.placeOf(new URL('https://name:secret@evil.example/a?token=hidden'));
    expect(refusal).toThrow(/evil\.example/);
    expect(refusal).not.toThrow(/secret|hidden/);
    expect(() => hosts.placeOf(new URL('https://evil.example/a'))).toThrow(
      /PREVIEW_HOSTS allows p\.scdn\.co, \*\.dzcdn\.net/,
    );
  });

  test.each([
    '*',
    '*.',
    '',
    '*.1.2.3.4',
    'a*.b',
    '*.*.b',
    'https://a.b',
    'a.b/c',
    'a.b:443',
    'u@a.b',
    'a b',
    '*.[::1]',
  ])('the pattern %j is no host', (pattern) =>
    expect(() => createPreviewHosts([pattern], undefined)).toThrow(UserError),
  );

  test('an address is shown without what may be secret, and not at any length', () => {
    expect(shown(new URL('https://u:p@a.b:444/c/d?e=f#g'))).toBe('https://a.b:444/c/d');
    expect(shown(new URL(`https://a.b/${'c'.repeat(5_000)}`)).length).toBeLessThan(250);
  });
});
