import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { spectrogramParameters } from '../../../shared/audio/parameters.ts';
import { SpectrogramPool } from '../../../shared/audio/pool.ts';
import { makeSpectrogram } from '../../../shared/audio/spectrogram.ts';
import { CancelledError, PermanentError } from '../../../shared/errors.ts';
import { entryPoint } from '../../../shared/paths.ts';
import { noise, wav } from '../../support/audio.ts';

const PARAMETERS = spectrogramParameters();
const CLIP = wav([noise(22_050, 0.5)]);
/** Half an hour that takes seconds to resample and to search. */
const LONG_RATE = 4_000;
const LONG = wav([noise(1_800 * LONG_RATE, 0.5)], LONG_RATE, 's16');

/** Ids of the child processes of a process. */
function childrenOf(parent: number): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(parent)], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).map(Number);
}

/** Ids of this process's children that decode: vitest may have others. */
function decoders(parent = process.pid): number[] {
  return childrenOf(parent).filter((id) => {
    const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(id)], { encoding: 'utf8' });
    return stdout.includes('spectrogram-process');
  });
}

const gone = (id: number): boolean => spawnSync('ps', ['-p', String(id)]).status !== 0;

const pools: SpectrogramPool[] = [];
function poolOf(processes: number, timeoutSeconds = 30, retireMegabytes = 512): SpectrogramPool {
  const pool = new SpectrogramPool({ processes, timeoutSeconds, retireMegabytes });
  pools.push(pool);
  return pool;
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  await vi.waitFor(() => expect(decoders()).toEqual([]), { timeout: 10_000 });
});

