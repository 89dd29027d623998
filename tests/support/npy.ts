/** A two-dimensional array of float32, row after row. */
export interface Matrix {
  rows: number;
  columns: number;
  values: Float32Array;
}

const LENGTH_AT = 8;
const HEADER_AT = 10;

/**
 * Read an array that NumPy saved: version 1 of the format, float32 little-endian, C order, two dimensions or
 * more, all but the last of which count as rows.
 * @throws Error when it is another kind of array
 */
export function readNpy(file: Buffer): Matrix {
  const dataAt = HEADER_AT + file.readUInt16LE(LENGTH_AT);
  const header = file.toString('latin1', HEADER_AT, dataAt);
  const [, shape] = /'descr': '<f4', 'fortran_order': False, 'shape': \((\d+(?:, \d+)+)\)/.exec(header) ?? [];
  if (shape === undefined) throw new Error(`not a plain float32 matrix: ${header}`);
  const sizes = shape.split(', ').map(Number);
  const columns = sizes.pop()!;
  const rows = sizes.reduce((product, size) => product * size);
  const values = Float32Array.from({ length: rows * columns }, (_, i) => file.readFloatLE(dataAt + 4 * i));
  return { rows, columns, values };
}
