import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { type BindingSources, bindingPath, bindingSources, compileBinding } from './binding.ts';
import { cachePaths, distributionFolder, readManifest } from './cache.ts';
import { fetchBundle, takeLock } from './fetch.ts';
import { COMPILERS, findCompiler, hasNvidiaDriver, PYTHONS, thisMachine } from './machine.ts';
import { type Accelerator, type Distribution, distributionFor } from './wheels.ts';

export interface ProvisionOptions {
  /** Absolute path of a folder outside the checkout; everything goes into its folder `tensorflow`. */
  cacheDir: string;
  /** Takes one line for people. */
  log: (line: string) => void;
  /** Left out: `gpu` where an NVIDIA driver is present, else `cpu`. */
  accelerator?: Accelerator;
  /** Stand-ins for what is found on the machine, for tests. */
  using?: Partial<ProvisionParts>;
}

export interface ProvisionParts {
  distribution: Distribution;
  /** Commands tried in turn. */
  pythons: readonly string[];
  compilers: readonly string[];
  sources: BindingSources;
}

/** A TensorFlow that is ready to be loaded. */
export interface Provisioned {
  version: string;
  accelerator: Accelerator;
  /** Path of the compiled binding. */
  binding: string;
  /** Whether TensorFlow found a GPU that it can use; undefined when nothing had to be done. */
  gpu: boolean | undefined;
}

/**
 * Make TensorFlow ready on this machine: download its wheel from PyPI, unpack its libraries and
 * headers, compile the binding of @tensorflow/tfjs-node-gpu against them, and try it.
 *
 * What is there already is not done again. An end at any point, by error or by kill, leaves nothing
 * half-made behind that would be taken for whole, and a finished download is not repeated. Of two
 * processes at once, the second waits for the first.
 *
 * The GPU's distribution could be tested only as far as loading goes, on a machine without a GPU;
 * macOS and Linux on ARM only as far as the wheels' contents go.
 *
 * @throws UserError when something is missing: its message says what, and what to do
 */
export async function provisionTensorFlow(options: ProvisionOptions): Promise<Provisioned> {
  const { cacheDir, using = {} } = options;
  const accelerator = options.accelerator ?? (hasNvidiaDriver() ? 'gpu' : 'cpu');
  const distribution = using.distribution ?? distributionFor(thisMachine(), accelerator);
  const sources = using.sources ?? bindingSources();
  const folder = distributionFolder(cacheDir, distribution);
  const binding = bindingPath(folder, sources);
  const ready = { version: distribution.version, accelerator: distribution.accelerator, binding };
  const isReady = () => readManifest(folder, distribution) !== undefined && existsSync(binding);
  if (isReady()) return { ...ready, gpu: undefined };

  const release = await takeLock(cachePaths(cacheDir), 'TensorFlow', options.log);
  try {
    if (isReady()) return { ...ready, gpu: undefined };
    return { ...ready, gpu: await makeReady(distribution, sources, folder, options) };
  } finally {
    await release();
  }
}

async function makeReady(
  distribution: Distribution,
  sources: BindingSources,
  folder: string,
  { cacheDir, log, using = {} }: ProvisionOptions,
): Promise<boolean> {
  // Look for the compiler first: without it the download would be for nothing.
  const compiler = await findCompiler(using.compilers ?? COMPILERS);
  if (compiler.found === undefined) throw new UserError(compiler.problem);
  const title = `TensorFlow ${distribution.version} for ${distribution.accelerator.toUpperCase()}`;

  if (readManifest(folder, distribution) === undefined) {
    const required = distribution.libraries.map((library) => join('tensorflow', library));
    const pythons = using.pythons ?? PYTHONS;
    await fetchBundle({ ...distribution, title, required }, { paths: cachePaths(cacheDir), pythons, log });
  }

  log(`${title}: compiling the binding with ${compiler.found.command}`);
  const loaded = await compileBinding({ compiler: compiler.found, distribution, folder, sources });
  log(`${title}: ready`);
  return loaded.gpu;
}
