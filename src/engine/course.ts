/**
 * Course: which batches a run reads, step by step, and how a step's loss and slopes and the validation loss come of them.
 * Knows nothing of optimisers or of when to stop.
 */
import type { Llama } from './architecture.ts'
import { type Gradient, layerPlan, openGradient, openLoss } from './gradient.ts'
import type { Extent } from './llama.ts'
import { wholeBytes } from './memory.ts'
import { type Batch, batchValues, chooseExtent, pack, readWeight, type Sequence } from './packing.ts'
import type { Trainable } from './parameters.ts'
import { generator, shuffle } from './random.ts'
import { headFits, openWholeGradient } from './whole.ts'

export type Course = {
  /** The batches of every step of one pass over the data, in an order that depends on seed and epoch only. */
  steps(epoch: number): readonly (readonly Batch[])[]
  /** Loss and slopes of one step; the arrays are overwritten by the next. */
  gradient(parameters: Float32Array, batches: readonly Batch[]): Promise<{ loss: number; slopes: readonly Float32Array[]; tokenCount: number }>
  /** The mean loss of the validation set, and the share of its reads that are right; undefined when there is none. */
  validate: ((parameters: Float32Array) => Promise<{ loss: number; right: number }>) | undefined
  close(): Promise<void>
}

export type CourseOptions = {
  training: readonly Sequence[]
  validation: readonly Sequence[]
  trainable: Trainable
  vocabulary: readonly number[] | undefined
  settings: CourseSettings
}

/** The part of the training's settings that says what is computed together. */
type CourseSettings = { method: 'lora' | 'qlora' | 'full'; tokensPerStep: number; accumulate: number; validateEvery: number; seed: number; threads: number }

export async function openCourse(base: Llama, { training, validation, trainable, vocabulary, settings }: CourseOptions): Promise<Course> {
  const { tokensPerStep, accumulate, threads } = settings
  const options = { trainable, vocabulary, threads, ...layerPlan(base, settings.method) }
  const classes = vocabulary?.length ?? 0
  const whole = chooseExtent(training, tokensPerStep)
  const extent = runExtent(whole, accumulate)
  const gradient = runsWhole(base, extent, trainable, settings.method, vocabulary)
    ? await openWholeGradient(base, extent, options)
    : await openGradient(base, extent, options)
  const checked = validationSet(validation, settings)
  const forward = checked.length ? await openValidation() : undefined

  async function openValidation() {
    const whole = chooseExtent(checked, tokensPerStep)
    const extent = runExtent(whole, accumulate)
    const batches = pack(checked, whole).flatMap((step) => parts(step, extent))
    const total = readWeight(batches)
    const loss = await openLoss(base, extent, options)
    return {
      async validate(parameters: Float32Array) {
        const sum = { loss: 0, right: 0 }
        for (const batch of batches) {
          const found = await loss.run(parameters, batchValues(batch, extent, classes, total))
          sum.loss += found.loss
          sum.right += found.right
        }
        return sum
      },
      close: () => loss.close(),
    }
  }

  return {
    steps(epoch) {
      const next = generator(settings.seed * 7919 + epoch * 104_729 + 1)
      return shuffle(pack(shuffle(training, next), whole), next).map((step) => parts(step, extent))
    },
    gradient: accumulated(gradient, extent, classes),
    validate: forward?.validate,
    async close() {
      await gradient.close()
      await forward?.close()
    },
  }
}

/** Whether a step is one graph of the whole model. A base that stays quantised never is: its weights would have to be expanded all at once. */
export function runsWhole(
  base: Llama,
  extent: Extent,
  trainable: Trainable,
  method: CourseSettings['method'],
  vocabulary: readonly number[] | undefined,
): boolean {
  return method !== 'qlora' && headFits(extent, vocabulary?.length ?? base.shape.vocabulary) && wholeBytes(base.shape, extent, trainable) !== undefined
}

/** What one run computes of a step. */
function runExtent(step: Extent, accumulate: number): Extent {
  return { ...step, rows: Math.ceil(step.rows / accumulate) }
}

/** A step's rows, as many at a time as one run takes. Runs of empty rows are left out. */
function parts(step: Batch, { rows }: Extent): Batch[] {
  const all = Array.from({ length: Math.ceil(step.length / rows) }, (_, index) => step.slice(index * rows, (index + 1) * rows))
  return all.filter((batch) => batch.some((row) => row.length))
}

/** At most as many validation sequences as cost a small part of the training between two validations. */
function validationSet(sequences: readonly Sequence[], settings: CourseSettings): Sequence[] {
  const most = Math.max(8192, settings.validateEvery * settings.tokensPerStep * 0.5)
  const total = sequences.reduce((sum, { tokens }) => sum + tokens.length, 0)
  if (total <= most) return [...sequences]
  const chosen: Sequence[] = []
  let left = most
  for (const sequence of shuffle(sequences, generator(settings.seed))) {
    if (sequence.tokens.length > left) continue
    left -= sequence.tokens.length
    chosen.push(sequence)
  }
  return chosen
}

/**
 * Runs a step's batches one after the other and adds up their losses and slopes, in that order. Every read counts by its
 * weight over that of all reads of the step, so the split changes nothing but rounding.
 */
function accumulated(gradient: Gradient, extent: Extent, classes: number): Course['gradient'] {
  let sums: Float32Array[] | undefined
  return async (parameters, batches) => {
    const total = readWeight(batches)
    let loss = 0
    let tokenCount = 0
    let slopes: readonly Float32Array[] = []
    for (const [index, batch] of batches.entries()) {
      const values = batchValues(batch, extent, classes, total)
      const found = await gradient.run(parameters, values)
      loss += found.loss
      tokenCount += values.tokenCount
      if (batches.length === 1) slopes = found.slopes
      else {
        sums ??= found.slopes.map(({ length }) => new Float32Array(length))
        for (const [part, sum] of sums.entries())
          if (index === 0) sum.set(found.slopes[part]!)
          else addTo(sum, found.slopes[part]!)
        slopes = sums
      }
    }
    return { loss, slopes, tokenCount }
  }
}

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let index = 0; index < sum.length; index++) sum[index]! += values[index]!
}
