import { maskedCrc32c } from '../../../shared/tagger/crc32c.ts';

export interface TinyTensor {
  name: string;
  shape: number[];
  values: number[];
}

/** Write a checkpoint as TensorFlow does, of tensors in the order of their names. */
export function tinyCheckpoint(tensors: readonly TinyTensor[]): { index: Buffer; data: Buffer } {
  const pieces = tensors.map(({ values }) => Buffer.from(Float32Array.from(values).buffer));
  const header = Buffer.concat([field(1, 1), field(2, 0)]);
  let offset = 0;
  const entries = tensors.map(({ name, shape }, i): [string, Buffer] => {
    const piece = pieces[i]!;
    const dimensions = shape.map((size) => message(2, field(1, size)));
    const parts = [field(1, 1), message(2, Buffer.concat(dimensions)), field(4, offset)];
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(maskedCrc32c(piece));
    offset += piece.length;
    return [name, Buffer.concat([...parts, field(5, piece.length), varint(8 * 6 + 5), crc])];
  });
  return { index: table([['', header], ...entries]), data: Buffer.concat(pieces) };
}

function table(entries: readonly [string, Buffer][]): Buffer {
  const data = block(entries);
  const filters = block([]);
  const index = block([[entries.at(-1)![0], handle(0, data.length)]]);
  const filtersAt = data.length + 5;
  const indexAt = filtersAt + filters.length + 5;
  const handles = Buffer.concat([handle(filtersAt, filters.length), handle(indexAt, index.length)]);
  const footer = Buffer.concat([
    handles,
    Buffer.alloc(40 - handles.length),
    Buffer.from('57fb808b247547db', 'hex'),
  ]);
  return Buffer.concat([...[data, filters, index].flatMap((part) => [part, trailer(part)]), footer]);
}

/** Keys share what they have in common with the one before. */
function block(entries: readonly [string, Buffer][]): Buffer {
  let last = '';
  const parts = entries.flatMap(([key, value]) => {
    let shared = 0;
    while (shared < last.length && last[shared] === key[shared]) shared++;
    last = key;
    const rest = Buffer.from(key.slice(shared), 'latin1');
    return [varint(shared), varint(rest.length), varint(value.length), rest, value];
  });
  const restarts = Buffer.alloc(8);
  restarts.writeUInt32LE(1, 4);
  return Buffer.concat([...parts, restarts]);
}

function trailer(part: Buffer): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32LE(maskedCrc32c(Buffer.concat([part, bytes.subarray(0, 1)])), 1);
  return bytes;
}

function handle(offset: number, bytes: number): Buffer {
  return Buffer.concat([varint(offset), varint(bytes)]);
}

function field(number: number, value: number): Buffer {
  return Buffer.concat([varint(8 * number), varint(value)]);
}

function message(number: number, body: Buffer): Buffer {
  return Buffer.concat([varint(8 * number + 2), varint(body.length), body]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
