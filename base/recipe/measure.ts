/**
 * Measure: rows of tokens as the engine is fed with them, and bits per byte of held-out text. Knows nothing of courses.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Llama } from '../../src/engine/architecture.ts'
import { openLoss } from '../../src/engine/gradient.ts'
import type { Extent } from '../../src/engine/llama.ts'
import { type BatchValues, batchValues } from '../../src/engine/packing.ts'
import type { Trainable } from '../../src/engine/parameters.ts'
import { NumberFile } from './rows.ts'

const Part = z.object({ bytes: z.number(), tokens: z.number(), from: z.number(), to: z.number() })
const Facts = z.object({ bytes: z.number(), tokens: z.number(), sources: z.record(z.string(), Part).default({}) })

/** A row of `length` + 1 tokens; `learned` says which are, all of them when absent. */
export type Row = { tokens: ArrayLike<number>; learned?: ArrayLike<number> | undefined }

/** Lays rows out for runs of one extent whose every token is read. Masks and positions are the same in every run and are made once. */
export class Reader {
  readonly extent: Extent
  readonly #values: BatchValues
  readonly #vocabulary: number

  constructor(extent: Extent, vocabulary: number) {
    this.extent = extent
    this.#vocabulary = vocabulary
    const tokens = Array.from({ length: extent.length }, () => 0)
    const reads = tokens.map((_, position) => ({ position, label: 0, weight: 1 }))
    this.#values = batchValues(
      Array.from({ length: extent.rows }, () => [{ tokens, reads }]),
      extent,
      0,
    )
  }

  /** What is fed; every learned token counts `weight`. Overwritten by the next call. @throws {RangeError} for a token there is none of. */
  values(rows: readonly Row[], weight: number): BatchValues {
    const { length } = this.extent
    this.#values.weights.fill(0)
    for (const [row, { tokens, learned }] of rows.entries())
      for (let at = 0; at < length; at++) {
        const place = row * length + at
        for (const token of [tokens[at]!, tokens[at + 1]!])
          if (token >= this.#vocabulary) throw new RangeError(`Token ${token} is a label, or none: training text has tokens below ${this.#vocabulary}.`)
        this.#values.tokens[place] = BigInt(tokens[at]!)
        this.#values.labels[place] = BigInt(tokens[at + 1]!)
        this.#values.weights[place] = !learned || learned[at + 1] ? weight : 0
      }
    return this.#values
  }
}

export type MeasureOptions = {
  trainable: Trainable
  parameters: Float32Array
  work: string
  threads: number
  length: number
  thinning: number
  /** Tokens computed together. */
  together: number
}

/**
 * Bits per byte of the work folder's validation.bin read in rows of `length`, each without what stood before it; one row in
 * `thinning` is measured. By source only when all rows are.
 */
export async function measure(base: Llama, options: MeasureOptions): Promise<{ bitsPerByte: number; sources: Record<string, number> }> {
  const { trainable, parameters, work, threads, length, thinning, together } = options
  const facts = Facts.parse(JSON.parse(readFileSync(join(work, 'validation.json'), 'utf8')))
  const file = new NumberFile(join(work, 'validation.bin'), 2)
  const extent = { rows: Math.max(1, Math.floor(together / length)), length, reads: length }
  const reader = new Reader(extent, base.shape.vocabulary)
  const loss = await openLoss(base, extent, { trainable, vocabulary: undefined, threads })
  const last = Math.floor((file.length - 1) / length) * length

  /** Nats of the tokens [from, to), of those that rows reach, and how many these are. */
  async function nats(from: number, to: number, step: number): Promise<[sum: number, count: number]> {
    let [sum, count] = [0, 0]
    const starts: number[] = []
    for (let row = Math.floor(Math.max(0, from - 1) / length); row * length < Math.min(to, last); row += step) starts.push(row * length)
    for (let at = 0; at < starts.length; at += extent.rows) {
      const rows = starts.slice(at, at + extent.rows).map((start) => {
        const learned = Uint8Array.from({ length: length + 1 }, (_, index) => (start + index >= from && start + index < to ? 1 : 0))
        count += learned.subarray(1).reduce((some, one) => some + one, 0)
        return { tokens: file.slice(start, start + length + 1), learned }
      })
      sum += (await loss.run(parameters, reader.values(rows, 1))).loss
    }
    return [sum, count]
  }

  try {
    const bits = (sum: number, count: number, part: { bytes: number; tokens: number }) => (sum / count / Math.LN2) * (part.tokens / part.bytes)
    const parts = thinning === 1 ? Object.entries(facts.sources) : []
    if (!parts.length) return { bitsPerByte: bits(...(await nats(0, file.length, thinning)), facts), sources: {} }
    let [sum, count] = [0, 0]
    const sources: Record<string, number> = {}
    for (const [name, part] of parts) {
      const [own, counted] = await nats(part.from, part.to, 1)
      if (counted) sources[name] = Math.round(bits(own, counted, part) * 1e4) / 1e4
      sum += own
      count += counted
    }
    return { bitsPerByte: Math.round(bits(sum, count, facts) * 1e4) / 1e4, sources }
  } finally {
    await loss.close()
    file.close()
  }
}
