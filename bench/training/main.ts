import { parseArgs } from 'node:util';
import { parseConfig } from '../../shared/config.ts';
import { tensorflowEnvironment } from '../../shared/tensorflow/index.ts';
import { compareWithKeras } from './keras.ts';
import { compareWithPlainWasm } from './wasm.ts';

/**
 * How long the convolutional recurrent network takes to train: native beside Keras on the same TensorFlow, at three
 * sizes, and on WebAssembly beside plain tfjs. `--only keras`, `--only wasm`; `--size 0` to 2 for one of the sizes.
 */
export async function run(argv: string[]): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: {
      rounds: { type: 'string', default: '5' },
      only: { type: 'string' },
      size: { type: 'string' },
    },
  });
  Object.assign(process.env, tensorflowEnvironment('cpu'));
  const { cacheDir } = parseConfig(process.env);
  const rounds = Number(values.rounds);
  const size = values.size === undefined ? null : Number(values.size);
  if (values.only !== 'wasm') await compareWithKeras(cacheDir, rounds, size);
  if (values.only !== 'keras') await compareWithPlainWasm(cacheDir, rounds);
}
