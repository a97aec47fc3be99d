/**
 * Adapter: a LoRA as something to train, its start values, and its way to a GGUF file. Knows nothing of how it is trained.
 */

import { type Llama, matrixShape } from './architecture.ts'
import { writeAdapter } from './gguf-writer.ts'
import { layOut, type Part, partViews, type Trainable, totalLength } from './parameters.ts'
import { generator } from './random.ts'

export type LoraSettings = { rank: number; alpha: number; targets: readonly string[] }

/** One thin matrix within the array: `blk.N.STEM.weight.lora_a` is [rank, in], `.lora_b` is [out, rank]. */
export type AdapterPart = Part & { shape: [number, number] }

/** A LoRA on a base, as something to train. */
export function trainableAdapter(base: Llama, settings: LoraSettings): Trainable {
  const layout = adapterLayout(base, settings)
  return { layout, initial: (seed) => initialAdapter(layout, seed), graph: { lora: settings } }
}

/** Where each matrix stands in the array, by the order of the layers and targets. */
export function adapterLayout(base: Llama, settings: LoraSettings): AdapterPart[] {
  const pairs: { name: string; shape: [number, number] }[] = []
  for (let layer = 0; layer < base.shape.layers; layer++)
    for (const stem of settings.targets) {
      const [outputs, inputs] = matrixShape(base.shape, stem)
      pairs.push({ name: `blk.${layer}.${stem}.weight.lora_a`, shape: [settings.rank, inputs] })
      pairs.push({ name: `blk.${layer}.${stem}.weight.lora_b`, shape: [outputs, settings.rank] })
    }
  return layOut(pairs)
}

/** Start values: lora_a uniform within 1 / sqrt(in) as PEFT does, lora_b zero, so the first step starts at the base. */
export function initialAdapter(layout: readonly AdapterPart[], seed: number): Float32Array {
  const values = new Float32Array(totalLength(layout))
  const next = generator(seed)
  for (const { name, shape, offset, length } of layout) {
    if (name.endsWith('.lora_b')) continue
    const bound = 1 / Math.sqrt(shape[1])
    for (let index = 0; index < length; index++) values[offset + index] = (2 * next() - 1) * bound
  }
  return values
}

/** The bytes of a GGUF LoRA file. */
export function adapterFile(base: Llama, settings: LoraSettings, layout: readonly Part[], values: Float32Array): Uint8Array {
  const views = partViews(layout, values)
  const pairs = layout
    .filter(({ name }) => name.endsWith('.lora_a'))
    .map(({ name, shape }) => {
      const tensor = name.slice(0, -'.lora_a'.length)
      const up = layout.find((part) => part.name === `${tensor}.lora_b`)!
      return { tensor, rank: settings.rank, inputs: shape[1]!, outputs: up.shape[0]!, down: views[name]!, up: views[up.name]! }
    })
  return writeAdapter({ architecture: base.shape.architecture, alpha: settings.alpha, pairs })
}
