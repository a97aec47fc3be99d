/**
 * Layer weights: where the frozen matrices of a base are while it trains: expanded once and kept, or kept as the file has
 * them and expanded when their layer is due, so that a 4-bit base costs its 4 bits. Knows nothing of graphs.
 */

import type { Llama } from './architecture.ts'
import { dequantise, TENSOR_TYPES } from './dequantise.ts'
import { FormatError } from './gguf.ts'

export interface LayerWeights {
  /** The named tensors of one layer as 32-bit floats. Arrays may be overwritten by the next call. */
  layer(index: number, names: readonly string[]): Record<string, Float32Array>
  /** A whole tensor, for the caller to keep. */
  tensor(name: string): Float32Array
  /** Writes rows of a matrix, by index, one after another. */
  rows(name: string, width: number, indices: ArrayLike<number | bigint>, into: Float32Array): void
}

/** The name a tensor of layer `index` has in the file; the compiled layer knows it as one of layer 0. */
export const layerName = (name: string, index: number): string => name.replace('blk.0.', `blk.${index}.`)

/** Every tensor expanded when first asked for, and kept: 4 bytes a parameter. */
export function expandedWeights(base: Llama): LayerWeights {
  const kept = new Map<string, Float32Array>()
  const tensor = (name: string) => {
    const found = kept.get(name) ?? base.tensor(name)
    kept.set(name, found)
    return found
  }
  return {
    layer: (index, names) => Object.fromEntries(names.map((name) => [name, tensor(layerName(name, index))])),
    tensor,
    rows(name, width, indices, into) {
      const matrix = tensor(name)
      for (let row = 0; row < indices.length; row++) {
        const from = Number(indices[row]!) * width
        into.set(matrix.subarray(from, from + width), row * width)
      }
    },
  }
}

/**
 * Every tensor kept as the file has it; a layer's are expanded when it is due, into arrays that the next layer reuses.
 * @throws {FormatError} when the base is in no file.
 */
export function quantisedWeights(base: Llama): LayerWeights {
  const kept = new Map<string, ReturnType<NonNullable<Llama['blocks']>>>()
  const due = new Map<string, Float32Array>()
  const blocks = (name: string) => {
    const found = kept.get(name) ?? base.blocks?.(name)
    if (!found) throw new FormatError('it has no blocks to keep quantised')
    kept.set(name, found)
    return found
  }
  return {
    layer: (index, names) =>
      Object.fromEntries(
        names.map((name) => {
          const { type, bytes } = blocks(layerName(name, index))
          const count = (bytes.length / TENSOR_TYPES[type].bytes) * TENSOR_TYPES[type].elements
          const into = due.get(name) ?? new Float32Array(count)
          due.set(name, into)
          return [name, dequantise(type, bytes, into)]
        }),
      ),
    tensor: (name) => base.tensor(name),
    rows(name, width, indices, into) {
      const { type, bytes } = blocks(name)
      const stride = (width / TENSOR_TYPES[type].elements) * TENSOR_TYPES[type].bytes
      for (let row = 0; row < indices.length; row++) {
        const from = Number(indices[row]!) * stride
        dequantise(type, bytes.subarray(from, from + stride), into.subarray(row * width, (row + 1) * width))
      }
    },
  }
}
