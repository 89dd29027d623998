/**
 * TensorFlow, the real thing: its own shared library, driven by the JavaScript and C++ of
 * @tensorflow/tfjs-node-gpu, with WebAssembly to fall back on.
 */
export { addBias } from './bias.ts';
export { dropoutMask } from './dropout.ts';
export { tensorflowEnvironment } from './environment.ts';
export { inspectTensorFlow, type TensorFlowInspection } from './inspect.ts';
export {
  type Backend,
  type LoadedTensorFlow,
  type LoadOptions,
  loadTensorFlow,
  type Preference,
} from './load.ts';
export type { TensorFlow } from './native.ts';
export { type Provisioned, type ProvisionOptions, provisionTensorFlow } from './provision.ts';
export { type SetUpOptions, type SetUpResult, setUpTensorFlow } from './setup.ts';
export { type CompiledFunction, compileFunction, type TensorFunction } from './trace.ts';
export { type Accelerator, TENSORFLOW_VERSION } from './wheels.ts';
