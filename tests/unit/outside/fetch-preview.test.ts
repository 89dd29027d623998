import { isIPv6 } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CancelledError, PermanentError, UserError } from '../../../shared/errors.ts';
import { forbidden } from './forbidden.ts';
import {
  type Answer,
  never,
  type Outside,
  outside,
  publicAddress,
  serve,
  sound,
  type TestServer,
} from './helpers.ts';

const give: Answer = (_request, response) => response.end(sound);
const redirect =
  (location: string, status = 302): Answer =>
  (_request, response) =>
    response.writeHead(status, { location }).end('moved');
const good = 'https://previews.test/1?token=hidden';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of open.splice(0)) await close();
});

type World = Omit<Parameters<typeof outside>[0], 'port'>;

/** One https server and a fetcher that can reach it. */
async function world(answer: Answer, settings: World = {}): Promise<Outside & { server: TestServer }> {
  const server = await serve(answer, { https: true });
  const made = outside({ port: server.port, ...settings });
  open.push(() => made.fetcher.close(), server.close);
  return { ...made, server };
}

/** What a fetch is refused with, which no try can help; and that nothing was sent anywhere. */
async function refusal(
  { fetcher, server }: Pick<Awaited<ReturnType<typeof world>>, 'fetcher' | 'server'>,
  address: string,
) {
  const error = await fetcher.fetch(address, never).then(
    () => new Error('it was fetched'),
    (thrown: Error) => thrown,
  );
  expect(error.message).not.toBe('it was fetched');
  expect(error).toBeInstanceOf(PermanentError);
  expect(server.asked).toEqual([]);
  return error.message;
}

/** What a fetch fails with that another try may mend. */
async function failure({ fetcher }: Pick<Outside, 'fetcher'>, address = good): Promise<string> {
  const error = await fetcher.fetch(address, never).then(
    () => new Error('it was fetched'),
    (thrown: Error) => thrown,
  );
  expect(error.message).not.toBe('it was fetched');
  expect(error).not.toBeInstanceOf(PermanentError);
  expect(error.name).toBe('Error');
  return error.message;
}

