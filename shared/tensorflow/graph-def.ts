/**
 * Graphs in TensorFlow's own format, a GraphDef as Protocol Buffers: as much of it as tracing needs.
 * Source: graph.proto, node_def.proto, attr_value.proto, tensor.proto of tensorflow/core/framework.
 */

/** The value of an attribute, encoded. */
export type AttributeValue = Uint8Array & { readonly attribute: unique symbol };

/** One operation of a graph. */
export interface GraphNode {
  readonly name: string;
  readonly operation: string;
  /** Tensors as "node:index". */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** Wire types of Protocol Buffers. */
const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

function varint(value: number | boolean): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}

function number(field: number, value: number | boolean): Uint8Array {
  return Buffer.concat([varint((field << 3) | VARINT), varint(value)]);
}

function bytes(field: number, value: Uint8Array | string): Uint8Array {
  const content = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint((field << 3) | BYTES), varint(content.length), content]);
}

function float(field: number, value: number): Uint8Array {
  const content = Buffer.alloc(4);
  content.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | FIXED32), content]);
}

const shapeProto = (shape: readonly number[]): Uint8Array =>
  Buffer.concat(shape.map((size) => bytes(2, number(1, size))));

/** How single values are encoded; in a list they have the same field numbers, in a message of its own. */
const encoders = {
  string: (value: string) => bytes(2, value),
  int: (value: number) => number(3, value),
  float: (value: number) => float(4, value),
  bool: (value: boolean) => number(5, value),
  type: (value: number) => number(6, value),
} as const;

export type AttributeKind = keyof typeof encoders;

/** Encode an attribute: a value, or a list of them. */
export function attribute(kind: AttributeKind, value: unknown): AttributeValue {
  const encode = encoders[kind] as (value: unknown) => Uint8Array;
  const encoded = Array.isArray(value) ? bytes(1, Buffer.concat(value.map(encode))) : encode(value);
  return encoded as AttributeValue;
}

/** Encode an attribute that is a shape. */
export function shapeAttribute(shape: readonly number[]): AttributeValue {
  return bytes(7, shapeProto(shape)) as AttributeValue;
}

/** Encode an attribute that is a tensor, such as the value of a constant; little-endian, row-major. */
export function tensorAttribute(type: number, shape: readonly number[], content: Uint8Array): AttributeValue {
  const proto = [number(1, type), bytes(2, shapeProto(shape)), bytes(4, content)];
  return bytes(8, Buffer.concat(proto)) as AttributeValue;
}

/** Encode a graph. */
export function graphDef(nodes: readonly GraphNode[]): Uint8Array {
  const encoded = nodes.map(({ name, operation, inputs, attributes }) => {
    const entries = Object.entries(attributes).map(([key, value]) =>
      bytes(5, Buffer.concat([bytes(1, key), bytes(2, value)])),
    );
    const head = [bytes(1, name), bytes(2, operation), ...inputs.map((input) => bytes(3, input))];
    return bytes(1, Buffer.concat([...head, ...entries]));
  });
  return new Uint8Array(Buffer.concat(encoded));
}
