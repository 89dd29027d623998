import { existsSync } from 'node:fs';
import { reasonOf, UserError } from '../errors.ts';
import { bindingPath, bindingSources } from './binding.ts';
import { distributionFolder, readManifest } from './cache.ts';
import { hasNvidiaDriver, thisMachine } from './machine.ts';
import { type TensorFlow, tensorflowCore, useNativeBackend } from './native.ts';
import { useWasmBackend } from './wasm.ts';
import { type Accelerator, type Distribution, distributionFor, TENSORFLOW_VERSION } from './wheels.ts';

/** Which TensorFlow is wanted: `auto` takes the best there is. */
export type Preference = 'auto' | 'gpu' | 'cpu' | 'wasm';
/** Which one runs. */
export type Backend = 'tensorflow-gpu' | 'tensorflow-cpu' | 'wasm';

export interface LoadOptions {
  preference: Preference;
  /** The folder that `provisionTensorFlow` filled. */
  cacheDir: string;
}

export interface LoadedTensorFlow {
  tf: TensorFlow;
  backend: Backend;
  /** TensorFlow's own version, or that of the WebAssembly back end. */
  version: string;
  /** One line for people: what runs, and where it is not the best, how to get the best. */
  note: string;
}

/** How people get the fast one. */
export const REMEDY = 'run `hiphop doctor --fix`';

/** The binding of a TensorFlow that has been made ready, or one line on why there is none. */
export type Readiness = { binding: string; problem?: never } | { binding?: never; problem: string };

/** See whether a TensorFlow has been made ready. Cheap: it looks at names and sizes alone. */
export function findReady(cacheDir: string, accelerator: Accelerator): Readiness {
  let distribution: Distribution;
  try {
    distribution = distributionFor(thisMachine(), accelerator);
  } catch (error) {
    if (error instanceof UserError) return { problem: error.message };
    throw error;
  }
  const folder = distributionFolder(cacheDir, distribution);
  const binding = bindingPath(folder, bindingSources());
  if (readManifest(folder, distribution) !== undefined && existsSync(binding)) return { binding };
  const what =
    accelerator === 'gpu' ? `TensorFlow ${TENSORFLOW_VERSION} with CUDA` : `TensorFlow ${TENSORFLOW_VERSION}`;
  return { problem: `${what} is not set up in ${cacheDir}` };
}

/** Which native TensorFlow to try, best first. */
export function candidates(preference: 'auto' | 'gpu' | 'cpu'): readonly Accelerator[] {
  if (preference === 'gpu') return ['gpu'];
  // The one with CUDA runs without a GPU too, so it serves where it is the only one.
  return preference === 'auto' && hasNvidiaDriver() ? ['gpu', 'cpu'] : ['cpu', 'gpu'];
}

/**
 * Load TensorFlow into this process, out of what has been made ready: nothing is downloaded or built.
 * The best there is, in this order: native on the GPU, native on the CPU, WebAssembly. The plain
 * JavaScript back end of tfjs is never used.
 *
 * The process should have been started with `tensorflowEnvironment()`. Same seed, same machine, same
 * back end give the same result then, to the bit.
 *
 * @throws UserError when preference `gpu` or `cpu` cannot be met, with what is missing
 */
export async function loadTensorFlow({ preference, cacheDir }: LoadOptions): Promise<LoadedTensorFlow> {
  if (preference === 'wasm') return loadWasm('as the settings ask');
  const problems: string[] = [];
  for (const accelerator of candidates(preference)) {
    const { binding, problem } = findReady(cacheDir, accelerator);
    if (binding === undefined) {
      problems.push(problem);
      continue;
    }
    try {
      const library = useNativeBackend(binding);
      const misfit = misfitOf(preference, library.gpu);
      if (misfit === undefined) return describe(library, preference);
      // One process takes one native library: having loaded this one, there is no other to try.
      problems.unshift(misfit);
      break;
    } catch (error) {
      problems.unshift(reasonOf(error));
    }
  }
  const noDriver = preference === 'gpu' && !hasNvidiaDriver();
  const reason = noDriver ? 'there is no NVIDIA driver on this machine' : problems[0];
  if (preference !== 'auto')
    throw new UserError(`TENSORFLOW=${preference} cannot be met: ${reason}; ${REMEDY}`);
  return loadWasm(`several times slower than native: ${reason}; ${REMEDY}`);
}

function misfitOf(preference: Preference, gpu: boolean): string | undefined {
  if (preference === 'gpu' && !gpu) return 'TensorFlow cannot use the GPU: update the NVIDIA driver';
  if (preference === 'cpu' && gpu)
    return 'TensorFlow runs on the GPU in this process (start it with tensorflowEnvironment("cpu"))';
  return undefined;
}

function describe(library: { version: string; gpu: boolean }, preference: Preference): LoadedTensorFlow {
  const { version, gpu } = library;
  const tf = tensorflowCore();
  if (gpu) return { tf, backend: 'tensorflow-gpu', version, note: `TensorFlow ${version} on the GPU` };
  const idle = preference === 'auto' && hasNvidiaDriver();
  const hint = idle ? `; there is an NVIDIA driver, but the GPU is not in use: ${REMEDY}` : '';
  return { tf, backend: 'tensorflow-cpu', version, note: `TensorFlow ${version} on the CPU${hint}` };
}

async function loadWasm(why: string): Promise<LoadedTensorFlow> {
  const version = await useWasmBackend();
  const note = `TensorFlow as WebAssembly (tfjs ${version}), ${why}`;
  return { tf: tensorflowCore(), backend: 'wasm', version, note };
}
