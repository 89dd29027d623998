import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dropSlowBodies } from '../../../dashboard/slow-bodies.ts';

const server = createServer(
  express()
    // So patient that a busy machine's pause does not cut the one that moves.
    .use(dropSlowBodies({ idleMs: 6_000, graceMs: 3_000, bytesPerSecond: 20_000 }))
    .post('/', (request, response) => {
      request.resume().on('end', () => response.send('all of it'));
    })
    .get('/', (_request, response) => void setTimeout(() => response.send('thought about'), 900)),
);
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** Send a piece of so many bytes every 50 ms. Returns the answer, or `cut`. */
function send(pieces: number, bytes: number): Promise<string> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const request = httpRequest({ port, method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } });
    let left = pieces;
    const timer = setInterval(() => {
      if (left-- > 0) request.write(Buffer.alloc(bytes));
      else if (pieces !== 1) request.end();
    }, 50);
    const over = (what: string) => {
      clearInterval(timer);
      resolve(what);
    };
    request.on('error', () => over('cut'));
    request.on('response', (response) =>
      response.setEncoding('utf8').on('data', (text: string) => over(text)),
    );
  });
}

test('a body that stands still or drips is cut off, and one that moves may take its time', async () => {
  const [still, dripping, moving] = await Promise.all([
    send(1, 20_000_000),
    send(10_000, 10),
    send(30, 100_000),
  ]);
  expect({ still, dripping, moving }).toEqual({ still: 'cut', dripping: 'cut', moving: 'all of it' });
});

test('whoever waits for a slow answer is left alone', async () => {
  const { port } = server.address() as AddressInfo;
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('thought about');
});
