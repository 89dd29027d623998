/** What failures have in common: their reason without what is particular to one song, file or address. */

/** Longer causes are cut, in characters. */
const longest = 300;

/** A text without the folders that it names, those of a stack too; addresses of the web stay. */
export function withoutFolders(text: string): string {
  return text
    .replaceAll('file:///', '/')
    .replace(/(?<![\w:/.])(?:[A-Za-z]:)?[\\/](?:[^\s'"`:\\/]+[\\/])+([^\s'"`:\\/]+)/g, '…/$1');
}

/**
 * The cause that a reason is counted under: a thousand previews that are not there are one cause, though
 * each reason names another address. Status codes, hosts and limits stay: they tell causes apart.
 */
export function causeOf(reason: string): string {
  const cause = reason
    .replace(/\b(https?:\/\/[^\s/]+)\/[^\s:;,)]+/g, '$1/…')
    .replace(/(?<![\w:/.])(?:[A-Za-z]:)?[\\/](?:[^\s'"`:\\/]+[\\/])+[^\s'"`:\\/]+/g, '…')
    .replace(/^line \d+: /, '')
    .replace(/(?<!\w)(?:'[^']*'|"[^"]*"|“[^”]*”)(?!\w)/g, '“…”')
    .replace(/\b(track|song|batch|crawl|model|run|night|data-set)-\d+\b/g, '$1-…')
    .replace(/\b\d+ of its \d+\b/g, '… of its …')
    .replace(/\b\d+\.\d+ (s|MB)\b/g, '… $1');
  return cause.length > longest ? `${cause.slice(0, longest - 1)}…` : cause;
}
