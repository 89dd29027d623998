import type * as core from '@tensorflow/tfjs-core';
import type { TensorFlow } from './native.ts';

/*
 * Both gradients of a convolution are convolutions themselves, and only those run fast on the WebAssembly
 * back end: its matrix products of transposed operands and its own gradient by the input are plain loops.
 */

const noDilation = 1;

/**
 * The gradient of a 2-D convolution by its filter.
 *
 * The filter's element at row r and column c met, at every output position, the input that lies r and c
 * further: `dFilter[r, c] = Σ x[strides * position + (r, c) - padding] dy[position]`. That is a convolution of x by
 * dy, spread by the strides, in which the batch is what is summed over, as channels usually are.
 *
 * @param x the convolution's input, [batch, height, width, channels]
 * @param dy the gradient of its output, [batch, out height, out width, out channels]
 * @returns the gradient, [filter height, filter width, channels, out channels]
 */
export function convolutionFilterGradient(
  tf: TensorFlow,
  x: core.Tensor4D,
  dy: core.Tensor4D,
  attrs: core.Conv2DBackpropFilterAttrs,
): core.Tensor4D {
  const { strides, pad, dimRoundingMode, filterShape, dataFormat } = attrs;
  if (dataFormat !== 'NHWC') throw new Error(`Conv2DBackpropFilter: data format ${dataFormat} is not known`);
  const info = tf.backend_util.computeConv2DInfo(
    ...([x.shape, filterShape, strides, noDilation, pad, dimRoundingMode] as const),
  );
  const { filterHeight, filterWidth, inChannels, outChannels, strideHeight, strideWidth } = info;
  const { top, bottom, left, right } = info.padInfo;
  return tf.tidy(() => {
    const gradient = tf.conv2d(
      tf.transpose(x, [3, 1, 2, 0]),
      tf.transpose(dy, [1, 2, 0, 3]),
      1,
      padding(top, bottom, left, right),
      'NHWC',
      [strideHeight, strideWidth],
    );
    // Rows that no whole window of the input reached are beyond the filter.
    const whole = tf.slice4d(gradient, [0, 0, 0, 0], [inChannels, filterHeight, filterWidth, outChannels]);
    return tf.transpose(whole, [1, 2, 0, 3]);
  });
}

/**
 * The gradient of a 2-D convolution of stride 1 by its input: dy convolved by the filter turned round, input and
 * output channels swapped.
 *
 * @param dy the gradient of the convolution's output, [batch, out height, out width, out channels]
 * @returns the gradient, [batch, height, width, channels]
 */
export function convolutionInputGradient(
  tf: TensorFlow,
  dy: core.Tensor4D,
  filter: core.Tensor4D,
  { strides, pad, dimRoundingMode, inputShape }: core.Conv2DBackpropInputAttrs,
): core.Tensor4D {
  const info = tf.backend_util.computeConv2DInfo(
    ...([inputShape, filter.shape, strides, noDilation, pad, dimRoundingMode] as const),
  );
  const { top, bottom, left, right } = info.padInfo;
  const [high, wide] = [info.filterHeight - 1, info.filterWidth - 1];
  return tf.tidy(() => {
    const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
    return tf.conv2d(dy, turned, 1, padding(high - top, high - bottom, wide - left, wide - right));
  });
}

function padding(
  top: number,
  bottom: number,
  left: number,
  right: number,
): core.backend_util.ExplicitPadding {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}
