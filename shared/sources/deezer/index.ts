/**
 * Deezer's public API, asked by ISRC for what another source does not give: a preview and a rank.
 * https://developers.deezer.com/api/track; it wants no credentials and allows 50 requests in 5 s to an address.
 */
import { Agent, request } from 'undici';
import { z } from 'zod';
import { reasonOf, WaitError } from '../../errors.ts';
import { countRequest, countWait } from '../../metrics/outside.ts';
import { tooManyRequests } from '../../outside/answers.ts';
import { withTimeLimit } from '../../outside/time-limit.ts';

/** Time limits, in milliseconds. */
export interface DeezerLimits {
  connectMs: number;
  headersMs: number;
  bodyMs: number;
  /** For everything. */
  totalMs: number;
}

const usualLimits: DeezerLimits = { connectMs: 10_000, headersMs: 15_000, bodyMs: 15_000, totalMs: 30_000 };
/** A track is 3 KB of JSON: what is much longer is something else. In bytes. */
const maxBytes = 500_000;
/** The quota is counted over 5 s. */
const quotaWaitMs = 5_000;

/** Deezer's codes of errors: https://developers.deezer.com/api/errors */
const codes = { quota: 4, noData: 800 };

/** What Deezer knows of a recording. */
export interface DeezerTrack {
  /** Address of 30 s of it, signed, good for some minutes; null where none is offered. */
  preview: string | null;
  /** How popular it is: 0 to about 1,000,000; null where Deezer does not say. */
  rank: number | null;
}

export interface Deezer {
  /**
   * Look a recording up. Null: Deezer does not have it.
   * @throws WaitError when the quota is used up
   * @throws CancelledError when the signal is aborted
   * @throws Error for what may pass: timeouts, resets, a server in trouble, an answer that cannot be read
   */
  lookup: (isrc: string, signal: AbortSignal) => Promise<DeezerTrack | null>;
  close: () => Promise<void>;
}

const errorAnswer = z.object({ error: z.object({ code: z.number(), message: z.string().optional() }) });
const trackAnswer = z
  .object({
    preview: z.string().nullish(),
    rank: z.number().min(0).max(2_147_483_647).nullish(),
  })
  .refine(
    (track) => track.preview !== undefined || track.rank !== undefined,
    'neither preview nor rank in it',
  );

/** @param origin of the API, without a slash at the end */
export function createDeezer(origin: string, limits: Partial<DeezerLimits> = {}): Deezer {
  const { connectMs, headersMs, bodyMs, totalMs } = { ...usualLimits, ...limits };
  const dispatcher = new Agent({
    headersTimeout: headersMs,
    bodyTimeout: bodyMs,
    maxResponseSize: maxBytes,
    connect: { timeout: connectMs },
  });
  return {
    lookup: async (isrc, signal) => {
      const address = `${origin}/track/isrc:${encodeURIComponent(isrc)}`;
      return withTimeLimit((own) => ask(address, dispatcher, own), {
        ...{ signal, limitMs: totalMs },
        late: 'Deezer did not answer',
      });
    },
    close: () => dispatcher.destroy(),
  };
}

async function ask(address: string, dispatcher: Agent, signal: AbortSignal): Promise<DeezerTrack | null> {
  const answered = countRequest('deezer');
  const failed = (error: unknown) => {
    answered(undefined);
    return unreachable(error);
  };
  const { statusCode, headers, body } = await request(address, { dispatcher, signal }).catch(failed);
  const text = await body.text().catch(failed);
  answered(statusCode);
  if (statusCode === 429) throw wait(tooManyRequests('Deezer', headers['retry-after']));
  if (statusCode !== 200) throw new Error(`Deezer answers with status ${statusCode}`);
  const answer = parse(text);
  const refused = errorAnswer.safeParse(answer);
  if (refused.success) {
    const { code, message } = refused.data.error;
    if (code === codes.noData) return null;
    if (code === codes.quota) throw wait(new WaitError('Deezer’s quota is used up (code 4)', quotaWaitMs));
    throw new Error(`Deezer answers with error ${code}: ${message ?? 'no message'}`);
  }
  const track = trackAnswer.safeParse(answer);
  if (!track.success) throw new Error(`Deezer’s answer is no track: ${track.error.issues[0]?.message}`);
  const { preview, rank } = track.data;
  // Where there is no preview Deezer writes an empty text.
  return { preview: preview || null, rank: rank == null ? null : Math.round(rank) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('Deezer’s answer is not JSON');
  }
}

function wait(error: WaitError): WaitError {
  countWait('deezer', error.waitMs);
  return error;
}

function unreachable(error: unknown): never {
  throw new Error(`Deezer: ${reasonOf(error)}`, { cause: error });
}
