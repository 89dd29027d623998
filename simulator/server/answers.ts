/** Ways to answer, the bad ones included. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response } from 'express';

/** A body with what a real server would say about it; the length is exact unless the answer is cut. */
export interface Answer {
  status: number;
  type: string;
  body: Buffer;
  headers?: Record<string, string>;
}

export function jsonAnswer(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    type: 'application/json; charset=utf-8',
    body: Buffer.from(JSON.stringify(value)),
    headers,
  };
}

export function send(res: Response, answer: Answer): void {
  writeHead(res, answer);
  res.end(answer.body);
}

/** Promise the whole body, send the first half, and end the connection. */
export function sendCut(res: Response, answer: Answer): void {
  writeHead(res, answer);
  const half = answer.body.subarray(0, Math.floor(answer.body.length / 2));
  // Only when the half has left: what is still in the process would be lost with the connection.
  res.write(half, () => res.destroy());
}

/** Send the whole body in pieces, a fifth of a second apart, or as much of it as is wanted. */
export async function sendTrickling(
  res: Response,
  answer: Answer,
  { seconds, signal }: { seconds: number; signal: AbortSignal },
): Promise<void> {
  const everyMs = 200;
  const piece = Math.ceil(answer.body.length / Math.max(1, (seconds * 1000) / everyMs));
  writeHead(res, answer);
  for (let at = 0; at < answer.body.length && !res.destroyed; at += piece) {
    if (at > 0) await pause(everyMs, signal);
    if (signal.aborted) return;
    res.write(answer.body.subarray(at, at + piece));
  }
  res.end();
}

/** End the connection by a TCP reset, before any answer. */
export function resetConnection(req: Request): void {
  req.socket.resetAndDestroy();
}

/** Wait, or stop waiting when the simulator closes. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

function writeHead(res: Response, { status, type, body, headers }: Answer): void {
  res.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length, ...headers });
}
