/*
 * A model as one file: `HPM1`, uint32 length of the header (little-endian), the header (JSON, UTF-8), the
 * weights, and the sha256 of all that. Whoever reads it trusts none of it before it is checked.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Excerpt, parametersHash, spectrogramParameters } from '../audio/parameters.ts';
import { UserError } from '../errors.ts';
import { modelFamilies } from '../learning/families.ts';
import { decodeWeights } from '../learning/weights.ts';

const magic = 'HPM1';
const preludeBytes = 8;
const digestBytes = 32;
/** Raised when an older program could not make sense of a file. */
const version = 1;
/** What no model's header comes near. */
const headerAtMost = 256 * 1024 * 1024;

const json = z.record(z.string(), z.json());
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const figure = z.number().nullable();
const interval = z.tuple([z.number(), z.number()]).nullable();
const evaluation = z.looseObject({
  n: z.int().min(0),
  ...{ accuracy: figure, rocAuc: figure, logLoss: figure, brier: figure },
  rocAucCi95: interval,
});

/** All of a model but its weights. */
export const modelHeaderSchema = z.strictObject({
  format: z.literal(version),
  exportedAt: z.iso.datetime(),
  model: z.strictObject({
    /** Its public id where it comes from. */
    id: z.string().regex(/^model-\d{1,9}$/),
    name: z.string().min(1).max(100),
    options: json,
    parameters: z.int().min(0),
    topology: json,
    metrics: z.looseObject({
      ...{ holdout: evaluation, test: evaluation },
      crossValidation: evaluation.extend({ folds: z.int() }).nullable(),
      trainMsPerSample: z.number(),
      preset: z.string(),
      warnings: z.array(z.string()),
    }),
    holdoutScores: z.array(z.number().min(0).max(1)).min(1),
    backend: z.string().nullable(),
    codeVersion: z.string().nullable(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
  }),
  dataSet: z.strictObject({
    name: z.string().min(1).max(200),
    contentHash: sha256,
    threshold: z.number(),
    thresholdRule: z.string().min(1),
    seed: z.int(),
    testFraction: z.number(),
    holdoutFraction: z.number(),
    counts: json,
    normalisation: json,
    parametersHash: z.string().regex(/^[0-9a-f]{16}$/),
    parameters: json,
  }),
  weights: z.strictObject({ bytes: z.int().min(0), sha256 }),
});
export type ModelHeader = z.infer<typeof modelHeaderSchema>;

export interface ModelFile {
  readonly header: ModelHeader;
  readonly weights: Uint8Array;
}

/** Say whether a file begins as a model's does. */
export function isModelFile(start: Uint8Array): boolean {
  return Buffer.from(start.subarray(0, magic.length)).toString('latin1') === magic;
}

/** Pack a model into the bytes that `unpackModel` reads. */
export function packModel(header: Omit<ModelHeader, 'format' | 'weights'>, weights: Uint8Array): Buffer {
  const whole: ModelHeader = {
    ...{ format: version, ...header },
    weights: { bytes: weights.length, sha256: digestOf(weights).toString('hex') },
  };
  const text = Buffer.from(JSON.stringify(modelHeaderSchema.parse(whole)));
  const prelude = Buffer.alloc(preludeBytes);
  prelude.write(magic, 'latin1');
  prelude.writeUInt32LE(text.length, magic.length);
  const content = Buffer.concat([prelude, text, weights]);
  return Buffer.concat([content, digestOf(content)]);
}

/**
 * Unpack a model and check all of it.
 *
 * @param name of the file, for the message.
 * @throws UserError when it is another kind of file, damaged, or of a model that this version does not know
 */
export function unpackModel(bytes: Buffer, name: string): ModelFile {
  if (!isModelFile(bytes)) throw new UserError(`${name} is not a model made by hiphop export`);
  const damaged = new UserError(`${name} is damaged: copy or export it again`);
  const headerBytes = bytes.length < preludeBytes ? 0 : bytes.readUInt32LE(magic.length);
  const start = preludeBytes + headerBytes;
  const end = bytes.length - digestBytes;
  if (headerBytes === 0 || headerBytes > headerAtMost || start > end) throw damaged;
  if (!digestOf(bytes.subarray(0, end)).equals(bytes.subarray(end))) throw damaged;
  const header = readHeader(bytes.subarray(preludeBytes, start), name);
  const weights = bytes.subarray(start, end);
  const expected = header.weights;
  if (weights.length !== expected.bytes || digestOf(weights).toString('hex') !== expected.sha256)
    throw damaged;
  checkModel(header, weights, name);
  return { header, weights };
}

function readHeader(bytes: Buffer, name: string): ModelHeader {
  let given: unknown;
  try {
    given = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new UserError(`${name} does not hold what a model's file holds: its header is no JSON`);
  }
  const { format } = (given ?? {}) as { format?: unknown };
  if (typeof format === 'number' && format > version) {
    throw new UserError(`${name} was made by a newer version of hiphop: update this one first`);
  }
  const found = modelHeaderSchema.safeParse(given);
  if (found.success) return found.data;
  const issue = found.error.issues[0]!;
  throw new UserError(
    `${name} does not hold what a model's file holds: ${issue.path.join('.')}: ${issue.message}`,
  );
}

/** What the checksums cannot say: whether this program can do anything with it. */
function checkModel({ model, dataSet }: ModelHeader, weights: Uint8Array, name: string): void {
  if (!Object.hasOwn(modelFamilies, model.name)) {
    throw new UserError(`${name} holds a model "${model.name}", which this version of hiphop does not know`);
  }
  if (knownParametersHash(dataSet.parameters) !== dataSet.parametersHash) {
    throw new UserError(`${name} is of spectrograms that this version of hiphop does not make`);
  }
  try {
    decodeWeights(weights);
  } catch {
    throw new UserError(`${name} does not hold what a model's file holds: its weights cannot be read`);
  }
}

/** The hash of the parameters that this program makes of the two choices in given ones; null: it makes none. */
function knownParametersHash({ seconds, excerpt }: ModelHeader['dataSet']['parameters']): string | null {
  try {
    return parametersHash(spectrogramParameters({ seconds: seconds as number, excerpt: excerpt as Excerpt }));
  } catch {
    return null;
  }
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
