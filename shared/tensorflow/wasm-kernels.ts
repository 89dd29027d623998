import type * as core from '@tensorflow/tfjs-core';
import type { TensorFlow } from './native.ts';
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
 * - `MaxPoolGrad` is replaced: tfjs 4.22's gives a wrong gradient, without a word, for every window
 *   in which no value is positive.
 * - `AvgPoolGrad` is replaced: tfjs 4.22's is wrong at the edges where the window is padded.
 */
export function registerTrainingKernels(tf: TensorFlow): void {
  replaceKernel(tf, tf.Conv2DBackpropFilter, ({ inputs, attrs }) => {
    const { x, dy } = inputs as Inputs<'x' | 'dy'>;
    return convolutionFilterGradient(tf, x, dy, attrs as unknown as core.Conv2DBackpropFilterAttrs);
  });
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

function replaceKernel(tf: TensorFlow, kernelName: string, kernelFunc: core.KernelFunc): void {
  if (tf.getKernel(kernelName, WASM_BACKEND) !== undefined) tf.unregisterKernel(kernelName, WASM_BACKEND);
  tf.registerKernel({ kernelName, backendName: WASM_BACKEND, kernelFunc });
}

/**
 * The gradient of a 2-D convolution by its filter, out of operations that the back end has.
 *
 * For the filter's element at row r and column c, the input that it met at every output position is
 * a strided slice of the padded input, so that
 * `dFilter[r, c] = slice(x, r, c)ᵀ · dy`, both as matrices [positions, channels].
 *
 * @param x the convolution's input, [batch, height, width, channels]
 * @param dy the gradient of its output, [batch, out height, out width, out channels]
 * @returns the gradient, [filter height, filter width, channels, out channels]
 */
function convolutionFilterGradient(
  tf: TensorFlow,
  x: core.Tensor4D,
  dy: core.Tensor4D,
  attrs: core.Conv2DBackpropFilterAttrs,
): core.Tensor4D {
  const { strides, pad, dimRoundingMode, filterShape, dataFormat } = attrs;
  if (dataFormat !== 'NHWC') throw new Error(`Conv2DBackpropFilter: data format ${dataFormat} is not known`);
  const noDilation = 1;
  const info = tf.backend_util.computeConv2DInfo(
    x.shape,
    filterShape,
    strides,
    noDilation,
    pad,
    dimRoundingMode,
  );
  const { filterHeight, filterWidth, inChannels, outChannels, outHeight, outWidth, batchSize } = info;
  const { top, bottom, left, right } = info.padInfo;
  return tf.tidy(() => {
    const padded = tf.pad(x, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
    const positions = batchSize * outHeight * outWidth;
    const gradient = tf.reshape(dy, [positions, outChannels]);
    const elements: core.Tensor2D[] = [];
    for (let row = 0; row < filterHeight; row += 1) {
      for (let column = 0; column < filterWidth; column += 1) {
        const met = strideSlice(tf, padded, row, column, info);
        const matrix = tf.reshape(met, [positions, inChannels]);
        elements.push(tf.matMul(matrix, gradient, true, false) as core.Tensor2D);
      }
    }
    return tf.reshape(tf.stack(elements), filterShape);
  });
}

function strideSlice(
  tf: TensorFlow,
  padded: core.Tensor4D,
  row: number,
  column: number,
  info: core.backend_util.Conv2DInfo,
): core.Tensor4D {
  const { batchSize, inChannels, outHeight, outWidth, strideHeight, strideWidth } = info;
  if (strideHeight === 1 && strideWidth === 1)
    return tf.slice4d(padded, [0, row, column, 0], [batchSize, outHeight, outWidth, inChannels]);
  const end = [
    batchSize,
    row + (outHeight - 1) * strideHeight + 1,
    column + (outWidth - 1) * strideWidth + 1,
    inChannels,
  ];
  return tf.stridedSlice(padded, [0, row, column, 0], end, [
    1,
    strideHeight,
    strideWidth,
    1,
  ]) as core.Tensor4D;
}
