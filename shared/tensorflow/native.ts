import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import type * as core from '@tensorflow/tfjs-core';

/** TensorFlow's operations as functions: `tf.conv2d`, `tf.variableGrads`, `tf.train.adam`, ... */
export type TensorFlow = typeof core;

const require = createRequire(import.meta.url);

let prepared: TensorFlow | undefined;

/**
 * The one instance of tfjs-core in this process, with the gradients of its operations. It is required,
 * not imported, so that test runners and bundlers cannot make a second one: a tensor of one instance
 * means nothing to another.
 */
export function tensorflowCore(): TensorFlow {
  if (prepared === undefined) {
    prepared = require('@tensorflow/tfjs-core') as TensorFlow;
    // Under Node only this package registers the gradients; it is a dependency of tfjs-node-gpu's.
    createRequire(require.resolve('@tensorflow/tfjs-node-gpu/package.json'))('@tensorflow/tfjs');
    // It also brings the plain JavaScript back end, 50 times slower than WebAssembly: better an error
    // that names a missing kernel than that.
    prepared.removeBackend('cpu');
  }
  return prepared;
}

/** The name under which tfjs knows the native back end. */
export const NATIVE_BACKEND = 'tensorflow';

/** An attribute of an operation of TensorFlow. */
export interface OperationAttribute {
  readonly name: string;
  /** One of the binding's TF_ATTR_ codes. */
  readonly type: number;
  readonly value: unknown;
}

/** A tensor as the binding knows it. */
export interface BoundTensor {
  readonly id: number;
  readonly shape: number[];
  /** One of TensorFlow's codes of types. */
  readonly dtype: number;
}

/** What of the binding is used here; the back end uses more. */
export interface Binding {
  readonly TF_Version: string;
  readonly TF_ATTR_TYPE: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  isUsingGpuDevice(): boolean;
  createTensor(shape: number[], dtype: number, values: NodeJS.TypedArray): number;
  tensorDataSync(id: number): NodeJS.TypedArray;
  executeOp(
    operation: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): BoundTensor[];
  /** These two are our own (functions.cc): a stock tfjs-node lacks them. */
  addFunction?(name: string, graph: Uint8Array, inputs: string, outputs: string): void;
  removeFunction?(name: string): void;
}

/** What of tfjs-node's back end is used here. */
export interface NativeBackend {
  binding: Binding;
  getInputTensorIds(tensors: readonly core.TensorInfo[]): number[];
  getDTypeInteger(dtype: core.DataType): number;
  executeSingleOutput(
    operation: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly core.TensorInfo[],
  ): core.Tensor;
  executeMultipleOutputs(
    operation: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly core.TensorInfo[],
    outputs: number,
  ): core.Tensor[];
}

interface BackendModule {
  NodeJSKernelBackend: new (binding: Binding, packageName: string) => core.KernelBackend;
}

/** What the native library told once it was loaded. */
export interface NativeLibrary {
  version: string;
  /** Whether it runs on a GPU. */
  gpu: boolean;
}

let loaded: ({ path: string } & NativeLibrary) | undefined;

/**
 * Load the native library through a compiled binding, and make it the back end of tfjs.
 *
 * This does what the entry point of @tensorflow/tfjs-node-gpu does, which itself is passed by: it
 * looks for the binding in its own package folder alone.
 *
 * @param path absolute path of the binding
 * @throws Error when the library cannot be loaded, or this process has loaded another one already:
 *   two copies of TensorFlow in one process break each other
 */
export function useNativeBackend(path: string): NativeLibrary {
  const tf = tensorflowCore();
  if (loaded === undefined) {
    provideRemovedFunctions();
    const binding = require(path) as Binding;
    const dist = join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'dist');
    require(join(dist, 'register_all_kernels.js'));
    const { NodeJSKernelBackend } = require(join(dist, 'nodejs_kernel_backend.js')) as BackendModule;
    tf.registerBackend(NATIVE_BACKEND, () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu'));
    loaded = { path, version: binding.TF_Version, gpu: binding.isUsingGpuDevice() };
  }
  if (loaded.path !== path) throw new Error(`this process has loaded another TensorFlow: ${loaded.path}`);
  // Registering a back end that starts synchronously makes no promise: it is in place on return.
  void tf.setBackend(NATIVE_BACKEND);
  return { version: loaded.version, gpu: loaded.gpu };
}

/**
 * tfjs-node 4.22 calls two functions of `node:util` that Node 23 removed, or keeps with a warning on
 * standard error. These do the same, on every version.
 */
function provideRemovedFunctions(): void {
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
}
