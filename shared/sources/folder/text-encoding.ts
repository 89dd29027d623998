/**
 * Turn the bytes of a spreadsheet's CSV into text. Excel writes UTF-8 with a byte order mark,
 * UTF-16 ("Unicode text") or, as plain "CSV" on a western Windows, Windows-1252.
 */

export interface DecodedText {
  /** Without byte order mark, line ends as \n. */
  text: string;
  encoding: 'UTF-8' | 'UTF-16 LE' | 'UTF-16 BE' | 'Windows-1252';
}

/**
 * Decode text of unknown encoding.
 * @returns null when these bytes are not text
 */
export function decodeText(bytes: Uint8Array): DecodedText | null {
  const decoded = decode(bytes);
  if (looksBinary(decoded.text)) return null;
  return { ...decoded, text: decoded.text.replace(/\r\n?/g, '\n') };
}

function decode(bytes: Uint8Array): DecodedText {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16('UTF-16 LE', bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return utf16('UTF-16 BE', bytes);
  const zeros = zeroBytes(bytes);
  if (zeros === 'odd') return utf16('UTF-16 LE', bytes);
  if (zeros === 'even') return utf16('UTF-16 BE', bytes);
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), encoding: 'UTF-8' };
  } catch {
    return { text: windows1252(bytes), encoding: 'Windows-1252' };
  }
}

function utf16(encoding: 'UTF-16 LE' | 'UTF-16 BE', bytes: Uint8Array): DecodedText {
  const label = encoding === 'UTF-16 LE' ? 'utf-16le' : 'utf-16be';
  return { text: new TextDecoder(label).decode(bytes), encoding };
}

/**
 * UTF-16 without a byte order mark: every second byte of mostly western text is zero, and a
 * header is mostly western text.
 */
function zeroBytes(bytes: Uint8Array): 'odd' | 'even' | null {
  const sample = bytes.subarray(0, 1024);
  let odd = 0;
  let even = 0;
  for (const [index, byte] of sample.entries()) {
    if (byte !== 0) continue;
    if (index % 2 === 1) odd++;
    else even++;
  }
  const half = sample.length / 2;
  if (odd > half * 0.7 && even < half * 0.05) return 'odd';
  if (even > half * 0.7 && odd < half * 0.05) return 'even';
  return null;
}

// What Windows-1252 puts at 0x80 to 0x9f (https://encoding.spec.whatwg.org/index-windows-1252.txt).
// TextDecoder is not asked: some releases of Node take Latin-1 for it and lose these.
const windows1252Upper =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

function windows1252(bytes: Uint8Array): string {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return latin1.replace(/[\x80-\x9f]/g, (character) => windows1252Upper[character.charCodeAt(0) - 0x80]!);
}

/** Text holds no NUL, and next to no control characters other than tabs and line ends. */
function looksBinary(text: string): boolean {
  const sample = text.slice(0, 65_536);
  let controls = 0;
  for (let index = 0; index < sample.length; index++) {
    const code = sample.charCodeAt(index);
    if (code === 0) return true;
    if (code < 32 && !(code >= 9 && code <= 13)) controls++;
  }
  return text.includes('\0') || controls > sample.length * 0.01;
}

/** Make a text fit to be stored: well-formed Unicode, no control characters, no blanks around it. */
export function cleanText(text: string): string {
  return (
    Buffer.from(text, 'utf8')
      .toString('utf8')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
      .replace(/[\x00-\x1f\x7f]+/g, ' ')
      .trim()
  );
}
