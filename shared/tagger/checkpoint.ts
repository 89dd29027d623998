/**
 * Reads checkpoints of TensorFlow (its "tensor bundle", version 2) without TensorFlow: an index, which is a
 * table of LevelDB with a protocol buffer for each tensor, and files of raw little-endian values.
 */
import { readFile } from 'node:fs/promises';
import { maskedCrc32c } from './crc32c.ts';
import { readTable } from './table.ts';
import { messagesOf, numberOf, WireReader } from './wire.ts';

export interface CheckpointTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Fields of BundleHeaderProto and BundleEntryProto, and of the shape in it (tensor_bundle.proto). */
const header = { shards: 1, endianness: 2 } as const;
const entry = { type: 1, shape: 2, shard: 3, offset: 4, bytes: 5, crc: 6, slices: 7 } as const;
const shape = { dimension: 2, size: 1 } as const;
const float32Type = 1;

/**
 * Read tensors of float32 from a checkpoint.
 *
 * @param prefix path that `.index` and `.data-00000-of-00001` follow
 * @param wanted which tensors, by name; the others are not looked at
 * @throws Error that names the checkpoint when a file is missing, damaged (every checksum is verified) or
 *   of a kind that is not read here
 */
export async function readCheckpoint(
  prefix: string,
  wanted: (name: string) => boolean,
): Promise<Map<string, CheckpointTensor>> {
  try {
    return await readTensors(prefix, wanted);
  } catch (error) {
    throw new Error(`the checkpoint ${prefix} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function readTensors(
  prefix: string,
  wanted: (name: string) => boolean,
): Promise<Map<string, CheckpointTensor>> {
  const index = readTable(await readFile(`${prefix}.index`));
  const head = new WireReader(index.get('') ?? Buffer.alloc(0)).fields();
  if (numberOf(head, header.endianness) !== 0) throw new RangeError('its values are big-endian');
  const shards = numberOf(head, header.shards, 1);
  const files = new Map<number, Promise<Buffer>>();
  const fileOf = (shard: number): Promise<Buffer> => {
    const name = `${prefix}.data-${fiveDigits(shard)}-of-${fiveDigits(shards)}`;
    const file = files.get(shard) ?? readFile(name);
    files.set(shard, file);
    return file;
  };
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, described] of index) {
    if (name !== '' && wanted(name)) tensors.set(name, await readTensor(name, described, fileOf));
  }
  return tensors;
}

async function readTensor(
  name: string,
  described: Buffer,
  fileOf: (shard: number) => Promise<Buffer>,
): Promise<CheckpointTensor> {
  const fields = new WireReader(described).fields();
  if (numberOf(fields, entry.type) !== float32Type || messagesOf(fields, entry.slices).length > 0) {
    throw new RangeError(`${name} is no plain tensor of float32`);
  }
  const dimensions = messagesOf(fields, entry.shape)
    .flatMap((message) => messagesOf(new WireReader(message).fields(), shape.dimension))
    .map((message) => numberOf(new WireReader(message).fields(), shape.size));
  const [offset, bytes] = [numberOf(fields, entry.offset), numberOf(fields, entry.bytes)];
  const raw = (await fileOf(numberOf(fields, entry.shard))).subarray(offset, offset + bytes);
  const expected = 4 * dimensions.reduce((product, size) => product * size, 1);
  if (raw.length !== expected) throw new RangeError(`${name} has ${raw.length} bytes, not ${expected}`);
  if (maskedCrc32c(raw) !== numberOf(fields, entry.crc)) {
    throw new RangeError(`${name} is damaged: its checksum is another`);
  }
  const values = new Float32Array(raw.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = raw.readFloatLE(4 * i);
  return { shape: dimensions, values };
}

function fiveDigits(number: number): string {
  return String(number).padStart(5, '0');
}
