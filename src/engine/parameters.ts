/**
 * Parameters: the trained numbers of a model as one array of named parts, whatever they are. Knows nothing of what the
 * parts mean or how they are trained.
 */
import { type Graph, type Shape, size } from './graph.ts'
import type { LoraTargets, WeightSource } from './llama.ts'

/** One named tensor within the array, row-major. */
export type Part = { name: string; shape: Shape; offset: number; length: number }

/** What is trained of a model: where its numbers stand, what they start from, and the options of `buildLlama` that make them parameters. */
export type Trainable = {
  layout: readonly Part[]
  initial(seed: number): Float32Array
  graph: { lora?: LoraTargets; weight?: (graph: Graph) => WeightSource }
}

/** One rule to step by, for one layout. Its own numbers are in an array of `length` that the caller keeps, zero at the start. */
export interface Optimiser {
  readonly length: number
  /**
   * One update of `parameters` in place. `step` counts from 1; `scale` multiplies the slopes first (clipping). The decay is
   * on matrices alone, times the learning rate.
   */
  step(parameters: Float32Array, slopes: readonly Float32Array[], moments: Float32Array, options: StepOptions): void
}

export type StepOptions = { step: number; learningRate: number; weightDecay: number; scale: number }

/** Lays tensors out one after the other. */
export function layOut<T extends { name: string; shape: Shape }>(tensors: readonly T[]): (T & Part)[] {
  let offset = 0
  return tensors.map((tensor) => {
    const part = { ...tensor, offset, length: size(tensor.shape) }
    offset += part.length
    return part
  })
}

/** Numbers of all parts together. */
export function totalLength(layout: readonly Part[]): number {
  return layout.reduce((total, { length }) => total + length, 0)
}

/** Views of the array by name, as the graph's parameters want them. They share memory with it. */
export function partViews(layout: readonly Part[], values: Float32Array): Record<string, Float32Array> {
  return Object.fromEntries(layout.map(({ name, offset, length }) => [name, values.subarray(offset, offset + length)]))
}

/** Euclidean norm of all slopes together, in double precision. */
export function globalNorm(slopes: readonly Float32Array[]): number {
  let sum = 0
  for (const slope of slopes) for (let index = 0; index < slope.length; index++) sum += slope[index]! * slope[index]!
  return Math.sqrt(sum)
}
