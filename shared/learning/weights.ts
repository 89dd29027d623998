/*
 * Weights as bytes: `HPW1`, uint32 length of the header, the header (JSON: an array of {name, shape},
 * padded with spaces to a multiple of 4), then each array's float32 values in that order, row-major.
 * All numbers little-endian.
 */
const magic = 'HPW1';
const preludeBytes = 8;

/** One array of float32 values, row-major. */
export interface NamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Count the values of all arrays. */
export function parametersOf(arrays: readonly { readonly shape: readonly number[] }[]): number {
  return arrays.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Encode arrays into bytes that `decodeWeights` reads. */
export function encodeWeights(arrays: readonly NamedArray[]): Uint8Array {
  const json = JSON.stringify(arrays.map(({ name, shape }) => ({ name, shape })));
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 4) * 4));
  const bytes = new Uint8Array(preludeBytes + header.length + 4 * parametersOf(arrays));
  bytes.set(Buffer.from(magic));
  const view = new DataView(bytes.buffer);
  view.setUint32(4, header.length, true);
  bytes.set(header, preludeBytes);
  let offset = preludeBytes + header.length;
  for (const { name, shape, values } of arrays) {
    if (values.length !== sizeOf(shape)) throw new Error(`${name}: ${values.length} values for [${shape}]`);
    for (const value of values) {
      view.setFloat32(offset, value, true);
      offset += 4;
    }
  }
  return bytes;
}

/**
 * Decode what `encodeWeights` made. Names must be ASCII.
 *
 * @throws Error when the bytes are of another format or cut short.
 */
export function decodeWeights(bytes: Uint8Array): NamedArray[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < preludeBytes || Buffer.from(bytes.subarray(0, 4)).toString('latin1') !== magic) {
    throw new Error('these are not the weights of a model');
  }
  let offset = preludeBytes + view.getUint32(4, true);
  const header = JSON.parse(Buffer.from(bytes.subarray(preludeBytes, offset)).toString()) as Omit<
    NamedArray,
    'values'
  >[];
  if (offset + 4 * parametersOf(header) !== bytes.length) throw new Error('the weights are cut short');
  return header.map(({ name, shape }) => {
    const values = new Float32Array(sizeOf(shape));
    for (let index = 0; index < values.length; index++, offset += 4)
      values[index] = view.getFloat32(offset, true);
    return { name, shape, values };
  });
}
