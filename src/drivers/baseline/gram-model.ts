/**
 * A linear model over grams, one hyperplane a label: what it says of texts, and its file. Knows nothing of how the weights were found.
 */
import { z } from 'zod'
import { score } from '../../engine/linear.ts'
import type { LoadedBaseline } from '../../ports/baseline.ts'
import { encodeBy, type Family } from './grams.ts'

export type GramModel = { labels: string[]; families: Family[]; weights: { scale: number; values: Int16Array }[] }

/** 16 bits a weight, one scale a label: half the size, and no prediction that we saw differs. */
export function rounded(weights: Float64Array): { scale: number; values: Int16Array } {
  const scale = weights.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-12) / 32767
  return { scale, values: Int16Array.from(weights, (value) => Math.round(value / scale)) }
}

export function loaded(model: GramModel): LoadedBaseline {
  const { labels } = model
  const encode = encodeBy(model.families)
  const weights = model.weights.map(({ scale, values }) => Float32Array.from(values, (value) => value * scale))
  const scores = (inputs: readonly string[]) => {
    const features = encode(inputs)
    return inputs.map((_, row) => weights.map((plane) => score(plane, features, row)))
  }
  return { labels, scores, predict: (inputs) => scores(inputs).map((row) => labels[row.indexOf(Math.max(...row))]!) }
}

/** A line of JSON (labels, grams, scales), then the weights of each label as little-endian 16-bit integers. */
export function save(model: GramModel): Uint8Array {
  const head = JSON.stringify({
    format: 'modelfactory/ngram-svm@1',
    labels: model.labels,
    families: model.families,
    scales: model.weights.map(({ scale }) => scale),
  })
  return Buffer.concat([Buffer.from(`${head}\n`), ...model.weights.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength))])
}

const Head = z.object({
  format: z.literal('modelfactory/ngram-svm@1'),
  labels: z.array(z.string()).min(1),
  families: z.array(z.object({ grams: z.array(z.string()), rarity: z.array(z.number()) })).length(2),
  scales: z.array(z.number()),
})

export function read(bytes: Uint8Array): GramModel {
  const end = bytes.indexOf(10)
  const { labels, families, scales } = Head.parse(JSON.parse(Buffer.from(bytes.subarray(0, Math.max(0, end))).toString('utf8')))
  // A hyperplane has one weight a gram, and its bias last.
  const width = families.reduce((sum, family) => sum + family.grams.length, 0) + 1
  if (scales.length !== labels.length || bytes.length !== end + 1 + 2 * width * labels.length)
    throw new RangeError(`The n-gram model has ${bytes.length} bytes, which do not fit its ${labels.length} labels and ${width - 1} grams.`)
  const view = new DataView(bytes.buffer, bytes.byteOffset + end + 1)
  const weights = scales.map((scale, label) => ({
    scale,
    values: Int16Array.from({ length: width }, (_, index) => view.getInt16(2 * (label * width + index), true)),
  }))
  return { labels, families, weights }
}
