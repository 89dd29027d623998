import type { ModelFamily } from './family.ts';
import { defaultStrength, fitLogistic, type LogisticModel, predictLogistic } from './logistic.ts';
import { spectrogramStatistics } from './statistics.ts';
import { decodeWeights, encodeWeights, type NamedArray } from './weights.ts';

/** Logistic regression on how loud, how varied and how restless each band is: hard to beat on little data. */
export const logistic: ModelFamily = {
  name: 'logistic',
  description:
    'Logistic regression on the mean and standard deviation of each mel band and the standard deviation of its difference between frames.',
  needsTensorFlow: false,
  usesValidation: false,
  presets: { default: `L2 penalty, C = ${defaultStrength}` },

  async train({ train, statistics, turn }) {
    const rows: Float32Array[] = [];
    for (const { index } of train) {
      await turn();
      rows.push(await statistics(index));
    }
    const labels = train.map(({ label }) => label);
    const { mean, deviation, coefficients, intercept } = await fitLogistic(
      rows,
      labels,
      defaultStrength,
      turn,
    );
    const vector = (name: string, values: ArrayLike<number>): NamedArray => ({
      ...{ name, shape: [values.length], values: Float32Array.from(values) },
    });
    const weights = encodeWeights([
      ...[vector('mean', mean), vector('deviation', deviation)],
      ...[vector('coefficients', coefficients), vector('intercept', [intercept])],
    ]);
    const topology = { family: 'logistic', features: 'mel statistics', strength: defaultStrength };
    return { parameters: coefficients.length + 1, topology, weights, epochs: [], samplesSeen: train.length };
  },

  async load({ weights }) {
    const [mean, deviation, coefficients, intercept] = decodeWeights(weights).map(({ values }) =>
      Float64Array.from(values),
    );
    const model = { mean, deviation, coefficients, intercept: intercept![0] } as LogisticModel;
    const predict = async (spectrograms: Parameters<typeof spectrogramStatistics>[0][]) =>
      spectrograms.map((spectrogram) => {
        const row = spectrogramStatistics(spectrogram);
        if (row.length === model.coefficients.length) return predictLogistic(model, row);
        throw new Error(
          `the model takes ${model.coefficients.length / 3} bands, the spectrogram has ${row.length / 3}`,
        );
      });
    return { predict: (spectrograms) => predict([...spectrograms]), dispose: () => {} };
  },
};
