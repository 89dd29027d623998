/**
 * Fetches previews from the world outside. Addresses come from strangers (a search's answer, a
 * redirect), so each hop is judged by its spelling (preview-hosts.ts) and by where it leads when it is
 * connected to (addresses.ts), and what comes is bounded in time and size and looked at before it is
 * believed.
 */
import { isIP } from 'node:net';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import type { OutsideConfig } from '../config.ts';
import { PermanentError, WaitError } from '../errors.ts';
import { countRequest, countWait, previewService } from '../metrics/outside.ts';
import {
  type AddressRule,
  assertAllowed,
  guardedLookup,
  loopbackOnly,
  publicOnly,
  type Resolver,
  systemResolver,
} from './addresses.ts';
import type { PartialDownload } from './partial-download.ts';
import { explained, readAway, readPreview } from './preview-answer.ts';
import { createPreviewHosts, type Place, shown } from './preview-hosts.ts';
import { withTimeLimit } from './time-limit.ts';

/** Time limits, in milliseconds. */
export interface PreviewLimits {
  /** To find the host and to be connected, encryption included. */
  connectMs: number;
  /** From the question to the answer's headers. */
  headersMs: number;
  /** Between two pieces of the body. */
  bodyMs: number;
  /** For everything, redirects included: a server that sends a byte a second is patient, we are not. */
  totalMs: number;
}

const usualLimits: PreviewLimits = { connectMs: 10_000, headersMs: 15_000, bodyMs: 15_000, totalMs: 60_000 };

/** A preview that has moved has moved once or twice; more is a loop or a game. */
const mostRedirects = 4;
const redirects = [301, 302, 303, 307, 308];
/** Connections stay open this long for the next preview, in milliseconds. */
const keepAliveMs = 10_000;
export interface PreviewFetcherOptions {
  limits?: Partial<PreviewLimits>;
  /** Finds the addresses of host names; the operating system's resolver by default. */
  resolve?: Resolver;
  /** How an address that has passed is connected to: tests lead public addresses to servers of their own. */
  connect?: (options: buildConnector.BuildOptions) => buildConnector.connector;
}

export interface PreviewFetcher {
  /**
   * Fetch the audio at an address, whole.
   * @param partial what has come of it before: the rest is asked for, where the server gives parts
   * @throws PermanentError with a reason for people: the address is refused, there is nothing to be had
   *   there, or what came is no audio or too large
   * @throws WaitError when the host asks for patience (429)
   * @throws CancelledError when the signal is aborted
   * @throws Error for what may pass: timeouts, resets, truncated bodies, a server in trouble (5xx)
   */
  fetch: (address: string, signal: AbortSignal, partial?: PartialDownload) => Promise<Buffer>;
  /** End the connections that are kept open; those that idle do not keep the process alive. */
  close: () => Promise<void>;
}

type FetchSettings = Pick<OutsideConfig, 'previewHosts' | 'previewMaxBytes' | 'simulator'>;

/** @throws UserError when PREVIEW_HOSTS is wrong */
export function createPreviewFetcher(
  config: FetchSettings,
  options: PreviewFetcherOptions = {},
): PreviewFetcher {
  const hosts = createPreviewHosts(config.previewHosts, config.simulator);
  const limits = { ...usualLimits, ...options.limits };
  // Two sets of connections: what may go to this machine is never used for the outside.
  const agents: Record<Place, Agent> = {
    outside: newAgent(publicOnly, limits, options),
    simulator: newAgent(loopbackOnly, limits, options),
  };

  async function follow(
    address: string,
    signal: AbortSignal,
    partial: PartialDownload | undefined,
  ): Promise<Buffer> {
    const whole = partial?.readWhole();
    if (whole) return whole;
    let url = parseAddress(address);
    for (let hop = 0; hop <= mostRedirects; hop++) {
      const answer = await ask(url, agents[hosts.placeOf(url)], signal, partial?.size ?? 0);
      const next = redirectOf(answer, url);
      if (!next) return readPreview(answer, url, config.previewMaxBytes, partial).catch(waitIsCounted(url));
      await readAway(answer);
      url = next;
    }
    throw new PermanentError(
      `the address is redirected more than ${mostRedirects} times, at last to ${shown(url)}`,
    );
  }

  return {
    fetch: async (address, signal, partial) => {
      const { totalMs } = limits;
      const late = 'the preview did not come whole';
      return withTimeLimit((own) => follow(address, own, partial), { signal, limitMs: totalMs, late });
    },
    close: async () => {
      await Promise.all([agents.outside.destroy(), agents.simulator.destroy()]);
    },
  };
}

/** Takes no proxy from the environment: a proxy would resolve names out of our sight. */
function newAgent(rule: AddressRule, limits: PreviewLimits, options: PreviewFetcherOptions): Agent {
  const connect = (options.connect ?? buildConnector)({
    timeout: limits.connectMs,
    lookup: guardedLookup(options.resolve ?? systemResolver, rule),
  });
  return new Agent({
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.bodyMs,
    keepAliveTimeout: keepAliveMs,
    connect: (target, callback) => {
      // Sockets look up names only: an address that is written as such is judged here.
      const literal = target.hostname.replace(/^\[|\]$/g, '');
      try {
        if (isIP(literal)) assertAllowed(literal, literal, rule);
      } catch (error) {
        callback(error as Error, null);
        return;
      }
      connect(target, callback);
    },
  });
}

/** Whoever asks us to wait is counted. */
function waitIsCounted(url: URL) {
  return (error: unknown): never => {
    if (error instanceof WaitError) countWait(previewService(url), error.waitMs);
    throw error;
  };
}

async function ask(
  url: URL,
  dispatcher: Agent,
  signal: AbortSignal,
  from: number,
): Promise<Dispatcher.ResponseData> {
  const answered = countRequest(previewService(url));
  try {
    const headers = {
      ...{ accept: 'audio/*', 'accept-encoding': 'identity' },
      ...(from > 0 ? { range: `bytes=${from}-` } : {}),
    };
    const answer = await request(url, { dispatcher, signal, headers });
    answered(answer.statusCode);
    // A body that is thrown away unread reports that it was: nobody listens any more.
    answer.body.on('error', () => {});
    return answer;
  } catch (error) {
    answered(undefined);
    throw explained(error, url);
  }
}

/** Where an answer sends us, or null when it is no redirect. */
function redirectOf({ statusCode, headers }: Dispatcher.ResponseData, from: URL): URL | null {
  if (!redirects.includes(statusCode)) return null;
  const location = headers['location'];
  if (typeof location !== 'string')
    throw new Error(`${shown(from)} redirects (${statusCode}) without saying where to`);
  return parseAddress(location, from);
}

function parseAddress(address: string, base?: URL): URL {
  if (URL.canParse(address, base?.href)) return new URL(address, base);
  throw new PermanentError(
    base
      ? `${shown(base)} redirects to what is no address`
      : 'the address of the preview is none that can be read',
  );
}
