import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { tensorflowCore } from './native.ts';
import { registerTrainingKernels, WASM_BACKEND } from './wasm-kernels.ts';

const require = createRequire(import.meta.url);

interface WasmModule {
  setWasmPaths(folder: string): void;
  version_wasm: string;
}

let started: Promise<string> | undefined;

/**
 * Make WebAssembly the back end of tfjs, with the kernels that training needs. SIMD is used where
 * Node has it (every version in use does); threads are not: tfjs turns them off under Node.
 * @returns the version of the back end
 */
export async function useWasmBackend(): Promise<string> {
  const tf = tensorflowCore();
  started ??= (async () => {
    const wasm = require('@tensorflow/tfjs-backend-wasm') as WasmModule;
    const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
    wasm.setWasmPaths(join(folder, sep));
    registerTrainingKernels(tf);
    return wasm.version_wasm;
  })();
  const version = await started;
  if (!(await tf.setBackend(WASM_BACKEND))) throw new Error('the WebAssembly back end could not be started');
  return version;
}