describe('a preview that is as it should be', () => {
  test('is fetched whole, with few connections and without saying who we are', async () => {
    const sockets = new Set<unknown>();
    const seen: object[] = [];
    const { fetcher, server, dialled, resolved } = await world((request, response) => {
      sockets.add(request.socket);
      seen.push(request.headers);
      response.end(sound);
    });
    for (let time = 0; time < 5; time++) expect(await fetcher.fetch(good, never)).toEqual(sound);
    expect(server.asked).toEqual(Array(5).fill('previews.test/1?token=hidden'));
    // A connection is free again a moment after its answer's end: the second question may open another.
    expect(sockets.size).toBeLessThanOrEqual(2);
    expect([new Set(dialled), new Set(resolved)]).toEqual([
      new Set([publicAddress]),
      new Set(['previews.test']),
    ]);
    expect(Object.keys(seen[0]!).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host']);
  });

  test('may be called anything by its server', async () => {
    for (const type of ['text/html', 'text/plain', 'application/x-msdownload', '']) {
      const { fetcher } = await world((_request, response) => {
        response.setHeader('content-type', type);
        response.end(sound);
      });
      expect(await fetcher.fetch(good, never)).toEqual(sound);
    }
  });

  test('may have moved four times, and not five', async () => {
    const { fetcher, server } = await world(
      (request, response) => {
        const hop = Number(request.url!.slice(1));
        if (hop === 0) return response.end(sound);
        const status = [301, 302, 303, 307, 308][hop % 5]!;
        return redirect(hop % 2 ? `/${hop - 1}` : `https://cdn.previews.test/${hop - 1}`, status)(
          request,
          response,
        );
      },
      { names: { 'previews.test': [[publicAddress]], 'cdn.previews.test': [['2606:4700::1111']] } },
    );
    expect(await fetcher.fetch('https://previews.test/4', never)).toEqual(sound);
    expect(server.asked.map((one) => one.split('/')[1])).toEqual(['4', '3', '2', '1', '0']);
    const error = fetcher.fetch('https://previews.test/5', never);
    await expect(error).rejects.toThrow(PermanentError);
    await expect(error).rejects.toThrow('redirected more than 4 times');
  });

  test('comes straight from its host, whatever proxies the environment names', async () => {
    const proxy = await serve(give, { https: false });
    open.push(proxy.close);
    for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY'])
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    const { fetcher } = await world(give);
    expect(await fetcher.fetch(good, never)).toEqual(sound);
    expect(proxy.asked).toEqual([]);
  });
});

describe('an address that previews may not come from', () => {
  const all = forbidden.flatMap(([what, ...addresses]) => addresses.map((address) => ({ what, address })));

  test.each(all)('$address, written as it is', async ({ address, what }) => {
    const host = isIPv6(address) ? `[${address}]` : address;
    // On the list of hosts, by mistake or by malice: the address alone has to stop it.
    const made = await world(give, { previewHosts: [host] });
    const message = await refusal(made, `https://${host}/1`);
    expect(message).toContain(what);
    expect(made.dialled).toEqual([]);
  });

  test.each(all)('$address, by a name that stands for it', async ({ address, what }) => {
    const made = await world(give, { names: { 'previews.test': [[address]] } });
    expect(await refusal(made, good)).toMatch(
      new RegExp(`previews\\.test leads to .* is refused: .*${what}`),
    );
    expect(made.dialled).toEqual([]);
  });

  test.each(all)('$address, by a redirect to a name of a good host', async ({ address, what }) => {
    const { fetcher, server, dialled } = await world(redirect('https://in.previews.test/2'), {
      names: { 'previews.test': [[publicAddress]], 'in.previews.test': [[address]] },
    });
    const fetched = fetcher.fetch(good, never);
    await expect(fetched).rejects.toThrow(PermanentError);
    await expect(fetched).rejects.toThrow(what);
    expect(server.asked).toEqual(['previews.test/1?token=hidden']);
    expect(dialled).toEqual([publicAddress]);
  });

  test('one among good ones, by name', async () => {
    for (const addresses of [
      ['1.1.1.1', '10.0.0.1'],
      ['10.0.0.1', '1.1.1.1'],
      ['1.1.1.1', '2606:4700::1111', '::1'],
    ]) {
      const made = await world(give, { names: { 'previews.test': [addresses] } });
      expect(await refusal(made, good)).toContain('is refused');
    }
  });

  test('a name that changes its mind: what was judged is what is connected to', async () => {
    const { fetcher, server, dialled, resolved } = await world(
      (_request, response) => {
        response.setHeader('connection', 'close');
        response.end(sound);
      },
      { names: { 'previews.test': [[publicAddress], ['127.0.0.1']] } },
    );
    expect(await fetcher.fetch(good, never)).toEqual(sound);
    expect([dialled, resolved]).toEqual([[publicAddress], ['previews.test']]);
    // Connected anew, looked up anew, judged anew.
    await expect(fetcher.fetch(good, never)).rejects.toThrow(/leads to 127\.0\.0\.1, which is refused/);
    expect(dialled).toEqual([publicAddress]);
    expect(server.asked).toHaveLength(1);
  });

  test.each([
    'http://previews.test/2',
    'https://evil.test/2',
    'https://previews.test.evil.test/2',
    'https://previews.test:8443/2',
    'https://user:secret@previews.test/2',
    'https://127.0.0.1/2',
    'https://2130706433/2',
    'https://0x7f000001/2',
    'https://[::ffff:7f00:1]/2',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://localhost/2',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '//evil.test/2',
    'https://',
  ])('%s, by a redirect', async (location) => {
    const { fetcher, server } = await world(redirect(location));
    const fetched = fetcher.fetch(good, never);
    await expect(fetched).rejects.toThrow(PermanentError);
    await expect(fetched).rejects.not.toThrow(/secret|hidden/);
    expect(server.asked).toHaveLength(1);
  });

  test('what is no address at all', async () => {
    for (const address of ['', 'x', 'https://', '/etc/passwd', 'https://a b/']) {
      const made = await world(give);
      await refusal(made, address);
    }
  });

  test('a list of hosts that is wrong is told at the start', () => {
    expect(() => outside({ port: 1, previewHosts: ['https://previews.test'] })).toThrow(UserError);
  });
});

describe('the simulator', () => {
  test('is one origin of this machine, and only where it is set', async () => {
    const server = await serve(give, { https: false });
    const other = await serve(give, { https: false });
    open.push(server.close, other.close);
    const simulator = `http://127.0.0.1:${server.port}`;
    const set = outside({ port: server.port, simulator });
    const unset = outside({ port: server.port });
    open.push(set.fetcher.close, unset.fetcher.close);
    expect(await set.fetcher.fetch(`${simulator}/1`, never)).toEqual(sound);
    expect(server.asked.splice(0)).toHaveLength(1);
    await refusal({ ...unset, server }, `${simulator}/1`);
    await refusal({ ...set, server: other }, `http://127.0.0.1:${other.port}/1`);
    await refusal({ ...set, server }, `http://127.0.0.2:${server.port}/1`);
    await refusal({ ...set, server }, `http://[::1]:${server.port}/1`);
    await refusal({ ...set, server }, `https://127.0.0.1:${server.port}/1`);
  });

  test('may redirect to itself and to hosts of previews, and nowhere else of this machine', async () => {
    const other = await serve(give, { https: false });
    const server = await serve(
      (request, response) => {
        const hops: Record<string, string> = { '/own': '/1', '/other': `http://127.0.0.1:${other.port}/1` };
        const location = hops[request.url!];
        if (location) redirect(location)(request, response);
        else give(request, response);
      },
      { https: false },
    );
    open.push(server.close, other.close);
    const simulator = `http://127.0.0.1:${server.port}`;
    const { fetcher } = outside({ port: server.port, simulator });
    open.push(fetcher.close);
    expect(await fetcher.fetch(`${simulator}/own`, never)).toEqual(sound);
    await expect(fetcher.fetch(`${simulator}/other`, never)).rejects.toThrow(PermanentError);
    expect(other.asked).toEqual([]);
  });

  test('is on this machine: a name that leads elsewhere is refused', async () => {
    const server = await serve(give, { https: false });
    open.push(server.close);
    const simulator = `http://localhost:${server.port}`;
    for (const [address, fine] of [
      ['127.0.0.1', true],
      ['::1', true],
      ['10.0.0.1', false],
      [publicAddress, false],
    ] as const) {
      const { fetcher } = outside({ port: server.port, simulator, names: { localhost: [[address]] } });
      open.push(fetcher.close);
      const fetched = fetcher.fetch(`${simulator}/1`, never);
      if (fine) expect(await fetched).toEqual(sound);
      else await expect(fetched).rejects.toThrow('not on this machine');
    }
  });
});

describe('what is too much', () => {
  test('by what the server says: not one byte of it is read', async () => {
    const { fetcher, server } = await world((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000_001 });
      response.write(sound);
    });
    const fetched = fetcher.fetch(good, never);
    await expect(fetched).rejects.toThrow(PermanentError);
    await expect(fetched).rejects.toThrow(/1\.0 MB, over the limit of 1 MB \(PREVIEW_MAX_MEGABYTES\)/);
    expect(server.asked).toHaveLength(1);
  });

  test('by counting, when the server says nothing', async () => {
    let sent = 0;
    const { fetcher } = await world((_request, response) => {
      const piece = Buffer.alloc(50_000, 'x');
      const more = () => {
        sent += piece.length;
        if (!response.destroyed) response.write(piece, () => setImmediate(more));
      };
      more();
    });
    const fetched = fetcher.fetch(good, never);
    await expect(fetched).rejects.toThrow(PermanentError);
    await expect(fetched).rejects.toThrow('PREVIEW_MAX_MEGABYTES');
    expect(sent).toBeLessThan(20_000_000);
  });

  test('just as much as is allowed is taken', async () => {
    const { fetcher } = await world(give, { previewMaxBytes: sound.length });
    expect(await fetcher.fetch(good, never)).toEqual(sound);
    const { fetcher: less } = await world(give, { previewMaxBytes: sound.length - 1 });
    await expect(less.fetch(good, never)).rejects.toThrow(PermanentError);
  });

  test('many bytes in an answer that is not used', async () => {
    const { fetcher } = await world((_request, response) => {
      response.writeHead(404);
      const more = () => response.destroyed || response.write(Buffer.alloc(50_000), () => setImmediate(more));
      more();
    });
    await expect(fetcher.fetch(good, never)).rejects.toThrow(/not there any more/);
  });
});

