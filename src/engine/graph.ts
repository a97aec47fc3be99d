/**
 * Graph: named tensors with fixed shapes, the nodes between them, and a tape of what can be differentiated. Knows nothing
 * of particular operators, models or of how it is run.
 */

export type DataType = 'float32' | 'int64'
export type Shape = readonly number[]

/** A value in the graph. `differentiable` is true when a parameter stands behind it. */
export type Tensor = { readonly name: string; readonly shape: Shape; readonly type: DataType; readonly differentiable: boolean }

/** Plain numbers are integers; floats and integer lists say so. */
export type Attribute = number | string | { float: number } | { integers: readonly number[] }
export type Node = { operator: string; inputs: string[]; outputs: string[]; results: readonly Tensor[]; attributes: Record<string, Attribute>; domain: string }

/** Gradients of the inputs from the gradient of the output; undefined where an input needs none. */
export type Derivative = (gradient: Tensor) => (Tensor | undefined)[]
export type TapeEntry = { output: Tensor; inputs: readonly Tensor[]; derivative: Derivative }

export class Graph {
  readonly nodes: Node[] = []
  readonly inputs: Tensor[] = []
  readonly parameters: Tensor[] = []
  readonly constants: { tensor: Tensor; data: Float32Array | BigInt64Array }[] = []
  readonly tape: TapeEntry[] = []
  readonly #shared = new Map<string, Tensor>()
  #count = 0

  #name(): string {
    return `t${this.#count++}`
  }

  /** A value fed at every run. */
  input(name: string, shape: Shape, type: DataType = 'float32'): Tensor {
    const tensor: Tensor = { name, shape, type, differentiable: false }
    this.inputs.push(tensor)
    return tensor
  }

  /** An input that is trained. */
  parameter(name: string, shape: Shape): Tensor {
    const tensor: Tensor = { name, shape, type: 'float32', differentiable: true }
    this.inputs.push(tensor)
    this.parameters.push(tensor)
    return tensor
  }

  /** A frozen value, kept in the model file. */
  constant(data: Float32Array, shape: Shape): Tensor {
    if (data.length !== size(shape)) throw new RangeError(`A constant of shape [${shape}] needs ${size(shape)} values and got ${data.length}.`)
    const tensor: Tensor = { name: this.#name(), shape, type: 'float32', differentiable: false }
    this.constants.push({ tensor, data })
    return tensor
  }

  scalar(value: number): Tensor {
    return this.#once(`f${value}`, () => this.constant(Float32Array.of(value), []))
  }

  integers(values: readonly number[]): Tensor {
    return this.#once(`i${values.join()}`, () => {
      const tensor: Tensor = { name: this.#name(), shape: [values.length], type: 'int64', differentiable: false }
      this.constants.push({ tensor, data: BigInt64Array.from(values, BigInt) })
      return tensor
    })
  }

  #once(key: string, make: () => Tensor): Tensor {
    const found = this.#shared.get(key) ?? make()
    this.#shared.set(key, found)
    return found
  }

  /** Adds a node of one operator and returns its output. `further` receives the shapes of outputs after the first. */
  node(operator: string, inputs: readonly Tensor[], shape: Shape, attributes: Record<string, Attribute> = {}, domain = ''): Tensor {
    return this.nodeOf(operator, inputs, [shape], attributes, domain)[0]!
  }

  /** Like {@link node}, for operators with several outputs. */
  nodeOf(operator: string, inputs: readonly Tensor[], shapes: readonly Shape[], attributes: Record<string, Attribute> = {}, domain = ''): Tensor[] {
    const outputs = shapes.map((shape): Tensor => ({ name: this.#name(), shape, type: 'float32', differentiable: false }))
    this.nodes.push({ operator, inputs: inputs.map(({ name }) => name), outputs: outputs.map(({ name }) => name), results: outputs, attributes, domain })
    return outputs
  }

  /** Says how gradients flow from `output` back to `inputs`. Nothing is recorded when no input is differentiable. */
  differentiable(output: Tensor, inputs: readonly Tensor[], derivative: Derivative): Tensor {
    if (!inputs.some((input) => input.differentiable)) return output
    const marked = { ...output, differentiable: true }
    this.tape.push({ output: marked, inputs, derivative })
    return marked
  }
}

/** Number of elements of a shape. */
export function size(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1)
}
