/**
 * Size: what a training step of a base will hold and compute, from the head of its file. Nothing is loaded or run.
 * Knows nothing of budgets or of what is free.
 */
import { statSync } from 'node:fs'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { StepSize } from '../../core/estimate.ts'
import { trainableAdapter } from '../../engine/adapter.ts'
import { type Llama, type LlamaShape, openLlama } from '../../engine/architecture.ts'
import { trainableModel } from '../../engine/full.ts'
import { FormatError, openGguf } from '../../engine/gguf.ts'
import { countParameters, trainingMemory } from '../../engine/memory.ts'
import { totalLength } from '../../engine/parameters.ts'
import type { BaseSize, SizeQuestion } from '../../ports/trainer.ts'

export function inspect(path: string): BaseSize | Refusal {
  const base = open(path)
  if ('refused' in base) return base
  const { metadata } = openGguf(path)
  const context = metadata.get('modelfactory.trained_context') ?? metadata.get(`${base.shape.architecture}.context_length`)
  return { width: base.shape.width, parameters: countParameters(base.shape).all, contextTokens: typeof context === 'number' ? context : 2048 }
}

export function size(question: SizeQuestion): StepSize | Refusal {
  const base = open(question.base)
  if ('refused' in base) return base
  try {
    return sizeOf(base.shape, question)
  } catch (error) {
    return refused(question.base, error)
  }
}

/** The same from a shape; `base`, where there is a file, says how large it is on disk. */
export function sizeOf(shape: LlamaShape, { base: path, recipe, longest, readsPerToken }: Omit<SizeQuestion, 'base'> & { base?: string }): StepSize {
  const base: Llama = { shape, tensor: () => new Float32Array() }
  const length = Math.ceil(longest / 8) * 8
  const rows = Math.max(1, Math.floor(recipe.tokensPerStep / length))
  const extent = { rows: Math.ceil(rows / recipe.accumulate), length, reads: Math.max(1, Math.ceil(readsPerToken * length * 1.5)) }
  const { method } = recipe
  const trainable = method === 'full' ? trainableModel(base) : trainableAdapter(base, recipe)
  const fileBytes = method === 'qlora' ? (path ? statSync(path).size : countParameters(shape).all) : undefined
  const memory = trainingMemory(shape, extent, { trainable, fileBytes })
  return { memory, operations: operations(shape, rows * length, { method, length, trained: totalLength(trainable.layout) }) }
}

/**
 * Operations of a step of `tokens`. A matrix costs 2 a value and token forwards and 2 backwards to the inputs; its own
 * slopes cost 2 more, for the trained values alone. A base that is kept quantised runs forwards twice. Attention costs 4
 * a value of the queries and position looked at forwards, twice that backwards (Hoffmann et al. 2022, appendix F).
 */
function operations(
  shape: LlamaShape,
  tokens: number,
  { method, length, trained }: { method: 'lora' | 'qlora' | 'full'; length: number; trained: number },
): StepSize['operations'] {
  const { matrices } = countParameters(shape)
  const attention = 4 * shape.layers * shape.heads * shape.headWidth * length
  const adapter = method === 'full' ? 0 : trained
  const forward = tokens * (2 * matrices + 2 * adapter + attention)
  const backward = tokens * (2 * matrices + 2 * attention + (method === 'full' ? 2 * matrices : 4 * adapter))
  return { step: forward + backward + (method === 'qlora' ? forward : 0), forward }
}

function open(path: string): Llama | Refusal {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    return refuse('base_missing', `There is no base model at "${path}".`, 'Give the path of a GGUF file.')
  try {
    return openLlama(path)
  } catch (error) {
    return refused(path, error)
  }
}

function refused(path: string, error: unknown): Refusal {
  if (!(error instanceof FormatError)) throw error
  return refuse('base_unsupported', `"${path}" cannot be trained: ${error.message}.`, 'Use a GGUF file of a supported model.')
}
