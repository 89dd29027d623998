import { describe, expect, test } from 'vitest';
import { UserError } from '../../../shared/errors.ts';
import { distributionFor, sizesOf } from '../../../shared/tensorflow/wheels.ts';

const linux = { os: 'linux', arch: 'x64', glibc: '2.36' };

describe('distributionFor', () => {
  test.each([
    [linux, 'cpu', 'tensorflow-cpu', 'manylinux_2_27_x86_64'],
    [linux, 'gpu', 'tensorflow', 'manylinux_2_27_x86_64'],
    [{ os: 'linux', arch: 'arm64', glibc: '2.31' }, 'cpu', 'tensorflow', 'manylinux_2_27_aarch64'],
    [{ os: 'darwin', arch: 'arm64', glibc: undefined }, 'cpu', 'tensorflow', 'macosx_12_0_arm64'],
  ] as const)('%o for %s', (machine, accelerator, project, platform) => {
    const { wheels } = distributionFor(machine, accelerator);
    expect(wheels[0]).toMatchObject({ project, platform, version: '2.21.0' });
    for (const wheel of wheels) {
      expect(wheel.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(wheel.keptBytes).toBeGreaterThan(0);
    }
  });

  test('brings the CUDA libraries for the GPU, each of its own checksum', () => {
    const { wheels, name } = distributionFor(linux, 'gpu');
    expect(name).toBe('2.21.0-gpu-linux-x64');
    expect(wheels.map((wheel) => wheel.project)).toContain('nvidia-cudnn-cu12');
    expect(new Set(wheels.map((wheel) => wheel.sha256)).size).toBe(13);
    expect(sizesOf({ ...distributionFor(linux, 'gpu') }).download).toBeGreaterThan(3e9);
  });

  test.each([
    [{ os: 'win32', arch: 'x64', glibc: undefined }, 'cpu', /not published for win32-x64/],
    [{ os: 'darwin', arch: 'x64', glibc: undefined }, 'cpu', /not published for darwin-x64/],
    [{ os: 'linux', arch: 'arm64', glibc: '2.36' }, 'gpu', /with CUDA is not published for linux-arm64/],
    [{ os: 'linux', arch: 'x64', glibc: undefined }, 'cpu', /GNU C library 2.27 .*Alpine/],
    [{ os: 'linux', arch: 'x64', glibc: '2.17' }, 'cpu', /here: 2\.17/],
  ] as const)('refuses %o for %s', (machine, accelerator, message) => {
    expect(() => distributionFor(machine, accelerator)).toThrow(UserError);
    expect(() => distributionFor(machine, accelerator)).toThrow(message);
  });
});
