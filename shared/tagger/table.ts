import { maskedCrc32c } from './crc32c.ts';
import { WireReader } from './wire.ts';

const footerBytes = 48;
const magic = Buffer.from('57fb808b247547db', 'hex');
/** After each block: one byte for its compression, four for its CRC. */
const trailerBytes = 5;

/**
 * Read a table of LevelDB: sorted keys and values in blocks, an index block, a footer. TensorFlow writes
 * the index of a checkpoint as one (`table_format.md` of LevelDB).
 *
 * @returns values by key, in the order of the file
 * @throws RangeError when it is no such table, is damaged, or is compressed, which checkpoints' are not
 */
export function readTable(file: Buffer): Map<string, Buffer> {
  if (file.length < footerBytes || !file.subarray(-magic.length).equals(magic)) {
    throw new RangeError('it is no table of LevelDB');
  }
  const footer = new WireReader(file.subarray(-footerBytes));
  readHandle(footer); // of the block about filters
  const index = readBlock(file, readHandle(footer));
  const entries = index.flatMap(([, handle]) => readBlock(file, readHandle(new WireReader(handle))));
  return new Map(entries);
}

interface Handle {
  offset: number;
  bytes: number;
}

function readHandle(reader: WireReader): Handle {
  return { offset: reader.varint(), bytes: reader.varint() };
}

function readBlock(file: Buffer, { offset, bytes }: Handle): [string, Buffer][] {
  const end = offset + bytes;
  if (end + trailerBytes > file.length) throw new RangeError('it is cut short');
  if (file[end] !== 0) throw new RangeError('it is compressed');
  // The CRC covers the byte that tells the compression.
  if (maskedCrc32c(file.subarray(offset, end + 1)) !== file.readUInt32LE(end + 1)) {
    throw new RangeError('a block of it is damaged: its checksum is another');
  }
  const restarts = file.readUInt32LE(end - 4);
  const reader = new WireReader(file.subarray(offset, end - 4 - 4 * restarts));
  const entries: [string, Buffer][] = [];
  let key = Buffer.alloc(0);
  while (!reader.done) {
    // A key is stored as how much it shares with the one before, and the rest.
    const [shared, rest, value] = [reader.varint(), reader.varint(), reader.varint()];
    key = Buffer.concat([key.subarray(0, shared), reader.bytes(rest)]);
    entries.push([key.toString('latin1'), reader.bytes(value)]);
  }
  return entries;
}
