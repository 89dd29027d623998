/** The CDNs of Spotify and Deezer: the same audio at two addresses, each with its own faults. */
import express, { type Request, type Response, type Router } from 'express';
import { type Answer, resetConnection, send, sendCut, sendTrickling } from './answers.ts';
import { type Cdn, lastingFault, type TransientFault, transientFault } from './chaos.ts';
import type { Context } from './context.ts';
import { recordingOf } from './preview-address.ts';

export function cdnRouter(context: Context): Router {
  const router = express.Router();
  router.get('/mp3-preview/:hash', (req, res) => servePreview(context, 'spotify', req, res));
  router.get('/stream/:hash.mp3', (req, res) => servePreview(context, 'deezer', req, res));
  return router;
}

async function servePreview(context: Context, cdn: Cdn, req: Request, res: Response): Promise<void> {
  const { world, chaos, counters, previews, signal } = context;
  const recording = recordingOf(world.seed, String(req.params['hash']));
  if (recording === null || recording >= world.tracks) return send(res, textAnswer(404, 'Not Found'));

  const lasting = lastingFault(world.seed, recording, chaos.rates, cdn);
  // Whoever followed the redirect has arrived.
  const kind = lasting?.kind === 'preview-moved' && req.query['moved'] ? undefined : lasting?.kind;
  if (kind) counters.struck(kind);
  if (kind === 'preview-404') return send(res, textAnswer(404, 'Not Found'));
  if (kind === 'preview-403') return send(res, textAnswer(403, 'Forbidden'));
  if (kind === 'preview-html') return send(res, htmlPage);
  if (lasting?.kind === 'preview-astray') return send(res, redirect(lasting.location));
  if (kind === 'preview-loop') return send(res, redirect(context.origin + req.originalUrl));
  if (kind === 'preview-moved') return send(res, redirect(`${context.origin}${req.path}?moved=1`));

  const attempt = counters.attempt(cdn, recording);
  const transient = transientFault(world.seed, recording, chaos, { cdn, attempt });
  if (transient) counters.struck(transient.kind);
  if (transient?.kind === 'preview-reset') return resetConnection(req);
  if (transient?.kind === 'preview-503') return send(res, textAnswer(503, 'Service Unavailable'));

  const body = await previews.bytes(recording);
  const type = kind === 'preview-type' ? 'text/plain' : 'audio/mpeg';
  const answer = rangeOf(body, type, req.headers.range);
  await sendAudio(res, answer, transient, {
    signal,
    onWhole: () => {
      if (answer.status === 200) counters.served(cdn, recording, req.path);
    },
  });
}

/** The whole, or the end that was asked for: a download that was interrupted goes on. */
function rangeOf(body: Buffer, type: string, range: string | undefined): Answer {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) return { status: 200, type, body };
  if (start >= body.length) {
    const headers = { 'Content-Range': `bytes */${body.length}` };
    return { status: 416, type: 'text/plain', body: Buffer.from('Range Not Satisfiable'), headers };
  }
  const headers = { 'Content-Range': `bytes ${start}-${body.length - 1}/${body.length}` };
  return { status: 206, type, body: body.subarray(start), headers };
}

async function sendAudio(
  res: Response,
  answer: Answer,
  transient: TransientFault | null,
  { signal, onWhole }: { signal: AbortSignal; onWhole: () => void },
): Promise<void> {
  if (transient?.kind === 'preview-truncated') return sendCut(res, answer);
  res.once('finish', onWhole);
  if (transient?.kind === 'preview-trickle') {
    await sendTrickling(res, answer, { seconds: transient.seconds, signal });
  } else {
    send(res, answer);
  }
}

function textAnswer(status: number, text: string): Answer {
  return { status, type: 'text/plain', body: Buffer.from(text) };
}

function redirect(location: string): Answer {
  return { status: 302, type: 'text/plain', body: Buffer.from('Found'), headers: { Location: location } };
}

const htmlPage: Answer = {
  status: 200,
  type: 'text/html; charset=utf-8',
  body: Buffer.from('<!doctype html><title>Welcome</title><p>Please sign in to this network to go on.</p>\n'),
};
