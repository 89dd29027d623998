import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../shared/config.ts';
import { distributionFolder, readManifest, sha256Of } from '../../shared/tensorflow/cache.ts';
import { inspectTensorFlow, setUpTensorFlow, tensorflowEnvironment } from '../../shared/tensorflow/index.ts';
import { thisMachine } from '../../shared/tensorflow/machine.ts';
import { distributionFor } from '../../shared/tensorflow/wheels.ts';

const { cacheDir } = parseConfig(process.env);
const run = promisify(execFile);

interface Outcome {
  backend: string;
  version: string;
  note: string;
  losses: number[];
  weights: number[];
}

/** On processors with AVX-512 VNNI TensorFlow 2.21 tells of oneDNN before any level of its log counts. */
const unasked = (stderr: string) =>
  stderr
    .split('\n')
    .filter((line) => line !== '' && !/absl::InitializeLog|oneDNN custom operations are on/.test(line));

/** Needs PyPI the first time on a machine: 274 MB, kept in the cache folder that the program uses. */
describe('native TensorFlow', () => {
  beforeAll(async () => {
    const result = await setUpTensorFlow({ cacheDir, log: () => {}, preference: 'cpu' });
    expect(result).toEqual({ provisioned: true, note: 'TensorFlow 2.21.0 for CPU is ready' });
  }, 600_000);

  async function train(): Promise<Outcome> {
    const child = join(dirname(import.meta.filename), 'tensorflow-child.mjs');
    const { stdout, stderr } = await run(process.execPath, [child, cacheDir], {
      env: { ...process.env, ...tensorflowEnvironment('cpu') },
      maxBuffer: 10_000_000,
    });
    expect(unasked(stderr), 'TensorFlow is quiet').toEqual([]);
    return JSON.parse(stdout) as Outcome;
  }

  test('trains in a child process, quietly, and in two processes to the same bits', async () => {
    const [first, second] = [await train(), await train()];
    expect(first).toMatchObject({
      backend: 'tensorflow-cpu',
      version: '2.21.0',
      note: expect.stringMatching(/^TensorFlow 2\.21\.0 on the CPU/),
    });
    expect(first.losses.at(-1)).toBeLessThan(0.5 * first.losses[0]!);
    expect(second.weights).toEqual(first.weights);
  });

  test('the libraries in the cache are those that were unpacked', async () => {
    const distribution = distributionFor(thisMachine(), 'cpu');
    const folder = distributionFolder(cacheDir, distribution);
    const manifest = readManifest(folder, distribution);
    expect(manifest?.files).toHaveLength(2);
    for (const { path, sha256 } of manifest?.files ?? [])
      expect(await sha256Of(join(folder, path))).toBe(sha256);
  });

  test('the doctor has nothing to advise on a machine without an NVIDIA driver', async () => {
    const { provisioned, backend, advice, nvidiaDriver } = await inspectTensorFlow({ cacheDir });
    expect(provisioned.cpu.ready).toBe(true);
    expect(provisioned.cpu.bytes).toBeGreaterThan(800e6);
    if (nvidiaDriver) return;
    expect(backend).toBe('tensorflow-cpu');
    expect(advice).toEqual([]);
  });
});
