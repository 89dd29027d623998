import { UserError } from '../errors.ts';
import { CUDA_WHEELS } from './cuda-wheels.ts';
import type { Wheel } from './wheel.ts';

/** The version of TensorFlow that is used, everywhere. */
export const TENSORFLOW_VERSION = '2.21.0';

export type Accelerator = 'cpu' | 'gpu';

/** The machine, as far as it decides which TensorFlow can run on it. */
export interface Machine {
  /** `process.platform` and `process.arch`. */
  os: string;
  arch: string;
  /** Version of the GNU C library; undefined on other systems and on musl (Alpine). */
  glibc: string | undefined;
}

/** TensorFlow for one platform: wheels that unpack into one folder, as in Python's site-packages. */
export interface Distribution {
  version: string;
  accelerator: Accelerator;
  /** Name of its folder in the cache. */
  name: string;
  /** File names of the libraries to link against, in the wheel's folder `tensorflow/`. */
  libraries: readonly [string, string];
  wheels: readonly Wheel[];
}

/** The C interface, and what else its headers and the binding include, found by `g++ -M`. */
const HEADERS = [
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/',
  'tensorflow/include/tsl/platform/',
  'tensorflow/include/xla/tsl/c/',
];
const ELF_LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;
const MAC_LIBRARIES = ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'] as const;

/** Least version of the GNU C library that the wheels' platform tag manylinux_2_27 asks for. */
const LEAST_GLIBC = [2, 27] as const;

function tensorflowWheel(
  project: string,
  platform: string,
  bytes: number,
  keptBytes: number,
  sha256: string,
  libraries: readonly string[] = ELF_LIBRARIES,
): Wheel {
  const keep = [...libraries.map((library) => `tensorflow/${library}`), ...HEADERS];
  return { project, version: TENSORFLOW_VERSION, platform, sha256, bytes, keptBytes, keep };
}

const LINUX_X64_CPU = tensorflowWheel(
  'tensorflow-cpu',
  'manylinux_2_27_x86_64',
  274_000_871,
  860_000_000,
  'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
);
const LINUX_X64_GPU = tensorflowWheel(
  'tensorflow',
  'manylinux_2_27_x86_64',
  572_611_111,
  1_265_000_000,
  'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0',
);
const LINUX_ARM64 = tensorflowWheel(
  'tensorflow',
  'manylinux_2_27_aarch64',
  281_946_471,
  890_000_000,
  'b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552',
);
const MAC_ARM64 = tensorflowWheel(
  'tensorflow',
  'macosx_12_0_arm64',
  223_488_205,
  745_000_000,
  '56ecd7d47429acbe1df2694d50b75bf9fc3995ac92cb367cd9af6c4780ead712',
  MAC_LIBRARIES,
);

const WHEELS: Readonly<Record<string, readonly Wheel[]>> = {
  'linux-x64-cpu': [LINUX_X64_CPU],
  'linux-x64-gpu': [LINUX_X64_GPU, ...CUDA_WHEELS],
  'linux-arm64-cpu': [LINUX_ARM64],
  'darwin-arm64-cpu': [MAC_ARM64],
};

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

/**
 * Look up TensorFlow for a machine.
 * @throws UserError when TensorFlow publishes no wheel for it
 */
export function distributionFor(machine: Machine, accelerator: Accelerator): Distribution {
  const platform = `${machine.os}-${machine.arch}`;
  const wheels = WHEELS[`${platform}-${accelerator}`];
  if (wheels === undefined) {
    const what = accelerator === 'gpu' ? `TensorFlow ${TENSORFLOW_VERSION} with CUDA` : 'TensorFlow';
    throw new UserError(`${what} is not published for ${platform}`);
  }
  if (machine.os === 'linux' && (machine.glibc === undefined || isOlder(machine.glibc, LEAST_GLIBC))) {
    const found =
      machine.glibc === undefined ? 'this system has another (Alpine?)' : `here: ${machine.glibc}`;
    throw new UserError(`TensorFlow needs the GNU C library ${LEAST_GLIBC.join('.')} or newer (${found})`);
  }
  return {
    version: TENSORFLOW_VERSION,
    accelerator,
    name: `${TENSORFLOW_VERSION}-${accelerator}-${platform}`,
    libraries: machine.os === 'darwin' ? MAC_LIBRARIES : ELF_LIBRARIES,
    wheels,
  };
}

/** Bytes to download, and bytes on disk once unpacked. */
export function sizesOf(distribution: Pick<Distribution, 'wheels'>): { download: number; kept: number } {
  const sum = (of: (wheel: Wheel) => number) =>
    distribution.wheels.reduce((total, wheel) => total + of(wheel), 0);
  return { download: sum((wheel) => wheel.bytes), kept: sum((wheel) => wheel.keptBytes) };
}
