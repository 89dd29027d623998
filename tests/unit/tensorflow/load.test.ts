import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../shared/errors.ts';
import { distributionFolder, readManifest, writeManifest } from '../../../shared/tensorflow/cache.ts';
import {
  inspectTensorFlow,
  loadTensorFlow,
  tensorflowEnvironment,
} from '../../../shared/tensorflow/index.ts';
import { thisMachine } from '../../../shared/tensorflow/machine.ts';
import { distributionFor } from '../../../shared/tensorflow/wheels.ts';

let cacheDir: string;
beforeAll(() => {
  cacheDir = mkdtempSync(join(tmpdir(), 'hiphop-load-'));
});
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

describe('with nothing set up', () => {
  test('auto falls back to WebAssembly, and says how to get the fast one', async () => {
    const { backend, note, tf } = await loadTensorFlow({ preference: 'auto', cacheDir });
    expect(backend).toBe('wasm');
    expect(note).toMatch(/as WebAssembly .* several times slower than native: .* `hiphop doctor --fix`$/);
    expect(note).not.toContain('\n');
    expect(tf.getBackend()).toBe('wasm');
  });

  test('the plain JavaScript back end is not there to be used by accident', async () => {
    const { tf } = await loadTensorFlow({ preference: 'wasm', cacheDir });
    expect(Object.keys(tf.engine().registryFactory)).toEqual(['wasm']);
  });

  test.each([
    ['cpu', /^TENSORFLOW=cpu cannot be met: .* is not set up in .*; run `hiphop doctor --fix`$/],
    [
      'gpu',
      /^TENSORFLOW=gpu cannot be met: .*(no NVIDIA driver|with CUDA is not set up).*; run `hiphop doctor/,
    ],
  ] as const)('a demand for %s is refused, with what is missing', async (preference, message) => {
    const loading = loadTensorFlow({ preference, cacheDir });
    await expect(loading).rejects.toThrow(UserError);
    await expect(loading).rejects.toThrow(message);
  });

  test('the doctor sees it, and says what to do', async () => {
    const inspection = await inspectTensorFlow({ cacheDir });
    expect(inspection).toMatchObject({
      platform: `${process.platform}-${process.arch}`,
      node: process.versions.node,
      version: '2.21.0',
      backend: 'wasm',
      provisioned: { cpu: { ready: false, bytes: 0 }, gpu: { ready: false, bytes: 0 } },
    });
    expect(inspection.advice.length).toBeGreaterThan(0);
    for (const line of inspection.advice) expect(line).not.toContain('\n');
  });
});

test('a manifest of other wheels, or of files that are gone, counts for nothing', async () => {
  const distribution = distributionFor({ ...thisMachine(), os: 'linux', arch: 'x64', glibc: '2.36' }, 'cpu');
  const folder = distributionFolder(cacheDir, distribution);
  mkdirSync(folder, { recursive: true });
  const wheels = distribution.wheels.map(({ sha256, keep }) => ({ file: 'x.whl', sha256, keep: [...keep] }));
  const manifest = { version: '2.21.0', wheels, files: [] };
  await writeManifest(folder, manifest);
  expect(readManifest(folder, distribution)).toEqual(manifest);
  await writeManifest(folder, { ...manifest, wheels: [{ ...wheels[0]!, sha256: '0'.repeat(64) }] });
  expect(readManifest(folder, distribution)).toBeUndefined();
  await writeManifest(folder, { ...manifest, files: [{ path: 'gone.so', bytes: 1, sha256: '' }] });
  expect(readManifest(folder, distribution)).toBeUndefined();
  writeFileSync(join(folder, 'manifest.json'), '{"version": "2.2');
  expect(readManifest(folder, distribution)).toBeUndefined();
});

test('tensorflowEnvironment hides the GPU only from the preference cpu', () => {
  expect(tensorflowEnvironment()).toEqual({
    TF_CPP_MIN_LOG_LEVEL: '2',
    TF_DETERMINISTIC_OPS: '1',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  });
  expect(tensorflowEnvironment('cpu')).toMatchObject({ CUDA_VISIBLE_DEVICES: '-1' });
});