describe('what takes too long', () => {
  const limits = { connectMs: 300, headersMs: 300, bodyMs: 300, totalMs: 900 };

  test('a byte now and then', async () => {
    const made = await world(
      (_request, response) => {
        response.writeHead(200, { 'content-length': sound.length });
        let at = 0;
        const timer = setInterval(() => response.write(sound.subarray(at, ++at)), 50);
        response.on('close', () => clearInterval(timer));
      },
      { limits },
    );
    const began = Date.now();
    expect(await failure(made)).toBe('the preview did not come whole in 0.9 s');
    expect(Date.now() - began).toBeLessThan(3_000);
  });

  test('no answer, no end of it, no address', async () => {
    // undici looks at its clocks twice a second.
    const patient = { ...limits, totalMs: 5_000 };
    expect(await failure(await world(() => {}, { limits: patient }))).toMatch(/Headers Timeout/);
    const stops: Answer = (_request, response) => {
      response.writeHead(200, { 'content-length': sound.length });
      response.write(sound.subarray(0, 100));
    };
    expect(await failure(await world(stops, { limits: patient }))).toMatch(/Body Timeout/);
    expect(await failure(await world(give, { limits, names: {} }))).toMatch(/ENOTFOUND/);
  });

  test('a 404 whose page never ends is a 404 all the same', async () => {
    const { fetcher } = await world((_request, response) => {
      response.writeHead(404);
      const timer = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(timer));
    });
    await expect(fetcher.fetch(good, never)).rejects.toThrow(/not there any more/);
  });

  test('is not waited for when this process shuts down', async () => {
    const { fetcher, server } = await world(() => {});
    const shutdown = new AbortController();
    const fetched = fetcher.fetch(good, shutdown.signal);
    const stopped = expect(fetched).rejects.toThrow(CancelledError);
    await vi.waitFor(() => expect(server.asked).toHaveLength(1), { timeout: 10_000 });
    shutdown.abort();
    await stopped;
    await expect(fetcher.fetch(good, shutdown.signal)).rejects.toThrow(CancelledError);
    expect(server.asked).toHaveLength(1);
  });
});

