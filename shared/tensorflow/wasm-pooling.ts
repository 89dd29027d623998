import type * as core from '@tensorflow/tfjs-core';
import type { TensorFlow } from './native.ts';

/** What these kernels use of the WebAssembly back end. */
export interface WasmBackend {
  /** A new tensor, its memory as it was left by others. */
  makeOutput(shape: number[], dtype: core.DataType): core.TensorInfo;
  /** The memory of a tensor itself, until the next one is made: the heap may move then. */
  typedArrayFromHeap(info: core.TensorInfo): Float32Array;
}

interface PoolAttributes {
  filterSize: [number, number] | number;
  strides: [number, number] | number;
  pad: 'valid' | 'same' | number | core.backend_util.ExplicitPadding;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Called once for each output position with the input positions that its window covers. */
type Window = (output: number, positions: Int32Array, count: number) => void;

/**
 * Visit the window of each output position of a pooling, padding left out.
 * Positions are offsets of a pixel's first channel in [batch, height, width, channels].
 */
function forEachWindow(info: core.backend_util.Conv2DInfo, visit: Window): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels } = info;
  const positions = new Int32Array(info.filterHeight * info.filterWidth);
  let output = 0;
  for (let batch = 0; batch < batchSize; batch += 1) {
    for (let outRow = 0; outRow < outHeight; outRow += 1) {
      const top = outRow * info.strideHeight - info.padInfo.top;
      const rowEnd = Math.min(top + info.filterHeight, inHeight);
      for (let outColumn = 0; outColumn < outWidth; outColumn += 1) {
        const left = outColumn * info.strideWidth - info.padInfo.left;
        const columnEnd = Math.min(left + info.filterWidth, inWidth);
        let count = 0;
        for (let row = Math.max(top, 0); row < rowEnd; row += 1) {
          for (let column = Math.max(left, 0); column < columnEnd; column += 1) {
            positions[count] = ((batch * inHeight + row) * inWidth + column) * inChannels;
            count += 1;
          }
        }
        visit(output, positions, count);
        output += inChannels;
      }
    }
  }
}

function poolInfo(tf: TensorFlow, shape: number[], attrs: PoolAttributes): core.backend_util.Conv2DInfo {
  const noDilation = 1;
  return tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    attrs.filterSize,
    attrs.strides,
    noDilation,
    attrs.pad,
    attrs.dimRoundingMode,
  );
}

/**
 * The gradient of max pooling: each output's gradient goes to the first greatest input of its window,
 * as in TensorFlow.
 */
export function maxPoolGradient(
  tf: TensorFlow,
  backend: WasmBackend,
  dy: core.TensorInfo,
  input: core.TensorInfo,
  attrs: PoolAttributes,
): core.TensorInfo {
  const info = poolInfo(tf, input.shape, attrs);
  const dx = backend.makeOutput(input.shape, 'float32');
  const [to, from, values] = [dx, dy, input].map((tensor) => backend.typedArrayFromHeap(tensor)) as Views<3>;
  to.fill(0);
  forEachWindow(info, (output, positions, count) => {
    for (let channel = 0; channel < info.inChannels; channel += 1) {
      let greatest = positions[0]! + channel;
      let value = values[greatest]!;
      for (let index = 1; index < count; index += 1) {
        const position = positions[index]! + channel;
        const other = values[position]!;
        if (other > value) {
          value = other;
          greatest = position;
        }
      }
      to[greatest] = to[greatest]! + from[output + channel]!;
    }
  });
  return dx;
}

/** The gradient of average pooling: each output's gradient is shared by the inputs of its window. */
export function averagePoolGradient(
  tf: TensorFlow,
  backend: WasmBackend,
  dy: core.TensorInfo,
  input: core.TensorInfo,
  attrs: PoolAttributes,
): core.TensorInfo {
  const info = poolInfo(tf, input.shape, attrs);
  const dx = backend.makeOutput(input.shape, 'float32');
  const [to, from] = [dx, dy].map((tensor) => backend.typedArrayFromHeap(tensor)) as Views<2>;
  to.fill(0);
  forEachWindow(info, (output, positions, count) => {
    for (let channel = 0; channel < info.inChannels; channel += 1) {
      const share = from[output + channel]! / count;
      for (let index = 0; index < count; index += 1) {
        const position = positions[index]! + channel;
        to[position] = to[position]! + share;
      }
    }
  });
  return dx;
}

type Views<N extends 2 | 3> = N extends 2
  ? [Float32Array, Float32Array]
  : [Float32Array, Float32Array, Float32Array];
