/** What a protocol buffer holds under a field's number: a number, or bytes that may be a message again. */
export type WireField = readonly [field: number, value: number | Buffer];

/** Reads the wire format of protocol buffers, whose variable-length integers LevelDB's tables use as well. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** @throws RangeError past the end, as the other methods do. */
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('it ends in the middle of a value');
    const piece = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return piece;
  }

  /** The fields of a message, in their order. */
  fields(): WireField[] {
    const fields: WireField[] = [];
    while (!this.done) {
      const tag = this.varint();
      fields.push([Math.floor(tag / 8), this.#value(tag % 8)]);
    }
    return fields;
  }

  #value(wireType: number): number | Buffer {
    if (wireType === 0) return this.varint();
    if (wireType === 1) return this.bytes(8);
    if (wireType === 2) return this.bytes(this.varint());
    if (wireType === 5) return this.bytes(4).readUInt32LE(0);
    throw new RangeError(`it has a value of the unknown kind ${wireType}`);
  }
}

/** The last number under a field, as protocol buffers read a repeated single field; `otherwise` where there is none. */
export function numberOf(fields: readonly WireField[], field: number, otherwise = 0): number {
  const found = fields.findLast(([number]) => number === field)?.[1];
  return typeof found === 'number' ? found : otherwise;
}

/** All messages under a field. */
export function messagesOf(fields: readonly WireField[], field: number): Buffer[] {
  return fields.flatMap(([number, value]) => (number === field && Buffer.isBuffer(value) ? [value] : []));
}
