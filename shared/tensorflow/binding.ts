import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { packageRoot } from '../paths.ts';
import { runCommand } from './command.ts';
import { tensorflowEnvironment } from './environment.ts';
import type { Compiler } from './machine.ts';
import type { Distribution } from './wheels.ts';

const require = createRequire(import.meta.url);

const BINDING = 'tfjs_binding.node';
/** Our own source: it includes the one named after it, and adds functions to the binding. */
const EXTENSION = join(packageRoot, 'shared/tensorflow/functions.cc');
const EXTENDED = 'tfjs_binding.cc';
/** Long enough for a slow machine under load: 10 s on two cores. */
const COMPILE_TIMEOUT_MS = 15 * 60_000;
/** Loading reads up to 6 GB of libraries, from a disk that may be slow. */
const VERIFY_TIMEOUT_MS = 5 * 60_000;

/** The C++ of @tensorflow/tfjs-node-gpu with our own, and the flags it is compiled with. */
export interface BindingSources {
  /** Absolute paths of the files to compile. */
  files: readonly string[];
  /** Folders of headers, those of TensorFlow aside. */
  includes: readonly string[];
  /** What identifies the result: changes with any source, header or flag. */
  key: string;
}

/** The flags that do not depend on where things lie, for the operating system of this process. */
function flags(os: string = process.platform): string[] {
  const common = ['-std=c++17', '-O2', '-fPIC', '-shared', '-w', '-DNAPI_VERSION=8', '-DNDEBUG'];
  // Node's own functions are found in the program that loads the binding.
  return os === 'darwin'
    ? [...common, '-undefined', 'dynamic_lookup', '-Wl,-rpath,@loader_path/../../tensorflow']
    : [...common, '-Wl,-rpath,$ORIGIN/../../tensorflow'];
}

/** Find the sources of the binding among the installed packages. */
export function bindingSources(): BindingSources {
  const packageFolder = dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
  const folder = join(packageFolder, 'binding');
  const names = readdirSync(folder)
    .filter((name) => /\.(cc|h)$/.test(name))
    .sort();
  const hash = createHash('sha256').update(JSON.stringify(flags()));
  for (const name of names) hash.update(`\0${name}\0`).update(readFileSync(join(folder, name)));
  hash.update(readFileSync(EXTENSION));
  const compiled = names.filter((name) => name.endsWith('.cc') && name !== EXTENDED);
  return {
    files: [...compiled.map((name) => join(folder, name)), EXTENSION],
    // Node's headers are often not installed with Node; this package is the Node project's copy.
    includes: [packageFolder, dirname(require.resolve('node-api-headers/include/node_api.h'))],
    key: hash.digest('hex').slice(0, 16),
  };
}

/** Path of the compiled binding for a distribution, whether it is there or not. */
export function bindingPath(folder: string, sources: Pick<BindingSources, 'key'>): string {
  return join(folder, 'bindings', sources.key, BINDING);
}

/** What the binding told when it was loaded in a process of its own. */
export interface LoadedBinding {
  version: string;
  /** Whether TensorFlow found a GPU that it can use. */
  gpu: boolean;
}

export interface CompileOptions {
  compiler: Compiler;
  distribution: Distribution;
  /** The folder of the distribution. */
  folder: string;
  sources: BindingSources;
}

/**
 * Compile the binding against a distribution, and keep it only if it loads.
 * @returns what it told when it was loaded
 * @throws UserError when the compiler or the loading fails, with the reason in one line
 */
export async function compileBinding(options: CompileOptions): Promise<LoadedBinding> {
  const { compiler, distribution, folder, sources } = options;
  const target = bindingPath(folder, sources);
  // Beside its final place, and as deep, so that the libraries are found from both.
  const aside = join(folder, 'bindings', `${sources.key}.partial`);
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  const result = await runCommand(
    compiler.command,
    [
      ...flags(),
      ...[join(folder, 'tensorflow', 'include'), ...sources.includes].map((include) => `-I${include}`),
      ...sources.files,
      ...distribution.libraries.map((library) => join(folder, 'tensorflow', library)),
      ...['-o', join(aside, BINDING)],
    ],
    { timeoutMs: COMPILE_TIMEOUT_MS },
  );
  if (result.status !== 0) {
    throw new UserError(
      `${compiler.command} (${compiler.version}) could not compile the binding: ${firstError(result.stderr)}`,
    );
  }
  const loaded = await verifyBinding(join(aside, BINDING));
  if (loaded.version !== distribution.version)
    throw new UserError(`the binding found TensorFlow ${loaded.version}, not ${distribution.version}`);
  await rm(dirname(target), { recursive: true, force: true });
  await rename(aside, dirname(target));
  return loaded;
}

/**
 * Load the binding in a process of its own: what does not fit this machine ends that one, not ours.
 * @throws UserError when it cannot be loaded
 */
export async function verifyBinding(path: string): Promise<LoadedBinding> {
  if (!existsSync(path)) throw new UserError(`${path} is missing`);
  const script = `const binding = require(process.argv[1]);
    console.log(JSON.stringify({ version: binding.TF_Version, gpu: binding.isUsingGpuDevice() }));`;
  const result = await runCommand(process.execPath, ['-e', script, path], {
    timeoutMs: VERIFY_TIMEOUT_MS,
    variables: tensorflowEnvironment(),
  });
  if (result.status === 0) return JSON.parse(result.stdout) as LoadedBinding;
  if (result.signal === 'SIGILL')
    throw new UserError('TensorFlow needs a processor with AVX instructions, which this one lacks');
  const reason = firstError(result.stderr) || `ended by ${result.signal ?? `status ${result.status}`}`;
  throw new UserError(`TensorFlow's library cannot be loaded on this machine: ${reason}`);
}

function firstError(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  return (lines.find((line) => /error/i.test(line)) ?? lines.find((line) => line !== '') ?? '').slice(0, 300);
}
