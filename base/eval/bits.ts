/**
 * Bits: how well a GGUF base predicts held-out text, in bits per byte by source and language, through our engine, and on a part of it
 * through llama.cpp, which serves it. Knows nothing of training.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { LlamaModel, Token } from 'node-llama-cpp'
import { z } from 'zod'
import { llama } from '../../src/drivers/llama/vocabulary.ts'
import { openLlama } from '../../src/engine/architecture.ts'
import { openLoss } from '../../src/engine/gradient.ts'
import type { Trainable } from '../../src/engine/parameters.ts'
import { Reader } from '../recipe/measure.ts'

const Document = z.object({ source: z.string(), language: z.string(), text: z.string().min(1) })
export type HeldOut = z.infer<typeof Document>

export type Bits = {
  length: number
  bitsPerByte: number
  sources: Record<string, number>
  languages: Record<string, number>
  /** The first row of a few documents, by our engine and by llama.cpp as it serves. */
  agreement: { tokens: number; ours: number; llamaCpp: number; relative: number }
}

/** Documents of a gzipped JSON Lines file. */
export function readHeldOut(path: string): HeldOut[] {
  return gunzipSync(readFileSync(path))
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => Document.parse(JSON.parse(line)))
}

const NOTHING: Trainable = { layout: [], graph: {}, initial: () => new Float32Array(0) }
const EMPTY = new Float32Array(0)
const TOGETHER = 4096
/** Documents whose beginnings llama.cpp judges too. */
const COMPARED = 8

/**
 * Documents are read in rows of `length`, each without what stood before it, as the recipe measures; every token the vocabulary has is a
 * choice, labels too, as in serving. The first row of a document begins with the end-of-text marker.
 */
export async function bitsPerByte(path: string, documents: readonly HeldOut[], options: { length: number; threads: number }): Promise<Bits> {
  const { length, threads } = options
  const base = openLlama(path)
  const model = await (await llama()).loadModel({ modelPath: path })
  const extent = { rows: Math.max(1, Math.floor(TOGETHER / length)), length, reads: length }
  const reader = new Reader(extent, base.shape.vocabulary)
  const loss = await openLoss(base, extent, { trainable: NOTHING, vocabulary: undefined, threads })
  const end = model.tokens.bos ?? model.tokens.eos!
  const sums = { whole: new Sums(), sources: new Map<string, Sums>(), languages: new Map<string, Sums>() }
  const of = (map: Map<string, Sums>, name: string) => map.get(name) ?? map.set(name, new Sums()).get(name)!
  const compared = { tokens: 0, ours: 0, theirs: 0 }
  try {
    // What one run returns is a sum: documents of one source and language share batches, so that few rows of a batch are empty.
    const groups = new Map<string, { source: string; language: string; bytes: number; rows: ReturnType<typeof rowOf>[] }>()
    for (const [index, { source, language, text }] of documents.entries()) {
      const tokens = [end, ...model.tokenize(text, false)] as number[]
      const key = `${source} ${language}`
      const group = groups.get(key) ?? { source, language, bytes: 0, rows: [] }
      groups.set(key, group)
      group.bytes += Buffer.byteLength(text)
      for (let row = 0; row < Math.ceil((tokens.length - 1) / length); row++) group.rows.push(rowOf(tokens, row * length, length))
      if (index % Math.max(1, Math.floor(documents.length / COMPARED)) === 0) {
        const first = rowOf(tokens, 0, length)
        compared.ours += (await loss.run(EMPTY, reader.values([first], 1))).loss
        const learned = Math.min(length, tokens.length - 1)
        compared.theirs += await theirNats(model, tokens.slice(0, learned + 1), threads)
        compared.tokens += learned
      }
    }
    for (const { source, language, bytes, rows } of groups.values()) {
      let nats = 0
      for (let at = 0; at < rows.length; at += extent.rows) nats += (await loss.run(EMPTY, reader.values(rows.slice(at, at + extent.rows), 1))).loss
      for (const sum of [sums.whole, of(sums.sources, source), of(sums.languages, language)]) sum.add(nats, bytes)
    }
    const [ours, llamaCpp] = [compared.ours / compared.tokens, compared.theirs / compared.tokens]
    const each = (map: Map<string, Sums>) => Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sum]) => [name, sum.bitsPerByte()]))
    return {
      ...{ length, bitsPerByte: sums.whole.bitsPerByte(), sources: each(sums.sources), languages: each(sums.languages) },
      agreement: { tokens: compared.tokens, ours: rounded(ours), llamaCpp: rounded(llamaCpp), relative: rounded(Math.abs(llamaCpp - ours) / ours) },
    }
  } finally {
    await loss.close()
    await model.dispose()
  }
}

/** A row from `start`, filled up with its last token, which is not counted. */
function rowOf(tokens: readonly number[], start: number, length: number) {
  const row = tokens.slice(start, start + length + 1)
  const learned = Uint8Array.from({ length: length + 1 }, (_, at) => (at < row.length ? 1 : 0))
  while (row.length < length + 1) row.push(0)
  return { tokens: row, learned }
}

async function theirNats(model: LlamaModel, tokens: readonly number[], threads: number): Promise<number> {
  const context = await model.createContext({ contextSize: Math.max(256, tokens.length + 8), threads })
  const steps = await context.getSequence().controlledEvaluate(tokens.map((token) => [token as Token, { generateNext: { probabilities: true } }]))
  await context.dispose()
  return tokens.slice(1).reduce((sum, token, index) => sum - Math.log(Math.max(steps[index]!.next.probabilities!.get(token as Token) ?? 0, 1e-12)), 0)
}

class Sums {
  #nats = 0
  #bytes = 0
  add(nats: number, bytes: number): void {
    this.#nats += nats
    this.#bytes += bytes
  }

  bitsPerByte(): number {
    return rounded(this.#nats / Math.LN2 / this.#bytes)
  }
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4
