import { UserError } from '../errors.ts';
import { verifyBinding } from './binding.ts';
import { bytesUnder, distributionFolder } from './cache.ts';
import { type Backend, candidates, findReady, REMEDY } from './load.ts';
import { findCompiler, findPython, hasNvidiaDriver, thisMachine } from './machine.ts';
import { type Accelerator, distributionFor, TENSORFLOW_VERSION } from './wheels.ts';

export interface TensorFlowInspection {
  /** As in `linux-x64`. */
  platform: string;
  node: string;
  /** TensorFlow's version that is used here. */
  version: string;
  python: { command: string; version: string; pip: string } | undefined;
  compiler: { command: string; version: string } | undefined;
  nvidiaDriver: boolean;
  /** For CPU and GPU: whether one is published for this machine, is ready, and its size on disk. */
  provisioned: Record<Accelerator, { published: boolean; ready: boolean; bytes: number }>;
  /** The back end that `auto` will choose. */
  backend: Backend;
  /** What would make it faster, each one line that says what to do. */
  advice: string[];
}

/** Look at what there is, for `hiphop doctor`. Loads TensorFlow in a child process, if it is ready. */
export async function inspectTensorFlow({ cacheDir }: { cacheDir: string }): Promise<TensorFlowInspection> {
  const machine = thisMachine();
  const [python, compiler] = await Promise.all([findPython(), findCompiler()]);
  const nvidiaDriver = hasNvidiaDriver();
  const advice: string[] = [];

  const examine = async (accelerator: Accelerator) => {
    try {
      const folder = distributionFolder(cacheDir, distributionFor(machine, accelerator));
      const { binding } = findReady(cacheDir, accelerator);
      return { published: true, binding, bytes: await bytesUnder(folder) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (accelerator === 'cpu') advice.push(`${error.message}: use Linux on x64 or ARM, or macOS on ARM`);
      return { published: false, binding: undefined, bytes: 0 };
    }
  };
  const found = { gpu: await examine('gpu'), cpu: await examine('cpu') };
  let backend: Backend = 'wasm';
  for (const accelerator of candidates('auto')) {
    const { binding } = found[accelerator];
    if (binding === undefined || backend !== 'wasm') continue;
    try {
      backend = (await verifyBinding(binding)).gpu ? 'tensorflow-gpu' : 'tensorflow-cpu';
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      advice.push(`${error.message}: delete ${binding} and ${REMEDY}`);
    }
  }
  const missing = nvidiaDriver && found.gpu.published ? backend !== 'tensorflow-gpu' : backend === 'wasm';
  if (missing && found.cpu.published) {
    if (python.found === undefined) advice.push(`${python.problem}, then ${REMEDY}`);
    if (compiler.found === undefined) advice.push(`${compiler.problem}, then ${REMEDY}`);
    if (python.found !== undefined && compiler.found !== undefined)
      advice.push(adviceFor(found, nvidiaDriver));
  }
  const strip = ({ published, binding, bytes }: (typeof found)['cpu']) => {
    return { published, ready: binding !== undefined, bytes };
  };
  return {
    platform: `${machine.os}-${machine.arch}`,
    node: process.versions.node,
    version: TENSORFLOW_VERSION,
    python: python.found && {
      command: python.found.command,
      version: python.found.version,
      pip: python.found.pipVersion,
    },
    compiler: compiler.found,
    nvidiaDriver,
    provisioned: { cpu: strip(found.cpu), gpu: strip(found.gpu) },
    backend,
    advice,
  };
}

function adviceFor(
  found: Record<Accelerator, { binding: string | undefined }>,
  nvidiaDriver: boolean,
): string {
  if (nvidiaDriver && found.gpu.binding !== undefined)
    return 'TensorFlow with CUDA finds no GPU that it can use: update the NVIDIA driver';
  const what = nvidiaDriver ? 'TensorFlow with CUDA is' : 'TensorFlow is';
  return `${what} not set up, which makes training many times slower: ${REMEDY}`;
}