describe('what is broken on the way is worth another try', () => {
  test.each<[string, Answer]>([
    [
      'fewer bytes than were promised',
      (_request, response) => {
        response.writeHead(200, { 'content-length': sound.length });
        response.write(sound.subarray(0, 1_000), () => response.destroy());
      },
    ],
    [
      'pieces that break off',
      (_request, response) => {
        response.write(sound.subarray(0, 1_000), () => response.destroy());
      },
    ],
    ['a reset before the answer', (request) => request.socket.destroy()],
    ['no HTTP', (request) => request.socket.end('good morning\r\n\r\n')],
    ['a redirect to nowhere', (_request, response) => response.writeHead(302).end()],
    ...[500, 502, 503, 504, 408, 425].map((status): [string, Answer] => [
      `status ${status}`,
      (_request, response) => response.writeHead(status).end('busy'),
    ]),
  ])('%s', async (_what, answer) => {
    const message = await failure(await world(answer));
    expect(message).toContain('https://previews.test/1');
    expect(message).not.toContain('hidden');
  });

  test('a certificate that is for somebody else', async () => {
    const names = { 'evil.test': [[publicAddress]] };
    const made = await world(give, { names, previewHosts: ['evil.test'] });
    expect(await failure(made, 'https://evil.test/1')).toMatch(/certificate/);
    expect(made.server.asked).toEqual([]);
  });
});

describe('what is no preview', () => {
  test.each([
    [404, /not there any more/],
    [410, /not there any more/],
    [401, /not given out/],
    [403, /not given out/],
    [400, /no preview to be had/],
    [451, /no preview to be had/],
    [300, /no preview to be had/],
  ])('status %d', async (status, message) => {
    const { fetcher } = await world((_request, response) => response.writeHead(status).end('no'));
    const fetched = fetcher.fetch(good, never);
    await expect(fetched).rejects.toThrow(PermanentError);
    await expect(fetched).rejects.toThrow(message);
    await expect(fetched).rejects.toThrow(new RegExp(`https://previews\\.test/1 .*${status}`));
    await expect(fetched).rejects.not.toThrow('hidden');
  });

  test.each([
    ['<!doctype html><title>Sign in</title>'.padEnd(3_000), /web page \(HTML\)/],
    [JSON.stringify({ error: 'sorry' }).padEnd(3_000), /JSON/],
    ['#EXTM3U\nhttp://169.254.169.254/\n', /playlist/],
    ['%PDF-1.7'.padEnd(3_000), /PDF/],
    ['\0'.repeat(3_000), /zeros/],
    ['', /empty/],
  ])('%.12j with status 200 and the best of types', async (body, message) => {
    const { fetcher } = await world((_request, response) => {
      response.setHeader('content-type', 'audio/mpeg');
      response.end(body);
    });
    const fetched = fetcher.fetch(good, never);
    await expect(fetched).rejects.toThrow(PermanentError);
    await expect(fetched).rejects.toThrow(message);
    await expect(fetched).rejects.toThrow(/^https:\/\/previews\.test\/1 /);
  });

  test('a host that asks for patience', async () => {
    const { fetcher } = await world((_request, response) =>
      response.writeHead(429, { 'retry-after': '7' }).end(),
    );
    await expect(fetcher.fetch(good, never)).rejects.toMatchObject({
      ...{ name: 'WaitError', waitMs: 7_000 },
      message: 'previews.test asks to wait 7.0 s (429)',
    });
  });
});
