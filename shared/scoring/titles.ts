/** Which files are versions of one song: what is left of a name without the marks of versions. */

/** Words that say which version it is and nothing about the song. */
const words = [
  'v|ver|vers|version|rev|revision|take|try|attempt',
  'mix|mixdown|mixed|premix|premaster|remaster|master|mastered|mastering|mstr',
  'final|finals|fin|finished|done|last|latest|newest|new|old',
  'rough|demo|draft|wip|test|bounce|bounced|export|exported|render|rendered|print',
  'copy|kopie|backup|bak|edit|radio edit|fixed|updated?|louder|quieter|loud|unmastered',
].join('|');
const number = String.raw`[\s.#-]*\d{1,3}(?:\.\d{1,3})?[a-z]?`;
const date = String.raw`(?:19|20)\d\d[-._ ]?[01]\d[-._ ]?[0-3]\d|[0-3]?\d[-._][01]?\d[-._](?:19|20)?\d\d`;
const time = String.raw`[0-2]\d[-.:h]?[0-5]\d(?:[-.:][0-5]\d)?`;
const mark = String.raw`(?:(?:${words})(?:${number})?|(?:${date})(?:[\sT_-]+${time})?|\d{2,3}\s?bpm)`;
const gap = String.raw`[\s_.,;+&–—-]`;

/** `(mix 3)`, `[final]`, and the `(1)` of a second download. */
const bracketed = new RegExp(String.raw`[([{]\s*(?:${mark}(?:${gap}+${mark})*|\d{1,2})\s*[)\]}]`, 'gi');
const trailing = new RegExp(`(?:^|${gap}+)${mark}${gap}*$`, 'i');
const trackNumber = /^\d{1,2}\s*[-.)]\s+(?=\D)/;
const audioEnding = /\.(wav|wave|mp3|aiff?|flac|ogg|opus|m4a|mp4|aac|w64|caf|mka|webm)$/i;
const longest = 200;

/**
 * The title that versions of a song have in common.
 * @param name of a file, or the title that its tags give
 */
export function versionTitle(name: string): string {
  const whole = tidy(name.normalize('NFC').replace(audioEnding, '').replaceAll('_', ' '));
  let title = whole.replace(trackNumber, '');
  for (let before = ''; before !== title; ) {
    before = title;
    title = tidy(title.replace(bracketed, ' ').replace(trailing, ''));
  }
  return (title || whole || name).slice(0, longest);
}

function tidy(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/^[\s.,;–—-]+|[\s,;–—-]+$/g, '')
    .trim();
}