describe('SpectrogramPool', () => {
  it('makes what makeSpectrogram makes, more files at once than it has processes', async () => {
    const pool = poolOf(2);
    const files = Array.from({ length: 7 }, (_, i) => wav([noise(10_000 + i * 1_000, 0.5, i)]));
    const results = await Promise.all(files.map((file) => pool.make(file, PARAMETERS)));
    expect(decoders().length).toBe(2);
    for (const [i, file] of files.entries()) {
      expect({ ...results[i], levels: [...results[i]!.levels] }).toEqual({
        ...(await makeSpectrogram(file, PARAMETERS)),
        levels: [...results[i]!.levels],
      });
      expect(results[i]!.levels).toBeInstanceOf(Uint8Array);
    }
  });

  it('carries a permanent error over, class and reason', async () => {
    const pool = poolOf(1);
    const failure = pool.make(Buffer.from('<html>'), PARAMETERS);
    await expect(failure).rejects.toThrow(PermanentError);
    await expect(failure).rejects.toThrow('this is a web page (HTML)');
    expect((await pool.make(CLIP, PARAMETERS)).frames).toBe(44);
  });

  it('gives a file one more chance when its child is killed', async () => {
    const pool = poolOf(1);
    await pool.make(CLIP, PARAMETERS);
    const long = pool.make(LONG, PARAMETERS);
    await sleep(200);
    for (const id of decoders()) process.kill(id, 'SIGKILL');
    expect((await long).durationSeconds).toBe(1_800);
  });

  it('gives up on a file that takes its children down, and goes on with the others', async () => {
    const pool = poolOf(1);
    const bad = pool.make(LONG, PARAMETERS);
    const others = [CLIP, CLIP, CLIP].map((file) => pool.make(file, PARAMETERS));
    let settled = false;
    const reason = bad.then(
      () => 'made',
      (error: unknown) => error,
    );
    void reason.then(() => {
      settled = true;
    });
    while (!settled) {
      for (const id of settled ? [] : decoders()) process.kill(id, 'SIGSEGV');
      await sleep(100);
    }
    expect(await reason).toBeInstanceOf(PermanentError);
    expect(String(await reason)).toContain('decoding crashed (SIGSEGV)');
    // The last round may have hit a child that had just begun on another: it has its second chance.
    expect((await Promise.all(others)).map(({ frames }) => frames)).toEqual([44, 44, 44]);
  });

  it('replaces children that died while they had nothing to do', async () => {
    const pool = poolOf(2);
    await Promise.all([pool.make(CLIP, PARAMETERS), pool.make(CLIP, PARAMETERS)]);
    const idle = decoders();
    for (const id of idle) process.kill(id, 'SIGKILL');
    await vi.waitFor(() => expect(idle.every(gone)).toBe(true), { timeout: 10_000 });
    expect((await pool.make(CLIP, PARAMETERS)).frames).toBe(44);
  });

  it('replaces children that have grown', async () => {
    const pool = poolOf(1, 30, 1);
    const seen = new Set<number>();
    for (let i = 0; i < 3; i++) {
      expect((await pool.make(CLIP, PARAMETERS)).frames).toBe(44);
      for (const id of decoders()) seen.add(id);
    }
    expect(seen.size).toBe(3);
  });

  it('closes when a child died while it had nothing to do', async () => {
    const pool = poolOf(1);
    await pool.make(CLIP, PARAMETERS);
    for (const id of decoders()) process.kill(id, 'SIGKILL');
    await sleep(100);
    await pool.close();
  });

  it('ends a file that takes too long, and goes on with the others', async () => {
    const pool = poolOf(1, 8);
    await pool.make(CLIP, PARAMETERS);
    const hung = pool.make(CLIP, PARAMETERS);
    // Stopped, it is as deaf as in an endless loop; the signal that ends it waits until it goes on.
    const stopped = decoders();
    for (const id of stopped) process.kill(id, 'SIGSTOP');
    const next = pool.make(LONG.subarray(0, 100_000), PARAMETERS);
    await expect(hung).rejects.toThrow(new PermanentError('decoding took over 8 s'));
    for (const id of stopped) process.kill(id, 'SIGCONT');
    expect((await next).frames).toBeGreaterThan(100);
    expect(decoders()).not.toEqual(stopped);
  });

  it('stops when it is told to: at work, waiting, and before', async () => {
    const pool = poolOf(1);
    const controller = new AbortController();
    const files = [LONG, CLIP].map((file) => pool.make(file, PARAMETERS, controller.signal));
    const other = pool.make(CLIP, PARAMETERS);
    setTimeout(() => controller.abort(), 300);
    for (const file of files) await expect(file).rejects.toThrow(CancelledError);
    expect((await other).frames).toBe(44);
    await expect(pool.make(CLIP, PARAMETERS, controller.signal)).rejects.toThrow(CancelledError);
  });

  it('fails what is left when it is closed, and everything after', async () => {
    const pool = poolOf(1);
    const files = [LONG, CLIP].map((file) => pool.make(file, PARAMETERS));
    const failures = Promise.all(files.map((file) => expect(file).rejects.toThrow(CancelledError)));
    await sleep(300);
    await pool.close();
    await failures;
    await expect(pool.make(CLIP, PARAMETERS)).rejects.toThrow(CancelledError);
  });

  const moduleUrl = (path: `${string}.ts`): string => JSON.stringify(pathToFileURL(entryPoint(path)).href);
  const START = `
    const { SpectrogramPool } = await import(${moduleUrl('shared/audio/pool.ts')});
    const { spectrogramParameters } = await import(${moduleUrl('shared/audio/parameters.ts')});
    const pool = new SpectrogramPool({ processes: 1, timeoutSeconds: 60 });
    const make = (bytes) => pool.make(bytes, spectrogramParameters()).catch(() => {});`;

  it('does not hold up the end of the process once it is closed', () => {
    const program = `${START} await make(Buffer.from('x')); await pool.close();`;
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 });
  });

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'leaves no children when its process ends by %s',
    async (signal) => {
      const header = LONG.subarray(0, 44).toString('base64');
      const program = `${START}
      await make(Buffer.from('x'));
      process.stdout.write('ready');
      await make(Buffer.concat([Buffer.from('${header}', 'base64'), Buffer.alloc(${LONG.length - 44})]));`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(parent.stdout, 'data');
      await sleep(200);
      const children = decoders(parent.pid);
      expect(children.length).toBe(1);
      parent.kill(signal);
      await vi.waitFor(() => expect(children.every(gone)).toBe(true), { timeout: 10_000 });
    },
  );
});
