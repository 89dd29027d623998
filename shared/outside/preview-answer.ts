/** What an answer to the question for a preview brings: audio, or a reason why not. */
import type { Dispatcher } from 'undici';
import { CancelledError, PermanentError, reasonOf, WaitError } from '../errors.ts';
import { mayPass, tooManyRequests } from './answers.ts';
import type { PartialDownload } from './partial-download.ts';
import { shown } from './preview-hosts.ts';

/** Of an answer that is not used so much is read away, in bytes, to keep its connection for the next. */
const readAwayBytes = 65_536;
/** For so long, in milliseconds. */
const readAwayMs = 1_000;

/**
 * The body of the last hop, when its status, size and content are right.
 * @throws what `PreviewFetcher.fetch` throws
 */
export async function readPreview(
  answer: Dispatcher.ResponseData,
  url: URL,
  maxBytes: number,
  partial?: PartialDownload,
): Promise<Buffer> {
  const { statusCode, headers, body } = answer;
  const range = `${headers['content-range'] ?? ''}`;
  if (partial && partial.size > 0) {
    if (statusCode === 416 && range === `bytes */${partial.size}`) {
      await readAway(answer);
      return looked(partial.finish(), url);
    }
    // What was given is not the rest of what has come: the whole of it comes now, or next time.
    if (statusCode !== 206 || !range.startsWith(`bytes ${partial.size}-`)) partial.remove();
  }
  if (statusCode < 200 || statusCode > 299) {
    await readAway(answer);
    throw refusalOf(statusCode, headers['retry-after'], url);
  }
  const tooLarge = (size: string) => {
    const most = (maxBytes / 1e6).toFixed(0);
    return new PermanentError(
      `${shown(url)} has ${size}, over the limit of ${most} MB (PREVIEW_MAX_MEGABYTES)`,
    );
  };
  if (statusCode === 206 && !partial?.size) {
    await readAway(answer);
    throw new Error(`${shown(url)} gives a part that was not asked for`);
  }
  const promised = Number(headers['content-length'] ?? 0) + (partial?.size ?? 0);
  if (promised > maxBytes) {
    body.destroy();
    throw tooLarge(`${(promised / 1e6).toFixed(1)} MB`);
  }
  const pieces: Buffer[] = [];
  let size = partial?.size ?? 0;
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > maxBytes) throw tooLarge('more');
      if (partial) partial.append(piece);
      else pieces.push(piece);
    }
  } catch (error) {
    throw explained(error, url);
  }
  if (size === 0) throw new PermanentError(`${shown(url)} is empty (0 bytes)`);
  return looked(partial ? partial.finish() : Buffer.concat(pieces, size), url);
}

async function looked(bytes: Buffer, url: URL): Promise<Buffer> {
  await assertAudio(bytes, url);
  return bytes;
}

/** What an answer means that brings no audio. */
function refusalOf(status: number, retryAfter: string | string[] | undefined, url: URL): Error {
  if (status === 429) return tooManyRequests(url.host, retryAfter);
  if (status >= 500 || mayPass(status)) return new Error(`${shown(url)} answers with status ${status}`);
  if (status === 404 || status === 410) {
    return new PermanentError(
      `the preview is not there any more: ${shown(url)} answers with status ${status}`,
    );
  }
  if (status === 401 || status === 403) {
    return new PermanentError(`the preview is not given out: ${shown(url)} answers with status ${status}`);
  }
  return new PermanentError(`there is no preview to be had: ${shown(url)} answers with status ${status}`);
}

/**
 * Servers call anything audio/mpeg and audio anything: only the bytes count.
 * @throws PermanentError that says what came instead
 */
async function assertAudio(bytes: Buffer, url: URL): Promise<void> {
  // Loaded when first needed: it brings FFmpeg along, which most workers have no use for.
  const { recogniseInput } = await import('../audio/formats.ts');
  try {
    recogniseInput(bytes);
  } catch (error) {
    throw error instanceof PermanentError
      ? new PermanentError(`${shown(url)} gives no audio: ${error.message}`)
      : error;
  }
}
/** Ours as they are, what the network threw with the address it is about. */
export function explained(error: unknown, url: URL): Error {
  if (error instanceof PermanentError || error instanceof WaitError || error instanceof CancelledError)
    return error;
  return new Error(`${shown(url)}: ${reasonOf(error)}`, { cause: error });
}

/** Read the rest of an answer that is not used. A long or slow one is cut off with its connection. */
export async function readAway({ body }: Dispatcher.ResponseData): Promise<void> {
  await body.dump({ limit: readAwayBytes, signal: AbortSignal.timeout(readAwayMs) }).catch(() => {});
}
