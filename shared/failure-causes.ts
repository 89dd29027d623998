/** What failures have in common: their reason without what is particular to one song, file or address. */

/** Longer causes are cut, in characters. */
const longest = 300;

/** A path in quotation marks, where it may have spaces. */
const quotedPath = /(?<!\w)(['"])(?:[A-Za-z]:)?[\\/](.*?)\1(?!\w)/g;

function withoutQuotedFolders(text: string): string {
  return text.replace(quotedPath, (whole: string, quote: string, path: string) => {
    const parts = path.split(/[\\/]/).filter(Boolean);
    return parts.length > 1 ? `${quote}…/${parts.at(-1)}${quote}` : whole;
  });
}

/** A text without the folders that it names, those of a stack too; addresses of the web stay. */
export function withoutFolders(text: string): string {
  return withoutQuotedFolders(text.replaceAll('file:///', '/')).replace(
    /(?<![\w:/.])(?:[A-Za-z]:)?[\\/](?:[^\s'"`:\\/]+[\\/])+([^\s'"`:\\/]+)/g,
    '…/$1',
  );
}

/**
 * The cause that a reason is counted under: a thousand previews that are not there are one cause, though
 * each reason names another address. Status codes, hosts and limits stay: they tell causes apart.
 */
export function causeOf(reason: string): string {
  const cause = withoutQuotedFolders(reason)
    .replace(/\b(https?:\/\/[^\s/]+)\/[^\s:;,)]+/g, '$1/…')
    .replace(/(?<![\w:/.])(?:[A-Za-z]:)?[\\/](?:[^\s'"`:\\/]+[\\/])+[^\s'"`:\\/]+/g, '…')
    .replace(/^line \d+: /, '')
    .replace(/(?<!\w)(?:'[^']*'|"[^"]*"|“[^”]*”)(?!\w)/g, '“…”')
    .replace(/\b(track|song|batch|crawl|model|run|night|data-set)-\d+\b/g, '$1-…')
    .replace(/\b\d+ of its \d+\b/g, '… of its …')
    .replace(/\b\d+\.\d+ (s|MB)\b/g, '… $1');
  return cause.length > longest ? `${cause.slice(0, longest - 1)}…` : cause;
}
