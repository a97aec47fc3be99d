/**
 * Merge: a LoRA adapter read from its GGUF file, and its update added to the base's matrices, W + alpha / rank * up down.
 * Knows nothing of how either was made.
 */
import { FormatError, type Gguf, openGguf } from './gguf.ts'
import type { AdapterPair } from './gguf-writer.ts'

export type StoredAdapter = { architecture: string; alpha: number; pairs: Map<string, AdapterPair> }

/** Reads an adapter whole. @throws {FormatError} for anything but a LoRA adapter whose pairs fit together. */
export function openAdapter(path: string): StoredAdapter {
  return adapterOf(openGguf(path))
}

export function adapterOf(gguf: Gguf): StoredAdapter {
  const { metadata, tensors } = gguf
  if (metadata.get('general.type') !== 'adapter' || metadata.get('adapter.type') !== 'lora')
    throw new FormatError(`its type is "${String(metadata.get('general.type') ?? 'none')}", not that of a LoRA adapter`)
  const alpha = metadata.get('adapter.lora.alpha')
  if (typeof alpha !== 'number' || !(alpha > 0)) throw new FormatError(`its adapter.lora.alpha is ${String(alpha)}`)
  const pairs = new Map<string, AdapterPair>()
  for (const { name, shape } of tensors.values()) {
    if (name.endsWith('.lora_b')) {
      if (!tensors.has(`${name.slice(0, -1)}a`)) throw new FormatError(`tensor "${name}" has no lora_a beside it`)
      continue
    }
    if (!name.endsWith('.lora_a')) throw new FormatError(`its tensor "${name}" is not part of a LoRA adapter`)
    const tensor = name.slice(0, -'.lora_a'.length)
    const up = tensors.get(`${tensor}.lora_b`)
    const [rank, inputs] = shape
    if (shape.length !== 2 || up?.shape.length !== 2 || up.shape[1] !== rank)
      throw new FormatError(`"${name}" is ${shape.join(' x ')} and its lora_b ${up?.shape.join(' x ') ?? 'absent'}`)
    pairs.set(tensor, { tensor, rank: rank!, inputs: inputs!, outputs: up.shape[0]!, down: gguf.tensor(name), up: gguf.tensor(up.name) })
  }
  return { architecture: String(metadata.get('general.architecture') ?? 'none'), alpha, pairs }
}

/** Checks that every pair has a matrix of its shape in the base. @throws {FormatError} naming the first that has not. */
export function checkFit(base: Gguf, adapter: StoredAdapter): void {
  for (const { tensor, inputs, outputs } of adapter.pairs.values()) {
    const shape = base.tensors.get(tensor)?.shape
    if (shape?.join() !== [outputs, inputs].join())
      throw new FormatError(`the adapter changes "${tensor}" of ${outputs} x ${inputs}, which in the base is ${shape?.join(' x ') ?? 'absent'}`)
  }
}

/** The base's tensor with the update added, or undefined where the adapter changes nothing. Accumulated in 64 bits, row by row. */
export function mergedTensor(base: Gguf, adapter: StoredAdapter, name: string): Float32Array | undefined {
  const pair = adapter.pairs.get(name)
  if (!pair) return undefined
  const { rank, inputs, outputs, down, up } = pair
  const values = base.tensor(name)
  const scale = adapter.alpha / rank
  const row = new Float64Array(inputs)
  for (let output = 0; output < outputs; output++) {
    const at = output * inputs
    for (let input = 0; input < inputs; input++) row[input] = values[at + input]!
    for (let inner = 0; inner < rank; inner++) {
      const factor = scale * up[output * rank + inner]!
      const from = inner * inputs
      for (let input = 0; input < inputs; input++) row[input]! += factor * down[from + input]!
    }
    values.set(row, at)
  }
  return values
}

/**
 * An output matrix under which the likeliest of all tokens is always one of `labels`: every other row is the mean of the labels' rows,
 * so every other logit is the mean of the labels' logits, which is never above the largest of them. The labels' own logits are unchanged.
 * `matrix` is [vocabulary, width] and changed in place.
 */
export function onlyLabels(matrix: Float32Array, width: number, labels: readonly number[]): Float32Array {
  const mean = new Float64Array(width)
  for (const label of labels) for (let column = 0; column < width; column++) mean[column]! += matrix[label * width + column]! / labels.length
  const kept = new Set(labels)
  for (let token = 0; token < matrix.length / width; token++) if (!kept.has(token)) matrix.set(mean, token * width)
  return matrix
}
