import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText, decodeText } from '../../../shared/sources/folder/text-encoding.ts';

const text = 'file;title\nsong.mp3;Übermut – “Żółć”\n';
const utf16be = (value: string) => Buffer.from(value, 'utf16le').swap16();

describe('decodeText', () => {
  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 LE', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 BE', utf16be(`\ufeff${text}`)],
    ['UTF-16 LE', Buffer.from(text, 'utf16le')],
    ['UTF-16 BE', utf16be(text)],
  ])('reads %s (%#)', (encoding, bytes) => {
    expect(decodeText(bytes)).toEqual({ text, encoding });
  });

  it('reads what a western Windows calls CSV', () => {
    const bytes = Buffer.concat([
      Buffer.from('file,title\nsong.mp3,Beyonc'),
      Buffer.from([0xe9, 0x20, 0x80, 0x20, 0x93, 0x94, 0x96, 0x8a, 0x9f]),
    ]);
    expect(decodeText(bytes)).toEqual({
      text: 'file,title\nsong.mp3,Beyoncé € “”–ŠŸ',
      encoding: 'Windows-1252',
    });
  });

  it.each(['a\nb\n', 'a\r\nb\r\n', 'a\rb\r'])('makes one line end of all: %j', (written) => {
    expect(decodeText(Buffer.from(written))?.text).toBe('a\nb\n');
  });

  it('refuses what is not text', () => {
    expect(decodeText(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13, 0x49]))).toBeNull();
    expect(
      decodeText(Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256))),
    ).toBeNull();
    expect(decodeText(Buffer.from(`file\n${'x'.repeat(100_000)}\0`))).toBeNull();
  });

  it('keeps any text through UTF-8 and UTF-16 with a mark', () => {
    const printable = fc.string({ unit: 'grapheme' }).filter((value) => !value.startsWith('\ufeff'));
    fc.assert(
      fc.property(printable, (value) => {
        const wanted = value.replace(/\r\n?/g, '\n');
        expect(decodeText(Buffer.from(`\ufeff${value}`))?.text).toBe(wanted);
        expect(decodeText(Buffer.from(`\ufeff${value}`, 'utf16le'))?.text).toBe(wanted);
      }),
    );
  });
});

describe('cleanText', () => {
  it('makes text fit for a database', () => {
    expect(cleanText('  a\0b\nc\ud800 ')).toBe('a b c\ufffd');
  });
});
