/**
 * Bodies that come too slowly are cut off: however long an upload takes over a slow line, it may take, but a
 * connection that drips or stands still is not held for ever. (Headers have a limit of the server's own.)
 */
import type { Request, RequestHandler } from 'express';

export interface BodyPace {
  /** Without a byte for so long, in milliseconds. */
  idleMs: number;
  /** After so long, in milliseconds, on average so many bytes a second have to come. */
  graceMs: number;
  bytesPerSecond: number;
}

/** A telephone in a tunnel is waited for; 32 kbit a second is less than any line that can be worked with. */
export const usualPace: BodyPace = { idleMs: 60_000, graceMs: 30_000, bytesPerSecond: 4_000 };

export function dropSlowBodies(pace: BodyPace = usualPace): RequestHandler {
  return (request, _response, next) => {
    if (hasBody(request)) watch(request, pace);
    next();
  };
}

const hasBody = ({ headers }: Request) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

function watch(request: Request, { idleMs, graceMs, bytesPerSecond }: BodyPace): void {
  const { socket } = request;
  const began = Date.now();
  const readBefore = socket.bytesRead;
  let movedAt = began;
  let seen = readBefore;
  const timer = setInterval(() => {
    if (request.complete) return stop();
    const now = Date.now();
    if (socket.bytesRead > seen) movedAt = now;
    seen = socket.bytesRead;
    const due = ((now - began - graceMs) / 1_000) * bytesPerSecond;
    if (now - movedAt >= idleMs || seen - readBefore < due) request.destroy();
  }, Math.min(idleMs, graceMs) / 4);
  const stop = () => clearInterval(timer);
  request.once('close', stop);
}
