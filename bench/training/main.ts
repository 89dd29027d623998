import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { parseConfig } from '../../shared/config.ts';
import { crnnPresets } from '../../shared/learning/networks/presets.ts';
import { loadTensorFlow, tensorflowEnvironment } from '../../shared/tensorflow/index.ts';
import { PythonPeer, type Took } from '../python-peer.ts';
import { OwnNetwork, type Setting } from './network.ts';

const settings: readonly Setting[] = [
  { bands: 64, frames: 320, filters: 16, samples: 192 },
  { bands: 128, frames: 1292, filters: 16, samples: 96 },
  { bands: 128, frames: 1292, filters: 64, samples: 32 },
];

/** What the project set out to: to train no slower than Keras. */
const TARGET_RATIO = 1;

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

interface Rounds {
  readonly own: Took[];
  readonly keras: Took[];
}

/**
 * Train, and judge with, the convolutional recurrent network by this project and by Keras on the same TensorFlow, in
 * rounds that take turns after a warm-up; the median round counts.
 */
export async function run(argv: string[]): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: { rounds: { type: 'string', default: '5' }, setting: { type: 'string' } },
  });
  Object.assign(process.env, tensorflowEnvironment('cpu'));
  const { cacheDir } = parseConfig(process.env);
  const packages = ['tensorflow-cpu==2.21.0', 'keras==3.15.0'];
  const keras = await PythonPeer.start({
    ...{ cacheDir, name: 'keras', packages, script: 'bench/training/keras-peer.py' },
  });
  const { tf } = await loadTensorFlow({ preference: 'cpu', cacheDir });
  const head = ['ms a sample', 'of', 'this project', 'Keras', 'ratio', 'CPU', 'Keras CPU', 'CPU ratio'];
  const table = new Table({ head });
  const ratios: number[] = [];
  try {
    const chosen = settings.filter((_, i) => values.setting === undefined || i === Number(values.setting));
    for (const setting of chosen) {
      await keras.ask({ what: 'build', batch: crnnPresets.original.batchSize, ...setting });
      const own = new OwnNetwork(tf, setting);
      for (const what of ['train', 'predict'] as const) {
        const rounds: Rounds = { own: [], keras: [] };
        for (let round = 0; round <= Number(values.rounds); round++) {
          const took = [await own[what](), await keras.ask<Took>({ what })] as const;
          if (round === 0) continue;
          rounds.own.push(took[0]);
          rounds.keras.push(took[1]);
        }
        const row = rowOf(rounds);
        if (what === 'train') ratios.push(row.ratio);
        const { bands, frames, filters } = setting;
        table.push([`${bands} x ${frames}, ${filters} filters`, what, ...row.cells]);
      }
      own.dispose();
    }
  } finally {
    await keras.close();
  }
  console.log(`batches of ${crnnPresets.original.batchSize}, median of ${values.rounds} rounds`);
  console.log(table.toString());
  const worst = Math.max(...ratios);
  const verdict = worst <= TARGET_RATIO ? 'met' : 'missed';
  console.log(
    `training at most ${worst.toFixed(2)} x Keras's time: the target of ${TARGET_RATIO} is ${verdict}`,
  );
}

function rowOf({ own, keras }: Rounds): { ratio: number; cells: string[] } {
  const of = (key: keyof Took) => [own, keras].map((rounds) => median(rounds.map((took) => took[key])));
  const [ownWall, kerasWall] = of('wallMs') as [number, number];
  const [ownProcessor, kerasProcessor] = of('processorMs') as [number, number];
  // Each round against its neighbour, which ran under the same load.
  const ratio = median(own.map((took, i) => took.wallMs / keras[i]!.wallMs));
  return {
    ratio,
    cells: [
      ...[ownWall.toFixed(1), kerasWall.toFixed(1), ratio.toFixed(2)],
      ...[ownProcessor.toFixed(1), kerasProcessor.toFixed(1), (ownProcessor / kerasProcessor).toFixed(2)],
    ],
  };
}
