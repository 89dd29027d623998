import type { DataType, Tensor } from '@tensorflow/tfjs-core';
import {
  type AttributeKind,
  type AttributeValue,
  attribute,
  type GraphNode,
  graphDef,
  shapeAttribute,
  tensorAttribute,
} from './graph-def.ts';
import type { Binding, BoundTensor, NativeBackend, OperationAttribute, TensorFlow } from './native.ts';

/** Tensors in, tensors out; what it makes in between is its caller's `tidy` to give back. */
export type TensorFunction = (inputs: readonly Tensor[]) => Tensor[];

/** A function of tensors that runs as one call of TensorFlow, where the back end can. */
export interface CompiledFunction {
  /**
   * Run it. The first call with inputs of new shapes traces the function, which runs it once more.
   * @returns tensors that are the caller's to dispose
   */
  run(inputs: readonly Tensor[]): Tensor[];
  /** Whether it is compiled, so that each new shape of an input costs a trace. */
  readonly compiles: boolean;
  /** Take the functions out of TensorFlow. */
  dispose(): void;
}

let made = 0;

/**
 * Compile a function of tensors: its operations are recorded once, become one function of TensorFlow,
 * and run from then on without JavaScript in between, their graph optimised, on all cores.
 *
 * Everything that varies between calls must be an input; what else the function makes of JavaScript's
 * values is recorded as a constant. It cannot read a tensor's values. On a back end without functions
 * (WebAssembly, or a tfjs-node that was not built here) it runs as it is.
 *
 * @param work deterministic in the shapes of its inputs.
 */
export function compileFunction(tf: TensorFlow, work: TensorFunction): CompiledFunction {
  const backend = tf.backend() as unknown as NativeBackend;
  if (backend.binding?.addFunction === undefined) {
    return { compiles: false, run: (inputs) => tf.tidy(() => work(inputs)), dispose: () => {} };
  }
  const functions = new Map<string, { name: string; outputs: number }>();
  return {
    compiles: true,
    run(inputs) {
      const signature = inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`).join();
      let traced = functions.get(signature);
      if (traced === undefined) {
        const { graph, outputs, wires } = new Tracer(tf, backend).trace(work, inputs);
        traced = { name: `hiphop_function_${made++}`, outputs };
        backend.binding.addFunction?.(traced.name, graph, wires.inputs, wires.outputs);
        functions.set(signature, traced);
      }
      return backend.executeMultipleOutputs(traced.name, [], inputs, traced.outputs);
    },
    dispose() {
      for (const { name } of functions.values()) backend.binding.removeFunction?.(name);
      functions.clear();
    },
  };
}

/** A recorded function: its graph, and the tensors that go in and come out as "node:index" lists. */
interface Recording {
  readonly graph: Uint8Array;
  readonly outputs: number;
  readonly wires: { readonly inputs: string; readonly outputs: string };
}

/** Records the operations that run while it stands in for the back end's binding. */
class Tracer {
  readonly #tf: TensorFlow;
  readonly #backend: NativeBackend;
  readonly #binding: Binding;
  readonly #nodes: GraphNode[] = [];
  /** By the binding's number of a tensor: where in the graph it comes from. */
  readonly #wires = new Map<number, string>();
  /** Constants by their content, so that each is recorded once. */
  readonly #constants = new Map<string, string>();

  constructor(tf: TensorFlow, backend: NativeBackend) {
    this.#tf = tf;
    this.#backend = backend;
    this.#binding = backend.binding;
  }

  trace(work: TensorFunction, inputs: readonly Tensor[]): Recording {
    const backend = this.#backend;
    for (const [i, id] of backend.getInputTensorIds(inputs).entries()) {
      const { dtype, shape } = inputs[i]!;
      const attributes = { dtype: this.#type(dtype), shape: shapeAttribute(shape) };
      this.#wires.set(id, `${this.#add('Placeholder', [], attributes)}:0`);
    }
    const placeholders = this.#nodes.map(({ name }) => `${name}:0`);
    backend.binding = this.#standIn();
    let outputs: string[];
    try {
      outputs = this.#tf.tidy(() => {
        const results = work(inputs);
        const ids = backend.getInputTensorIds(results);
        return ids.map((id, i) => {
          const name = this.#add('Identity', [this.#wire(id)], { T: this.#type(results[i]!.dtype) });
          return `${name}:0`;
        });
      });
    } finally {
      backend.binding = this.#binding;
    }
    return {
      graph: graphDef(this.#nodes),
      outputs: outputs.length,
      wires: { inputs: placeholders.join(), outputs: outputs.join() },
    };
  }

  /** The binding, with what is called on it recorded. */
  #standIn(): Binding {
    const binding = this.#binding;
    // The binding's properties are not its own in a way that spreading or a prototype would keep.
    const standIn = Object.fromEntries(
      Object.getOwnPropertyNames(binding).map((name) => [name, binding[name as keyof Binding]]),
    ) as unknown as Binding;
    return Object.assign(standIn, {
      createTensor: (shape: number[], dtype: number, values: NodeJS.TypedArray): number => {
        const id = binding.createTensor(shape, dtype, values);
        this.#wires.set(id, this.#constant(shape, dtype, values));
        return id;
      },
      tensorDataSync: (): never => {
        throw new Error('a function that is being traced cannot read the values of a tensor');
      },
      executeOp: (
        operation: string,
        attributes: readonly OperationAttribute[],
        inputs: readonly number[],
        count: number,
      ): BoundTensor[] => {
        const encoded = attributes.map((one) => [one.name, this.#attribute(one)] as const);
        const wires = inputs.map((id) => this.#wire(id));
        const outputs = binding.executeOp(operation, attributes, inputs, count);
        const name = this.#add(operation, wires, Object.fromEntries(encoded));
        for (const [i, { id }] of outputs.entries()) this.#wires.set(id, `${name}:${i}`);
        return outputs;
      },
    });
  }

  /** @returns the new node's name */
  #add(operation: string, inputs: string[], attributes: Record<string, AttributeValue>): string {
    const name = `node${this.#nodes.length}`;
    this.#nodes.push({ name, operation, inputs, attributes });
    return name;
  }

  #constant(shape: readonly number[], dtype: number, values: NodeJS.TypedArray): string {
    const content = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const key = `${dtype}[${shape}]${content.toString('base64')}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const attributes = {
      dtype: attribute('type', dtype),
      value: tensorAttribute(dtype, shape, content),
    };
    const wire = `${this.#add('Const', [], attributes)}:0`;
    this.#constants.set(key, wire);
    return wire;
  }

  #wire(id: number): string {
    const wire = this.#wires.get(id);
    if (wire === undefined) throw new Error('a traced function uses a tensor that is not among its inputs');
    return wire;
  }

  #type(dtype: DataType): AttributeValue {
    return attribute('type', this.#backend.getDTypeInteger(dtype));
  }

  #attribute({ name, type, value }: OperationAttribute): AttributeValue {
    const codes = this.#binding as unknown as Record<string, number>;
    if (type === codes['TF_ATTR_SHAPE']) return shapeAttribute(value as number[]);
    const kinds: readonly AttributeKind[] = ['string', 'int', 'float', 'bool', 'type'];
    const kind = kinds.find((one) => codes[`TF_ATTR_${one.toUpperCase()}`] === type);
    if (kind === undefined) throw new Error(`attribute ${name} is of a kind that cannot be traced`);
    return attribute(kind, value);
  }
}
