import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import {
  createPreviewFetcher,
  type PreviewFetcher,
  type PreviewLimits,
} from '../../../shared/outside/fetch-preview.ts';
import { noise, SAMPLE_RATE, wav } from '../../support/audio.ts';

/** Half a second of sound. */
export const sound = wav([noise(SAMPLE_RATE / 2, 0.3)], SAMPLE_RATE, 's16');

/** Of a certificate that nobody trusts but these tests: previews.test, all below it, and two addresses. */
const key = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIP0Wsx+KLtaMEJzhcKSB/3pcb6OzuOuUjhro0UG3u1looAoGCCqGSM49
AwEHoUQDQgAEgLlZEEZBIkwtOqxEslE0fEAKiewTDLqnL0MZxnFpeN3S1UUz8Bj8
ECarj1F6mirwtP7E9f85i7TYNyM6GB+5oQ==
-----END EC PRIVATE KEY-----`;
const certificate = `-----BEGIN CERTIFICATE-----
MIIBljCCATygAwIBAgIBATAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA1wcmV2aWV3
cy50ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAYMRYwFAYD
VQQDDA1wcmV2aWV3cy50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgLlZ
EEZBIkwtOqxEslE0fEAKiewTDLqnL0MZxnFpeN3S1UUz8Bj8ECarj1F6mirwtP7E
9f85i7TYNyM6GB+5oaN1MHMwDwYDVR0TAQH/BAUwAwEB/zBBBgNVHREEOjA4gg1w
cmV2aWV3cy50ZXN0gg8qLnByZXZpZXdzLnRlc3SHBF242CKHECYGKAACIAABAkgY
kyXIGUYwHQYDVR0OBBYEFFCWczdRGuiBG90safPPkfykKXeBMAoGCCqGSM49BAMC
A0gAMEUCIHInFv+0cN530KD0cOUVBs/69bQnCi0nOw+9H+AO7CnSAiEA4MM2yazB
l8Etq9P8eu9HXrLVKwwoRQGsMgDeluN6JwA=
-----END CERTIFICATE-----`;

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface TestServer {
  port: number;
  /** What was asked for: host and path with query, in this order. */
  asked: string[];
  close(): Promise<void>;
}

/** A server on this machine that says what it was asked for. */
export async function serve(answer: Answer, { https }: { https: boolean }): Promise<TestServer> {
  const asked: string[] = [];
  const listener: Answer = (request, response) => {
    asked.push(`${request.headers.host}${request.url}`);
    answer(request, response);
  };
  const server = https ? createHttpsServer({ key, cert: certificate }, listener) : createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const publicAddress = '93.184.216.34';

export interface Outside {
  fetcher: PreviewFetcher;
  /** The addresses that were connected to, as the fetcher chose them. */
  dialled: string[];
  /** The names that were resolved, in this order. */
  resolved: string[];
}

/**
 * A fetcher in a world of one server: public addresses lead to it. All that the fetcher decides is
 * decided by its own code; only the last step, from an address to a socket, is bent.
 * @param names addresses of host names; each call of the resolver takes the next list, the last stays
 */
export function outside({
  port,
  names = { 'previews.test': [[publicAddress]] },
  previewHosts = ['previews.test', '*.previews.test'],
  previewMaxBytes = 1_000_000,
  simulator,
  limits,
}: {
  port: number;
  names?: Record<string, string[][]>;
  previewHosts?: string[];
  previewMaxBytes?: number;
  simulator?: string;
  limits?: Partial<PreviewLimits>;
}): Outside {
  const dialled: string[] = [];
  const resolved: string[] = [];
  const here = '127.0.0.1';
  const connect = (options: buildConnector.BuildOptions): buildConnector.connector => {
    const guarded = (options as { lookup: LookupFunction }).lookup;
    const lookup: LookupFunction = (hostname, how, callback) =>
      guarded(hostname, { ...how, all: true }, (error, found) => {
        if (error) return callback(error, '', 0);
        dialled.push(...(found as { address: string }[]).map(({ address }) => address));
        if (how.all) callback(null, [{ address: here, family: 4 }]);
        else callback(null, here, 4);
      });
    const base = buildConnector({ ...options, lookup, ca: certificate } as buildConnector.BuildOptions);
    return (target, callback) => {
      const literal = isIP(target.hostname) !== 0;
      if (literal) dialled.push(target.hostname);
      const hostname = literal ? here : target.hostname;
      base({ ...target, hostname, port: target.port || String(port) }, callback);
    };
  };
  const calls = new Map<string, number>();
  const resolve = async (hostname: string) => {
    resolved.push(hostname);
    const lists = names[hostname];
    if (!lists) throw new Error(`getaddrinfo ENOTFOUND ${hostname}`);
    const call = calls.get(hostname) ?? 0;
    calls.set(hostname, call + 1);
    return lists[Math.min(call, lists.length - 1)]!.map((address) => ({ address, family: isIP(address) }));
  };
  const settings = { previewHosts, previewMaxBytes, simulator };
  return {
    fetcher: createPreviewFetcher(settings, { resolve, connect, ...(limits ? { limits } : {}) }),
    dialled,
    resolved,
  };
}

export const never = new AbortController().signal;
