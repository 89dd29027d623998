import { existsSync } from 'node:fs';
import { runCommand } from './command.ts';
import type { Machine } from './wheels.ts';

/** Describe the machine that this process runs on. */
export function thisMachine(): Machine {
  const report = process.report as (typeof process.report & { excludeNetwork?: boolean }) | undefined;
  // Without this the report looks up the names of open connections, which can take seconds.
  if (report !== undefined) report.excludeNetwork = true;
  const { header } = (report?.getReport() ?? {}) as { header?: { glibcVersionRuntime?: string } };
  return { os: process.platform, arch: process.arch, glibc: header?.glibcVersionRuntime };
}

/** Where an NVIDIA driver shows: the kernel's own entry, WSL's device, the driver's library. */
const NVIDIA_SIGNS = [
  '/proc/driver/nvidia/version',
  '/dev/nvidiactl',
  '/usr/lib/wsl/lib/libcuda.so.1',
  '/usr/lib/x86_64-linux-gnu/libcuda.so.1',
  '/usr/lib64/libcuda.so.1',
];

/** Say whether an NVIDIA driver is present. Whether TensorFlow can use it shows when it is loaded. */
export function hasNvidiaDriver(signs: readonly string[] = NVIDIA_SIGNS): boolean {
  return signs.some((path) => existsSync(path));
}

/** What is found of a tool: how to call it, or one line on why it cannot be used. */
export type Finding<T> = { found: T; problem?: never } | { found?: never; problem: string };

export interface Python {
  /** The command, such as `python3`. */
  command: string;
  /** Its version, such as `3.11`. */
  version: string;
  pipVersion: string;
}

/** Names under which Python 3 and a C++ compiler are looked for, best first. */
export const PYTHONS: readonly string[] = ['python3', 'python'];
export const COMPILERS: readonly string[] = ['g++', 'clang++', 'c++'];

/** The first pip whose `download --platform` knows the tags manylinux_x_y (PEP 600). */
const LEAST_PIP = 20.3;
/** A look at a version takes well under a second; a shim that waits for something never ends. */
const PROBE_TIMEOUT_MS = 20_000;

/** Find a Python 3 that has pip. */
export async function findPython(commands: readonly string[] = PYTHONS): Promise<Finding<Python>> {
  let problem: string | undefined;
  for (const command of commands) {
    const { status, stdout, stderr } = await runCommand(command, ['-m', 'pip', '--version'], {
      timeoutMs: PROBE_TIMEOUT_MS,
    });
    const [, pipVersion, version] = /^pip (\S+) .*\(python (\d+\.\d+)\)/m.exec(stdout) ?? [];
    if (status === 0 && pipVersion !== undefined && version !== undefined) {
      if (!version.startsWith('3.')) problem ??= `${command} is Python ${version}; Python 3 is needed`;
      else if (Number.parseFloat(pipVersion) >= LEAST_PIP) return { found: { command, version, pipVersion } };
      else {
        const remedy = `\`${command} -m pip install --user --upgrade pip\``;
        problem ??= `pip ${pipVersion} is too old (${LEAST_PIP} or newer is needed): ${remedy}`;
      }
    } else if (/No module named/.test(stderr)) {
      problem ??= `${command} has no pip: \`apt-get install python3-pip\`, or \`${command} -m ensurepip\``;
    }
  }
  return { problem: problem ?? 'no Python found: `apt-get install python3-pip`' };
}

export interface Compiler {
  command: string;
  /** The first line of its `--version`. */
  version: string;
}

/** Find a C++ compiler. Whether it is new enough shows when it compiles. */
export async function findCompiler(commands: readonly string[] = COMPILERS): Promise<Finding<Compiler>> {
  for (const command of commands) {
    const { status, stdout } = await runCommand(command, ['--version'], { timeoutMs: PROBE_TIMEOUT_MS });
    if (status === 0) return { found: { command, version: stdout.split('\n')[0]?.trim() ?? '' } };
  }
  const remedy = process.platform === 'darwin' ? '`xcode-select --install`' : '`apt-get install g++`';
  return { problem: `no C++ compiler found: ${remedy}` };
}
