import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../../shared/errors.ts';
import { type Simulator, type SimulatorSettings, startSimulator } from '../../../simulator/server/index.ts';
import { eventually } from '../../support/eventually.ts';
import { askForToken, fakeWorld, search } from '../../support/simulator.ts';

let simulator: Simulator;
afterEach(() => simulator?.close());
const start = async (settings: SimulatorSettings = {}) => {
  simulator = await startSimulator(fakeWorld(), settings);
};
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
const askRaw = (headers: Record<string, string>, form: Record<string, string>) =>
  fetch(`${simulator.url}/api/token`, { method: 'POST', headers, body: new URLSearchParams(form) });

describe('the accounts service', () => {
  it('gives tokens for client credentials, each another', async () => {
    await start({ tokenSeconds: 1234 });
    const response = await askRaw(basic('me:secret:with:colons'), { grant_type: 'client_credentials' });
    expect(response.status).toBe(200);
    const body = (await response.json()) as { access_token: string };
    expect(body).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 1234 });
    expect(await askForToken(simulator.url)).not.toBe(body.access_token);
    expect(simulator.statistics()).toMatchObject({ tokensGiven: 2 });
    await eventually(() => simulator.statistics().requests.token?.['200'] === 2, { what: 'two counted' });
  });

  it('refuses as the real one does', async () => {
    await start({ credentials: { id: 'me', secret: 'right' } });
    const form = { grant_type: 'client_credentials' };
    const refusals: [Record<string, string>, Record<string, string>, string, string][] = [
      [{}, form, 'invalid_client', 'Invalid client'],
      [basic('me:'), form, 'invalid_client', 'Invalid client'],
      [basic(':right'), form, 'invalid_client', 'Invalid client'],
      [basic('you:right'), form, 'invalid_client', 'Invalid client'],
      [basic('me:wrong'), form, 'invalid_client', 'Invalid client secret'],
      [basic('me:right'), { grant_type: 'password' }, 'unsupported_grant_type', 'client_credentials'],
    ];
    for (const [headers, fields, error, description] of refusals) {
      const response = await askRaw(headers, fields);
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({
        error,
        error_description: expect.stringContaining(description),
      });
    }
    expect((await askRaw(basic('me:right'), form)).status).toBe(200);
    expect(simulator.statistics().tokensGiven).toBe(1);
  });

  it('lets tokens expire', async () => {
    await start({ tokenSeconds: 2 });
    const token = await askForToken(simulator.url);
    expect((await search(simulator.url, token)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 2_020));
    const late = await search(simulator.url, token);
    expect(late.status).toBe(401);
    expect(await late.json()).toEqual({ error: { status: 401, message: 'The access token expired' } });
  });

  it('revokes all tokens at a word, and gives new ones', async () => {
    await start();
    const tokens = [await askForToken(simulator.url), await askForToken(simulator.url)];
    simulator.change({ revokeTokens: true });
    for (const token of tokens) expect((await search(simulator.url, token)).status).toBe(401);
    expect((await search(simulator.url, await askForToken(simulator.url))).status).toBe(200);
  });

  it('knows neither invented tokens nor none', async () => {
    await start();
    expect((await search(simulator.url, 'invented')).status).toBe(401);
    expect((await fetch(`${simulator.url}/v1/search?q=x&type=track`)).status).toBe(401);
  });
});

describe('startSimulator', () => {
  it('refuses to be reached from other machines, and settings that make no sense', async () => {
    for (const host of ['0.0.0.0', '::', 'localhost', '192.168.1.1', '127.0.0.1.example', '']) {
      await expect(startSimulator(fakeWorld(), { host })).rejects.toBeInstanceOf(UserError);
    }
    for (const wrong of [{ port: 70_000 }, { quota: 'huge' }, { searchLimit: 0 }, { serchLimit: 1 }]) {
      const settings = wrong as SimulatorSettings;
      await expect(startSimulator(fakeWorld(), settings)).rejects.toThrow(/settings are wrong.*/);
    }
  });

  it('says when its port is taken', async () => {
    await start();
    const port = Number(new URL(simulator.url).port);
    await expect(startSimulator(fakeWorld(), { port })).rejects.toThrow(UserError);
  });

  it('gives the same tokens for the same seed', async () => {
    await start();
    const first = await askForToken(simulator.url);
    await simulator.close();
    await start();
    expect(await askForToken(simulator.url)).toBe(first);
  });
});

describe('the simulator’s own endpoints', () => {
  const post = (body: unknown) =>
    fetch(`${simulator.url}/simulator/settings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('say that it is well, and what is true of a track', async () => {
    await start();
    expect(await (await fetch(`${simulator.url}/simulator/health`)).json()).toEqual({
      ok: true,
      tracks: 120,
      seed: 1,
    });
    const truth = await fetch(`${simulator.url}/simulator/truth/track${'19'.padStart(17, '0')}`);
    expect(await truth.json()).toMatchObject({ popularity: 19, recording: 18, isrc: 'XXFAK0000018' });
    expect((await fetch(`${simulator.url}/simulator/truth/nobody`)).status).toBe(404);
    expect((await fetch(`${simulator.url}/v1/me`)).status).toBe(404);
  });

  it('change settings, all or none', async () => {
    await start();
    const token = await askForToken(simulator.url);
    expect((await post({ quota: 'development', revokeTokens: true })).status).toBe(200);
    expect((await search(simulator.url, token)).status).toBe(401);
    const renewed = await askForToken(simulator.url);
    expect((await search(simulator.url, renewed, { limit: '11' })).status).toBe(400);
    const refused = await post({ quota: 'extended', totalCap: -1 });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: expect.stringContaining('totalCap') });
    expect((await search(simulator.url, renewed, { limit: '11' })).status).toBe(400);
    for (const wrong of [{ port: 1 }, { unknown: 1 }, 'x', null])
      expect((await post(wrong)).status).toBe(400);
  });

  it('count by endpoint and status', async () => {
    await start();
    await fetch(`${simulator.url}/nowhere`);
    await search(simulator.url, 'invented');
    await eventually(
      async () => {
        const response = await fetch(`${simulator.url}/simulator/statistics`);
        const { requests } = (await response.json()) as ReturnType<Simulator['statistics']>;
        return requests.other?.['404'] === 1 && requests.search?.['401'] === 1;
      },
      { what: 'both requests to be counted' },
    );
  });
});
