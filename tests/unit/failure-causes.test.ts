import { expect, test } from 'vitest';
import { causeOf, withoutFolders } from '../../shared/failure-causes.ts';

test.each([
  [
    'the preview is not there any more: https://p.scdn.co/mp3-preview/1a2b answers with status 404',
    'the preview is not there any more: https://p.scdn.co/… answers with status 404',
  ],
  ['http://127.0.0.1:43/a/b.mp3: read ECONNRESET', 'http://127.0.0.1:43/…: read ECONNRESET'],
  [
    'https://cdn.example/x.mp3 gives no audio: this is a web page (HTML), not music',
    'https://cdn.example/… gives no audio: this is a web page (HTML), not music',
  ],
  ['line 12: popularity is not a number: "a lot"', 'popularity is not a number: “…”'],
  [
    'this file is too short: 0.42 s of sound, at least 1 s is needed',
    'this file is too short: … s of sound, at least 1 s is needed',
  ],
  [
    'this file is damaged: 7 of its 90 parts cannot be decoded',
    'this file is damaged: … of its … parts cannot be decoded',
  ],
  [
    'the weights of model-7 are damaged: train it again',
    'the weights of model-… are damaged: train it again',
  ],
  [
    "ENOENT: no such file or directory, open '/home/ada/music/a b.wav'",
    'ENOENT: no such file or directory, open “…”',
  ],
  [
    "ENOENT: no such file or directory, open '/home/jane doe/Don't stop/a.wav'",
    'ENOENT: no such file or directory, open “…”',
  ],
  ['/home/ada/music/one.wav is gone', '… is gone'],
  [
    "Deezer's answer is not what the job's payload asked",
    "Deezer's answer is not what the job's payload asked",
  ],
  ['neither Spotify nor Deezer offers a preview of this recording', undefined],
])('%s', (reason, cause) => expect(causeOf(reason)).toBe(cause ?? reason));

test('what tells causes apart stays', () => {
  const at = (status: number) => causeOf(`https://p.scdn.co/${status} answers with status ${status}`);
  expect(at(404)).not.toBe(at(503));
  expect(causeOf('x'.repeat(5_000))).toHaveLength(300);
});

test('a sentence is shown without folders, and with its addresses', () => {
  expect(withoutFolders('/srv/music/a.wav and https://example.org/b/c.mp3')).toBe(
    '…/a.wav and https://example.org/b/c.mp3',
  );
});

test.each([
  ["ENOENT, open '/home/jane doe/My Music/a b.wav'", "ENOENT, open '…/a b.wav'"],
  [`"C:\\Users\\jane doe\\Don't stop\\a.wav" is gone`, '"…/a.wav" is gone'],
  ["rename '/home/jane doe/a' -> '/home/jane doe/b/c'", "rename '…/a' -> '…/c'"],
  ['\'/tracks\' is no page, "a / b" no name', undefined],
])('%s is shown without folders, spaces or not', (text, shown) =>
  expect(withoutFolders(text)).toBe(shown ?? text),
);

test('files of a stack lose their folders, addresses of the web keep their path', () => {
  expect(withoutFolders('at f (file:///srv/app/dist/a.js:1:2) of https://x.example/a/b.mp3')).toBe(
    'at f (…/a.js:1:2) of https://x.example/a/b.mp3',
  );
});
