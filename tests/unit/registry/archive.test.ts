import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parametersHash, spectrogramParameters } from '../../../shared/audio/parameters.ts';
import { UserError } from '../../../shared/errors.ts';
import { encodeWeights } from '../../../shared/learning/weights.ts';
import { type ModelHeader, packModel, unpackModel } from '../../../shared/registry/archive.ts';

const weights = encodeWeights([{ name: 'share', shape: [3], values: Float32Array.of(0.25, 1, -1) }]);
const evaluation = { n: 4, accuracy: 0.5, rocAuc: null, rocAucCi95: null, logLoss: 0.7, brier: 0.25 };
const parameters = spectrogramParameters();

function header(change: (given: ModelHeader) => void = () => {}): Omit<ModelHeader, 'format' | 'weights'> {
  const given = {
    exportedAt: '2026-01-02T03:04:05.678Z',
    model: {
      ...{ id: 'model-3', name: 'dummy', options: { seed: 1, preset: null }, parameters: 1 },
      ...{ topology: { family: 'dummy' }, holdoutScores: [0.25], backend: 'javascript' },
      metrics: {
        ...{ holdout: evaluation, test: { ...evaluation, ece: 0.1 }, crossValidation: null },
        ...{ trainMsPerSample: 0.1, preset: 'default', warnings: ['beware'] },
      },
      ...{ codeVersion: '0.1.0', startedAt: null, finishedAt: '2026-01-02T03:04:05.000Z' },
    },
    dataSet: {
      ...{ name: 'data-set-1', contentHash: 'ab'.repeat(32), threshold: 51.5, thresholdRule: 'median' },
      ...{ seed: 1, testFraction: 0.15, holdoutFraction: 0.1, counts: { tracks: 20 } },
      ...{ normalisation: { mean: [1], deviation: [2] }, parametersHash: parametersHash(parameters) },
      parameters: { ...parameters },
    },
  };
  change(given as unknown as ModelHeader);
  return given as unknown as Omit<ModelHeader, 'format' | 'weights'>;
}

/** A file whose checksum is right whatever is in it: what a person who means harm would write. */
function forged(change: (given: ModelHeader) => void, payload: Uint8Array = weights): Buffer {
  const file = packModel(header(), payload);
  const length = file.readUInt32LE(4);
  const given = JSON.parse(file.subarray(8, 8 + length).toString()) as ModelHeader;
  change(given);
  const text = Buffer.from(JSON.stringify(given));
  const prelude = Buffer.from(file.subarray(0, 8));
  prelude.writeUInt32LE(text.length, 4);
  const content = Buffer.concat([prelude, text, payload]);
  return Buffer.concat([content, createHash('sha256').update(content).digest()]);
}

const mutable = (value: object) => value as Record<string, unknown>;

describe('a packed model', () => {
  it('comes out as it went in', () => {
    const file = packModel(header(), weights);
    const found = unpackModel(file, 'a.hiphop');
    expect(Buffer.from(found.weights).equals(weights)).toBe(true);
    expect(found.header).toMatchObject({ format: 1, ...header() });
    expect(found.header.weights.bytes).toBe(weights.length);
  });

  it('is refused when any byte is another, and when it is cut short anywhere', () => {
    const file = packModel(header(), weights);
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(file);
        damaged[at]! ^= flip;
        expect(() => unpackModel(damaged, 'a.hiphop')).toThrow(UserError);
        expect(() => unpackModel(file.subarray(0, at), 'a.hiphop')).toThrow(UserError);
      }),
      { numRuns: 300 },
    );
    expect(() => unpackModel(Buffer.concat([file, Buffer.of(0)]), 'a.hiphop')).toThrow('is damaged');
  });

  it('is refused when it is another kind of file', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('RIFF....WAVEfmt '), Buffer.from('HPW1')]) {
      expect(() => unpackModel(bytes, 'song.wav')).toThrow('song.wav is not a model made by hiphop export');
    }
  });
});

describe('a file whose checksums are right is refused all the same', () => {
  it.each<[string, (given: ModelHeader) => void, RegExp]>([
    ['when it is of a newer format', (given) => (mutable(given)['format'] = 2), /newer version of hiphop/],
    ['when the model is not known', ({ model }) => (model.name = 'oracle'), /model "oracle".*does not know/],
    [
      'when the model is called like what every object has',
      ({ model }) => (model.name = 'constructor'),
      /does not know/,
    ],
    ['when something is missing', ({ model }) => (mutable(model)['topology'] = 'none'), /model\.topology: /],
    ['when there is more than there should be', (given) => (mutable(given)['also'] = 1), /Unrecognized key/],
    [
      'when scores are no probabilities',
      ({ model }) => (model.holdoutScores = [0.1, 7]),
      /model\.holdoutScores\.1: /,
    ],
    [
      'when the spectrograms are of parameters that nobody makes',
      ({ dataSet }) => (dataSet.parameters['seconds'] = 1e9),
      /spectrograms that this version of hiphop does not make/,
    ],
    [
      'when the weights are others than it says',
      ({ weights: w }) => (w.sha256 = 'cd'.repeat(32)),
      /is damaged/,
    ],
    ['when there are fewer weights than it says', ({ weights: w }) => (w.bytes += 1), /is damaged/],
  ])('%s', (_, change, message) => {
    const file = forged(change);
    expect(() => unpackModel(file, 'a.hiphop')).toThrow(UserError);
    expect(() => unpackModel(file, 'a.hiphop')).toThrow(message);
  });

  it('when the weights are of no known form', () => {
    const payload = Buffer.from('HPW1\xff\xff\xff\x7f nothing', 'latin1');
    expect(() => unpackModel(packModel(header(), payload), 'a.hiphop')).toThrow('its weights cannot be read');
  });
});

it('a model that lacks what a file must hold is not packed', () => {
  expect(() =>
    packModel(
      header(({ model }) => (model.holdoutScores = [])),
      weights,
    ),
  ).toThrow();
});
