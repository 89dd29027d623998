declare module '@echogarden/pffft-wasm/simd' {
  /** PFFFT compiled to WebAssembly. Pointers are byte offsets into its memory. */
  export interface PffftModule {
    /** The module's memory as floats; another object once the memory has grown. */
    readonly HEAPF32: Float32Array;
    /** @param transform 0 real, 1 complex; returns 0 when there is no such size */
    _pffft_new_setup(size: number, transform: number): number;
    /** Aligned for SIMD; 0 when there is no memory. */
    _pffft_aligned_malloc(bytes: number): number;
    _pffft_aligned_free(pointer: number): void;
    /** @param direction 0 forward, 1 backward (unscaled) */
    _pffft_transform_ordered(
      setup: number,
      input: number,
      output: number,
      work: number,
      direction: number,
    ): void;
  }
  export default function create(): Promise<PffftModule>;
}
