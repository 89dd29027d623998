import { describe, expect, it } from 'vitest';
import { decodeWeights, encodeWeights } from '../../../shared/learning/weights.ts';

describe('weights', () => {
  const arrays = [
    { name: 'a/kernel', shape: [2, 3], values: Float32Array.of(1, -2, 3.5, 1e-30, Number.MAX_VALUE, 0) },
    { name: 'b', shape: [], values: Float32Array.of(7) },
    { name: 'none', shape: [0, 4], values: new Float32Array() },
  ];

  it('come back as they went, also from the middle of a buffer', () => {
    const bytes = encodeWeights(arrays);
    expect(decodeWeights(bytes)).toEqual(arrays);
    const within = new Uint8Array(bytes.length + 3);
    within.set(bytes, 3);
    expect(decodeWeights(within.subarray(3))).toEqual(arrays);
    expect(decodeWeights(encodeWeights([]))).toEqual([]);
  });

  it('are refused when cut short or of another format', () => {
    const bytes = encodeWeights(arrays);
    expect(() => decodeWeights(bytes.subarray(0, bytes.length - 1))).toThrow(/cut short/);
    expect(() => decodeWeights(new Uint8Array(3))).toThrow(/not the weights/);
    expect(() => decodeWeights(Buffer.from('something else altogether'))).toThrow(/not the weights/);
    expect(() => encodeWeights([{ name: 'x', shape: [2], values: new Float32Array(3) }])).toThrow(/3 values/);
  });
});
