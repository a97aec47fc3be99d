/**
 * Shape: a configuration's shape as the engine describes a Llama, its first weights, and its size. Knows nothing of files.
 */
import { type Llama, type LlamaShape, modelTensors } from '../../src/engine/architecture.ts'
import { generator } from '../../src/engine/random.ts'
import type { BaseConfig } from './config.ts'

export function llamaShape(shape: BaseConfig['shape']): LlamaShape {
  const { width, layers, heads, groups, feedForward, vocabulary, ropeBase, epsilon } = shape
  return {
    architecture: 'llama',
    rotary: 'interleaved',
    width,
    layers,
    heads,
    groups,
    headWidth: width / heads,
    feedForward,
    vocabulary,
    epsilon,
    ropeBase,
    tied: true,
  }
}

/** Numbers the model has. */
export function parameterCount(shape: BaseConfig['shape']): number {
  return [...modelTensors(llamaShape(shape)).values()].reduce((total, extent) => total + extent.reduce((product, length) => product * length, 1), 0)
}

/**
 * A model that has learned nothing, drawn as pretrain.py draws it: normal, deviation 0.02, and 0.02 / sqrt(2 layers) for what writes
 * into the residual stream (Radford et al. 2019, section 2.3); norms are one.
 */
export function untrained(shape: BaseConfig['shape'], seed: number): Llama {
  const llama = llamaShape(shape)
  const tensors = new Map<string, Float32Array>()
  const next = generator(seed)
  for (const [name, extent] of modelTensors(llama)) {
    const count = extent.reduce((product, length) => product * length, 1)
    const deviation = /attn_output|ffn_down/.test(name) ? 0.02 / Math.sqrt(2 * shape.layers) : 0.02
    tensors.set(name, extent.length < 2 ? new Float32Array(count).fill(1) : Float32Array.from({ length: count }, () => deviation * normal(next)))
  }
  return modelOf(llama, tensors)
}

/** A model of tensors in memory. @throws {RangeError} for a tensor that is not there. */
export function modelOf(shape: LlamaShape, tensors: ReadonlyMap<string, Float32Array>): Llama {
  return {
    shape,
    tensor(name, into) {
      const values = tensors.get(name)
      if (!values) throw new RangeError(`The model has no tensor ${name}.`)
      if (!into) return values.slice()
      into.set(values)
      return into
    },
  }
}

/** One number of the standard normal distribution (Box and Muller 1958). */
function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}
