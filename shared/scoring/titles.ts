/** Which files are versions of one song: what is left of a name without the marks of versions. */

/** Words that say which version it is and nothing about the song, wherever they end a name. */
const clear = [
  'mix|mixdown|premix|premaster|remaster|master|mastered|unmastered|mstr',
  'final|finals|rough|demo|draft|wip|bounce|radio edit',
].join('|');
/** Words that end many a song's own name too: they need a number, or brackets. */
const ambiguous = [
  'v|ver|vers|version|rev|revision|take|try|attempt|mixed|mastering',
  'fin|finished|done|last|latest|newest|new|old|test|print|render|rendered|export|exported|bounced',
  'copy|kopie|backup|bak|edit|fixed|updated?|louder|quieter|loud',
].join('|');
const words = `${clear}|${ambiguous}`;
const number = String.raw`[\s.#-]*\d{1,3}(?:\.\d{1,3})?[a-z]?`;
const date = String.raw`(?:19|20)\d\d[-._ ]?[01]\d[-._ ]?[0-3]\d|[0-3]?\d[-._][01]?\d[-._](?:19|20)?\d\d`;
const time = String.raw`[0-2]\d[-.:h]?[0-5]\d(?:[-.:][0-5]\d)?`;
const dated = String.raw`(?:${date})(?:[\sT_-]+${time})?|\d{2,3}\s?bpm`;
const gap = String.raw`[\s_.,;+&–—-]`;
/** Within brackets, and at the end of a name. */
const inside = `(?:(?:${words})(?:${number})?|${dated})`;
const atEnd = `(?:(?:${clear})(?:${number})?|(?:${ambiguous})${number}|${dated})`;

/** `(mix 3)`, `[final]`, and the `(1)` of a second download. */
const bracketed = new RegExp(String.raw`[([{]\s*(?:${inside}(?:${gap}+${inside})*|\d{1,2})\s*[)\]}]`, 'gi');
const trailing = new RegExp(`(?:^|${gap}+)${atEnd}${gap}*$`, 'i');
/** As file managers name a second one: `song - Copy (2)`, `song copy 2`. */
const copied = /\s+(?:[-–—]\s*(?:copy|kopie)|(?:copy|kopie)\s*\(\d{1,3}\))\s*(?:\(\d{1,3}\)\s*)?$/i;
const trackNumber = /^\d{1,2}\s*[-.)]\s+(?=\D)/;
const audioEnding = /\.(wav|wave|mp3|aiff?|flac|ogg|opus|m4a|mp4|aac|w64|caf|mka|webm)$/i;
const longest = 200;

/**
 * The title that versions of a song have in common, but for its case: whoever compares folds that.
 * @param name of a file, or the title that its tags give
 */
export function versionTitle(name: string): string {
  const whole = tidy(name.normalize('NFC').replace(audioEnding, '').replaceAll('_', ' '));
  let title = whole.replace(trackNumber, '');
  for (let before = ''; before !== title; ) {
    before = title;
    title = tidy(title.replace(copied, '').replace(bracketed, ' ').replace(trailing, ''));
  }
  return (title || whole || name).slice(0, longest);
}

function tidy(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/^[\s.,;–—-]+|[\s,;–—-]+$/g, '')
    .trim();
}
