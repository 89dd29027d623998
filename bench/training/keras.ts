import Table from 'cli-table3';
import { crnnPresets } from '../../shared/learning/networks/presets.ts';
import { loadTensorFlow } from '../../shared/tensorflow/index.ts';
import { PythonPeer, type Took } from '../python-peer.ts';
import { OwnNetwork, type Setting } from './network.ts';
import { compare, type Pair, taking } from './rounds.ts';

const settings: readonly Setting[] = [
  { bands: 64, frames: 320, filters: 16, samples: 192 },
  { bands: 128, frames: 1292, filters: 16, samples: 96 },
  { bands: 128, frames: 1292, filters: 64, samples: 32 },
];

/** What the project set out to: to train no slower than Keras. */
const targetRatio = 1;

/** Train, and judge, by this project and by Keras on the same TensorFlow, on the CPU. */
export async function compareWithKeras(cacheDir: string, rounds: number, only: number | null): Promise<void> {
  const packages = ['tensorflow-cpu==2.21.0', 'keras==3.15.0'];
  const script = 'bench/training/keras-peer.py';
  const keras = await PythonPeer.start({ cacheDir, name: 'keras', packages, script });
  const { tf } = await loadTensorFlow({ preference: 'cpu', cacheDir });
  const head = ['ms a sample', 'to', 'this project', 'Keras', 'ratio', 'CPU', 'Keras CPU', 'ratio'];
  const table = new Table({ head });
  const ratios: number[] = [];
  const { batchSize } = crnnPresets.original;
  try {
    for (const setting of settings.filter((_, i) => only === null || i === only)) {
      await keras.ask({ what: 'build', batch: batchSize, ...setting });
      const own = new OwnNetwork(tf, setting);
      for (const what of ['train', 'predict'] as const) {
        const took: Pair = await taking(
          rounds,
          () => own[what](),
          () => keras.ask<Took>({ what }),
        );
        const { bands, frames, filters } = setting;
        const { cells, ratio } = compare(took);
        table.push([`${bands} x ${frames}, ${filters} filters`, what, ...cells]);
        if (what === 'train') ratios.push(ratio);
      }
      own.dispose();
    }
  } finally {
    await keras.close();
  }
  console.log(`native, batches of ${batchSize}, median of ${rounds} rounds that take turns`);
  console.log(table.toString());
  const worst = Math.max(...ratios);
  const verdict = worst <= targetRatio ? 'met' : 'missed';
  console.log(
    `training takes at most ${worst.toFixed(2)} x Keras's time: the target of ${targetRatio.toFixed(1)} is ${verdict}`,
  );
}
