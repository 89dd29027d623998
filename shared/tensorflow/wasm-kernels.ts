import type * as core from '@tensorflow/tfjs-core';
import type { TensorFlow } from './native.ts';
import { convolutionFilterGradient, convolutionInputGradient } from './wasm-convolution.ts';
import { averagePoolGradient, maxPoolGradient, type WasmBackend } from './wasm-pooling.ts';

/** The name under which tfjs knows the WebAssembly back end. */
export const WASM_BACKEND = 'wasm';

/** The inputs of a gradient's kernel, by name. The engine passes tensors, dense and of type float32. */
type Inputs<Name extends string> = Record<Name, core.Tensor4D>;

/**
 * Give the WebAssembly back end what it lacks to train a network of conv2d, bias, elu, pooling,
 * dropout, dense and recurrent layers, sigmoid cross entropy and Adam. Every other kernel was found
 * to be there and to agree with native TensorFlow (tests/unit/tensorflow).
 *
 * - `Conv2DBackpropFilter` is missing.
 * - `Conv2DBackpropInput` is replaced for stride 1: tfjs's takes eight times as long.
 * - `MaxPoolGrad` is replaced: tfjs 4.22's gives a wrong gradient, without a word, for every window
 *   in which no value is positive.
 * - `AvgPoolGrad` is replaced: tfjs 4.22's is wrong at the edges where the window is padded.
 */
export function registerTrainingKernels(tf: TensorFlow): void {
  replaceKernel(tf, tf.Conv2DBackpropFilter, ({ inputs, attrs }) => {
    const { x, dy } = inputs as Inputs<'x' | 'dy'>;
    return convolutionFilterGradient(tf, x, dy, attrs as unknown as core.Conv2DBackpropFilterAttrs);
  });
  const original = tf.getKernel(tf.Conv2DBackpropInput, WASM_BACKEND);
  replaceKernel(
    tf,
    tf.Conv2DBackpropInput,
    (call) => {
      const { dy, filter } = call.inputs as Inputs<'dy' | 'filter'>;
      const attrs = call.attrs as unknown as core.Conv2DBackpropInputAttrs;
      const isStrided = [attrs.strides].flat().some((stride) => stride !== 1);
      return isStrided ? original.kernelFunc(call) : convolutionInputGradient(tf, dy, filter, attrs);
    },
    original.setupFunc,
  );
  replaceKernel(tf, tf.MaxPoolGrad, ({ inputs, attrs, backend }) => {
    const { dy, input } = inputs as Inputs<'dy' | 'input'>;
    return maxPoolGradient(tf, backend as WasmBackend, dy, input, attrs as unknown as core.MaxPoolGradAttrs);
  });
  replaceKernel(tf, tf.AvgPoolGrad, ({ inputs, attrs, backend }) => {
    const { dy, input } = inputs as Inputs<'dy' | 'input'>;
    return averagePoolGradient(
      tf,
      backend as WasmBackend,
      dy,
      input,
      attrs as unknown as core.AvgPoolGradAttrs,
    );
  });
}

function replaceKernel(
  tf: TensorFlow,
  kernelName: string,
  kernelFunc: core.KernelFunc,
  setupFunc?: core.KernelSetupFunc,
): void {
  if (tf.getKernel(kernelName, WASM_BACKEND) !== undefined) tf.unregisterKernel(kernelName, WASM_BACKEND);
  const setUp = setupFunc === undefined ? {} : { setupFunc };
  tf.registerKernel({ kernelName, backendName: WASM_BACKEND, kernelFunc, ...setUp });
}
