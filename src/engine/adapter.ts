/**
 * Adapter: the trained numbers of a LoRA as one array, its start values, and its way to a GGUF file. Knows nothing of how
 * it is trained.
 */

import { type Llama, matrixShape } from './architecture.ts'
import { type MetadataEntry, writeAdapter } from './gguf-writer.ts'
import { generator } from './random.ts'

export type LoraSettings = { rank: number; alpha: number; targets: readonly string[] }

/** One thin matrix within the array: `blk.N.STEM.weight.lora_a` is [rank, in], `.lora_b` is [out, rank]. */
export type AdapterPart = { name: string; shape: [number, number]; offset: number; length: number }

/** Where each matrix stands in the array, by the order of the layers and targets. */
export function adapterLayout(base: Llama, settings: LoraSettings): AdapterPart[] {
  const parts: AdapterPart[] = []
  let offset = 0
  const place = (name: string, shape: [number, number]) => {
    parts.push({ name, shape, offset, length: shape[0] * shape[1] })
    offset += shape[0] * shape[1]
  }
  for (let layer = 0; layer < base.shape.layers; layer++)
    for (const stem of settings.targets) {
      const [outputs, inputs] = matrixShape(base.shape, stem)
      place(`blk.${layer}.${stem}.weight.lora_a`, [settings.rank, inputs])
      place(`blk.${layer}.${stem}.weight.lora_b`, [outputs, settings.rank])
    }
  return parts
}

/** Start values: lora_a uniform within 1 / sqrt(in) as PEFT does, lora_b zero, so the first step starts at the base. */
export function initialAdapter(layout: readonly AdapterPart[], seed: number): Float32Array {
  const values = new Float32Array(layout.reduce((total, { length }) => total + length, 0))
  const next = generator(seed)
  for (const { name, shape, offset, length } of layout) {
    if (name.endsWith('.lora_b')) continue
    const bound = 1 / Math.sqrt(shape[1])
    for (let index = 0; index < length; index++) values[offset + index] = (2 * next() - 1) * bound
  }
  return values
}

/** Views of the array by name, as the graph's parameters want them. They share memory with it. */
export function adapterViews(layout: readonly AdapterPart[], values: Float32Array): Record<string, Float32Array> {
  return Object.fromEntries(layout.map(({ name, offset, length }) => [name, values.subarray(offset, offset + length)]))
}

/** The bytes of a GGUF LoRA file; `metadata` say more of where it came from. */
export function adapterFile(
  base: Llama,
  settings: LoraSettings,
  layout: readonly AdapterPart[],
  values: Float32Array,
  metadata: readonly MetadataEntry[] = [],
): Uint8Array {
  const views = adapterViews(layout, values)
  const pairs = layout
    .filter(({ name }) => name.endsWith('.lora_a'))
    .map(({ name, shape }) => {
      const tensor = name.slice(0, -'.lora_a'.length)
      const up = layout.find((part) => part.name === `${tensor}.lora_b`)!
      return { tensor, rank: settings.rank, inputs: shape[1], outputs: up.shape[0], down: views[name]!, up: views[up.name]! }
    })
  return writeAdapter({ architecture: base.shape.architecture, alpha: settings.alpha, metadata, pairs })
}
