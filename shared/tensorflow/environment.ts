/**
 * The variables that a process needs in its environment before TensorFlow is loaded in it: the
 * library reads them once, when it starts. So TensorFlow runs in a child process:
 * ```ts
 * fork(entryPoint('workers/train.ts'), { env: { ...environment, ...tensorflowEnvironment() } });
 * ```
 * - `TF_CPP_MIN_LOG_LEVEL=2`: errors only; else it greets with three lines on instruction sets.
 * - `TF_DETERMINISTIC_OPS=1`: same input, same bits. It decides something on a GPU alone (cuDNN,
 *   atomic additions); on a CPU the operations that are used here are deterministic without it, as
 *   long as the number of threads stays the same, which the machine's number of cores decides.
 *
 * - `TF_FORCE_GPU_ALLOW_GROWTH=true`: take a GPU's memory as it is needed. One process trains while
 *   another scores; by default the first of them would take it all.
 *
 * @param preference `cpu` hides the GPU from a TensorFlow that could use it
 */
export function tensorflowEnvironment(
  preference: 'auto' | 'gpu' | 'cpu' | 'wasm' = 'auto',
): Record<string, string> {
  return {
    TF_CPP_MIN_LOG_LEVEL: '2',
    TF_DETERMINISTIC_OPS: '1',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    ...(preference === 'cpu' ? { CUDA_VISIBLE_DEVICES: '-1' } : {}),
  };
}
