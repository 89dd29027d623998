import Table from 'cli-table3';
import { crnnPresets } from '../../shared/learning/networks/presets.ts';
import { loadTensorFlow } from '../../shared/tensorflow/index.ts';
import { OwnNetwork } from './network.ts';
import { keepPlainKernels } from './plain-wasm.ts';
import { compare, taking } from './rounds.ts';

const setting = { bands: 64, frames: 320, filters: 16, samples: 32 };

/** What the project set out to: half the time of plain tfjs. */
const targetRatio = 0.5;

/** Train on the WebAssembly back end with this project's kernels and with plain ones. */
export async function compareWithPlainWasm(cacheDir: string, rounds: number): Promise<void> {
  const kernelsOf = keepPlainKernels();
  const { tf } = await loadTensorFlow({ preference: 'wasm', cacheDir });
  const kernels = kernelsOf();
  const own = new OwnNetwork(tf, setting);
  const train = (which: 'own' | 'plain') => {
    kernels.use(which);
    return own.train();
  };
  const { ratio, cells } = compare(
    await taking(
      rounds,
      () => train('own'),
      () => train('plain'),
    ),
  );
  own.dispose();
  const head = ['ms a sample', 'to', 'this project', 'plain', 'ratio', 'CPU', 'plain CPU', 'ratio'];
  const table = new Table({ head });
  table.push([`${setting.bands} x ${setting.frames}, ${setting.filters} filters`, 'train', ...cells]);
  console.log(`WebAssembly, batches of ${crnnPresets.original.batchSize}, median of ${rounds} rounds`);
  console.log(table.toString());
  const verdict = ratio <= targetRatio ? 'met' : 'missed';
  console.log(`${ratio.toFixed(2)} x plain tfjs's time: the target of ${targetRatio} is ${verdict}`);
}
