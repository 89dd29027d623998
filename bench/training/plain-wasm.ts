import { createRequire } from 'node:module';
import type * as core from '@tensorflow/tfjs-core';
import type { TensorFlow } from '../../shared/tensorflow/index.ts';
import { tensorflowCore } from '../../shared/tensorflow/native.ts';
import { WASM_BACKEND } from '../../shared/tensorflow/wasm-kernels.ts';

/** Changes between the kernels of this project and the plain ones. */
export interface KernelSwitch {
  use(which: 'own' | 'plain'): void;
}

/**
 * Keep tfjs's own gradient of a convolution by its input, before this project replaces it, and make the plain
 * gradient by the filter, which tfjs lacks: a slice and a product for each of the filter's elements.
 *
 * Call it before the WebAssembly back end is loaded, and what it returns after.
 */
export function keepPlainKernels(): () => KernelSwitch {
  const tf = tensorflowCore();
  createRequire(import.meta.url)('@tensorflow/tfjs-backend-wasm');
  const byInput = tf.getKernel(tf.Conv2DBackpropInput, WASM_BACKEND);
  const byFilter: core.KernelConfig = {
    ...{ kernelName: tf.Conv2DBackpropFilter, backendName: WASM_BACKEND },
    kernelFunc: ({ inputs, attrs }) => {
      const { x, dy } = inputs as Record<'x' | 'dy', core.Tensor4D>;
      return plainFilterGradient(tf, x, dy, attrs as unknown as core.Conv2DBackpropFilterAttrs);
    },
  };
  return () => {
    const names = [tf.Conv2DBackpropInput, tf.Conv2DBackpropFilter];
    const kernels = {
      own: names.map((name) => tf.getKernel(name, WASM_BACKEND)),
      plain: [byInput, byFilter],
    };
    return {
      use: (which) => {
        for (const kernel of kernels[which]) {
          tf.unregisterKernel(kernel.kernelName, WASM_BACKEND);
          tf.registerKernel(kernel);
        }
      },
    };
  };
}

/** Of stride 1 alone. */
function plainFilterGradient(
  tf: TensorFlow,
  x: core.Tensor4D,
  dy: core.Tensor4D,
  { pad, filterShape }: core.Conv2DBackpropFilterAttrs,
): core.Tensor4D {
  const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, 1, 1, pad);
  const { top, bottom, left, right } = info.padInfo;
  const { batchSize, filterHeight, filterWidth, inChannels, outChannels, outHeight, outWidth } = info;
  const positions = batchSize * outHeight * outWidth;
  return tf.tidy(() => {
    const padded = tf.pad(x, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
    const gradient = tf.reshape(dy, [positions, outChannels]);
    const elements = Array.from({ length: filterHeight * filterWidth }, (_, element) => {
      const begin = [0, Math.floor(element / filterWidth), element % filterWidth, 0];
      const met = tf.slice(padded, begin, [batchSize, outHeight, outWidth, inChannels]);
      return tf.matMul(tf.reshape(met, [positions, inChannels]), gradient, true, false);
    });
    return tf.reshape(tf.stack(elements), filterShape);
  });
}
