/** Which places previews may be fetched from, judged by their address as it is written, hop by hop. */
import { isIP } from 'node:net';
import { PermanentError, UserError } from '../errors.ts';

/** Longest piece of an address that a message quotes, in characters. */
const longestShown = 200;

/** Where an allowed address is: in the world outside, or at the simulator on this machine. */
export type Place = 'outside' | 'simulator';

export interface PreviewHosts {
  /**
   * Judge an address before anything is sent to it.
   * @throws PermanentError that says which rule it breaks and what can be done
   */
  placeOf: (url: URL) => Place;
}

/**
 * @param patterns host names; `*.` at the start stands for one or more names
 * @param simulator origin of the simulator, which alone may be plain http, on any port, on this machine
 * @throws UserError when a pattern is no host name
 */
export function createPreviewHosts(patterns: readonly string[], simulator: string | undefined): PreviewHosts {
  const allowed = patterns.map(parsePattern);
  const listed = patterns.length > 0 ? patterns.join(', ') : 'nothing';
  const refuse = (url: URL, why: string): never => {
    throw new PermanentError(`the address ${shown(url)} is refused: ${why}`);
  };
  return {
    placeOf: (url) => {
      if (url.username !== '' || url.password !== '') refuse(url, 'it carries a user name or password');
      if (simulator !== undefined && url.origin === simulator) return 'simulator';
      if (url.protocol !== 'https:') refuse(url, 'previews are fetched by https only');
      if (url.port !== '') refuse(url, `port ${url.port} is not that of https (443)`);
      if (!allowed.some((fits) => fits(url.hostname))) {
        refuse(url, `${url.hostname} is not among the hosts of previews (PREVIEW_HOSTS allows ${listed})`);
      }
      return 'outside';
    },
  };
}

/** An address for people: without user name, password and query, which may hold secrets. */
export function shown(url: URL): string {
  const text = `${url.protocol}//${url.host}${url.pathname}`;
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

function parsePattern(pattern: string): (hostname: string) => boolean {
  const wildcard = pattern.startsWith('*.');
  const name = canonical(wildcard ? pattern.slice(2) : pattern);
  if (name === null || (wildcard && isAddress(name))) {
    throw new UserError(
      `PREVIEW_HOSTS: ‘${pattern}’ is no host; write names such as p.scdn.co, or *.dzcdn.net for all below it`,
    );
  }
  return wildcard ? (hostname) => hostname.endsWith(`.${name}`) : (hostname) => hostname === name;
}

/** A host as URLs spell it: lower case, international names in ASCII. Null when it is something else. */
function canonical(host: string): string | null {
  // Only what can be part of a host: the parser would take the rest for a port, a path or a query.
  if (!/^(\[[\da-f:.]+\]|[^\s/?#@:*[\]\\]+)$/i.test(host)) return null;
  const address = `https://${host}/`;
  return URL.canParse(address) ? new URL(address).hostname : null;
}

function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || isIP(hostname) !== 0;
}
