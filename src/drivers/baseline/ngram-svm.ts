/**
 * The strong cheap classifier: TF-IDF of word 1-2-grams and character 2-5-grams, one linear SVM a label. Chooses its
 * penalty and class weights on practice, then learns from training and practice together. Knows nothing of specs or files.
 */
import { z } from 'zod'
import { macroF1 } from '../../core/report.ts'
import { fitHyperplane, type Hyperplane, height, type SparseRows, score, sparse } from '../../engine/linear.ts'
import type { Baseline, FittedBaseline, LabelledText, LoadedBaseline } from '../../ports/baseline.ts'

type Case = LabelledText

const holds = (item: Case, label: string): boolean => item.labels?.includes(label) ?? item.label === label

const penalties = [0.1, 0.3, 1, 3]
const vocabularyLimit = 200_000

/** @throws the signal's reason when cancelled, and {@link EmptyError} without training rows. */
export function ngramSvm(): Baseline {
  return {
    what: 'TF-IDF word and character n-grams + linear SVM',
    async fit({ training, practice, signal }) {
      if (!training.length) throw new EmptyError()
      const choice = await choose(training, practice, signal)
      const all = [...training, ...practice]
      const { labels, vocabulary, rows } = prepare(all)
      const planes = await fitAll(rows, all, labels, choice, signal)
      const weights = planes.map((plane) => rounded(plane.weights))
      const model = { labels, families: vocabulary.families.map(({ grams, rarity }) => ({ grams, rarity: Array.from(rarity) })), weights }
      return {
        ...loaded(model),
        // A label that training alone does not have cannot have had a score.
        practiceScores: choice.scores.map((row) => labels.map((label) => row[choice.labels.indexOf(label)] ?? -1)),
        save: () => save(model),
      } satisfies FittedBaseline
    },
    load: (bytes) => loaded(read(bytes)),
  }
}

type Model = { labels: string[]; families: { grams: string[]; rarity: number[] }[]; weights: { scale: number; values: Int16Array }[] }

/** 16 bits a weight, one scale a label: half the size, and no prediction that we saw differs. */
function rounded(weights: Float64Array): { scale: number; values: Int16Array } {
  const scale = weights.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-12) / 32767
  return { scale, values: Int16Array.from(weights, (value) => Math.round(value / scale)) }
}

function loaded(model: Model): LoadedBaseline {
  const { labels } = model
  const encode = encoder(
    model.families.map(({ grams, rarity }, index) => encoded(index === 0 ? wordGrams : characterGrams(), grams, Float64Array.from(rarity))),
  )
  const weights = model.weights.map(({ scale, values }) => Float32Array.from(values, (value) => value * scale))
  const scores = (inputs: readonly string[]) => {
    const features = encode(inputs)
    return inputs.map((_, row) => weights.map((plane) => score(plane, features, row)))
  }
  return { labels, scores, predict: (inputs) => scores(inputs).map((row) => labels[row.indexOf(Math.max(...row))]!) }
}

/** A line of JSON (labels, grams, scales), then the weights of each label as little-endian 16-bit integers. */
function save(model: Model): Uint8Array {
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

function read(bytes: Uint8Array): Model {
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

type Choice = { penalty: number; balanced: boolean }
/** The choice, and what its fit on training alone said of practice. */
type Chosen = Choice & { labels: string[]; scores: number[][] }

/** The penalty and weighting with the best macro-F1 on practice; the first of equals, so the simplest. */
async function choose(training: readonly Case[], practice: readonly Case[], signal: AbortSignal | undefined): Promise<Chosen> {
  let chosen: Chosen & { value: number } = { penalty: 1, balanced: false, value: -1, labels: [], scores: [] }
  if (!practice.length) return chosen
  const { labels, vocabulary, rows } = prepare(training)
  const features = vocabulary.encode(practice.map((item) => item.input))
  const truth = practice.map((item) => item.label)
  const attempt = async (choice: Choice, from?: readonly Hyperplane[]): Promise<Hyperplane[]> => {
    const planes = await fitAll(rows, training, labels, choice, signal, from)
    const weights = planes.map((plane) => plane.weights)
    const scores = truth.map((_, row) => weights.map((plane) => score(plane, features, row)))
    const value = macroF1(
      scores.map((row) => labels[row.indexOf(Math.max(...row))]!),
      truth,
    )
    if (value > chosen.value + 1e-9) chosen = { ...choice, value, labels, scores }
    return planes
  }
  let planes: Hyperplane[] | undefined
  for (const penalty of penalties) planes = await attempt({ penalty, balanced: false }, planes)
  // Balancing only where the penalty already is good: half the fits for the same choice in nearly every case.
  const near = penalties.indexOf(chosen.penalty)
  planes = undefined
  for (const penalty of penalties.slice(Math.max(0, near - 1), near + 1)) planes = await attempt({ penalty, balanced: true }, planes)
  return chosen
}

async function fitAll(
  rows: SparseRows,
  cases: readonly Case[],
  labels: readonly string[],
  choice: Choice,
  signal: AbortSignal | undefined,
  from?: readonly Hyperplane[],
): Promise<Hyperplane[]> {
  const planes: Hyperplane[] = []
  for (const [index, label] of labels.entries()) {
    // A breath between labels, so that a server in the same process keeps answering.
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
    const positive = Uint8Array.from(cases, (item) => (holds(item, label) ? 1 : 0))
    const count = positive.reduce((sum, value) => sum + value, 0)
    const weight = choice.balanced ? height(rows) / (labels.length * count) : 1
    planes.push(fitHyperplane(rows, positive, { positive: choice.penalty * weight, negative: choice.penalty, from: from?.[index] }))
  }
  return planes
}

function prepare(cases: readonly Case[]) {
  const labels = [...new Set(cases.flatMap((item) => item.labels ?? [item.label]))].sort()
  const inputs = cases.map((item) => item.input)
  const vocabulary = learn(inputs)
  return { labels, vocabulary, rows: vocabulary.encode(inputs) }
}

/** Two families of n-grams, each with its own unit length, so that the many characters do not drown the few words. */
function learn(inputs: readonly string[]) {
  const families = [family(wordGrams, inputs), family(characterGrams(), inputs)]
  return { families, encode: encoder(families) }
}

type Family = ReturnType<typeof encoded>

function encoder(families: readonly Family[]): (inputs: readonly string[]) => SparseRows {
  const width = families.reduce((sum, item) => sum + item.width, 0)
  return (texts) =>
    sparse(
      width,
      texts.map((text) => {
        const parts = families.map((item) => item.encode(text))
        const indices = new Int32Array(parts.reduce((sum, part) => sum + part.indices.length, 0))
        const values = new Float32Array(indices.length)
        let place = 0
        let offset = 0
        for (const [index, part] of parts.entries()) {
          for (const [at, value] of part.indices.entries()) indices[place + at] = value + offset
          values.set(part.values, place)
          place += part.indices.length
          offset += families[index]!.width
        }
        return { indices, values }
      }),
    )
}

/** Learns which grams to keep (seen in two texts or more, the most frequent first) and how rare each is. */
function family(grams: (text: string) => Map<string, number>, inputs: readonly string[]) {
  const documents = new Map<string, number>()
  for (const input of inputs) for (const gram of grams(input).keys()) documents.set(gram, (documents.get(gram) ?? 0) + 1)
  const least = inputs.length >= 100 ? 2 : 1
  let kept = [...documents].filter(([, count]) => count >= least)
  if (kept.length > vocabularyLimit) kept = kept.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, vocabularyLimit)
  return encoded(
    grams,
    kept.map(([gram]) => gram),
    Float64Array.from(kept, ([, count]) => Math.log((1 + inputs.length) / (1 + count)) + 1),
  )
}

/** A family as it is used: which grams it keeps, and how rare each is. */
function encoded(cut: (text: string) => Map<string, number>, grams: readonly string[], rarity: Float64Array) {
  const column = new Map(grams.map((gram, index) => [gram, index]))
  return {
    grams: [...grams],
    rarity,
    width: grams.length,
    encode(text: string) {
      const found: [number, number][] = []
      for (const [gram, count] of cut(text)) {
        const index = column.get(gram)
        if (index !== undefined) found.push([index, (1 + Math.log(count)) * rarity[index]!])
      }
      found.sort((a, b) => a[0] - b[0])
      const length = Math.sqrt(found.reduce((sum, [, value]) => sum + value * value, 0)) || 1
      return { indices: Int32Array.from(found, ([index]) => index), values: Float32Array.from(found, ([, value]) => value / length) }
    },
  }
}

const even = (text: string): string => text.normalize('NFKC').toLowerCase()

function wordGrams(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  const words = even(text).match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  for (const [index, word] of words.entries()) {
    counts.set(word, (counts.get(word) ?? 0) + 1)
    const after = words[index + 1]
    if (after === undefined) continue
    const pair = `${word} ${after}`
    counts.set(pair, (counts.get(pair) ?? 0) + 1)
  }
  return counts
}

/** Character 2-5-grams inside words, spaces at both ends. The grams of a word are cut once and kept, as words come again. */
function characterGrams(): (text: string) => Map<string, number> {
  const known = new Map<string, string[]>()
  const cut = (word: string): string[] => {
    const characters = Array.from(` ${word} `)
    const grams: string[] = []
    for (let size = 2; size <= 5; size++)
      for (let start = 0; start + size <= characters.length; start++) grams.push(characters.slice(start, start + size).join(''))
    if (known.size < 200_000) known.set(word, grams)
    return grams
  }
  return (text) => {
    const counts = new Map<string, number>()
    for (const word of even(text).split(/\s+/)) {
      if (!word) continue
      for (const gram of known.get(word) ?? cut(word)) counts.set(gram, (counts.get(gram) ?? 0) + 1)
    }
    return counts
  }
}

/** There is nothing to learn from. */
export class EmptyError extends Error {
  override readonly name = 'NgramSvm.EmptyError'
  constructor() {
    super('The baseline needs at least one training example.')
  }
}
