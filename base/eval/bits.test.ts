/** Held-out text through an exported file, by our engine and by llama.cpp; and the untrained twin of a base. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { modelTensors } from '../../src/engine/architecture.ts'
import { openGguf } from '../../src/engine/gguf.ts'
import { generator } from '../../src/engine/random.ts'
import { readConfig } from '../recipe/config.ts'
import { exportModel } from '../recipe/export.ts'
import { llamaShape } from '../recipe/shape.ts'
import { countWords, encoder, learnTokenizer } from '../recipe/tokenizer.ts'
import { bitsPerByte, readHeldOut } from './bits.ts'
import { writeUntrained } from './finetune.ts'
import { PROBES, probe } from './probes.ts'
import { serving } from './serving.ts'

const TEXT = 'The tenant returns the deposit before winter, and the river measures every bridge. '
const DOCUMENTS = [
  { source: 'law', language: 'en', text: TEXT.repeat(3) },
  { source: 'law', language: 'fr', text: 'Le locataire rend la caution avant l’hiver.' },
  { source: 'books', language: 'en', text: TEXT.toUpperCase() },
]
const config = await readConfig(new URL('../smoke.json', import.meta.url).pathname)
let folder: string
const path = (name: string) => join(folder, name)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bits-'))
  const counts = new Map<string, number>()
  countWords(TEXT.repeat(20), counts)
  const tokenizer = learnTokenizer(counts, config.tokenizer)
  const next = generator(3)
  const weights = new Map(
    [...modelTensors(llamaShape(config.shape))].map(([name, shape]) => {
      const count = shape.reduce((product, length) => product * length, 1)
      const [centre, spread] = shape.length < 2 ? [1, 0.3] : [0, 1 / Math.sqrt(shape[1]!)]
      return [name, { shape, values: Float32Array.from({ length: count }, () => centre + spread * (2 * next() - 1)) }]
    }),
  )
  writeFileSync(path('a.gguf'), exportModel(config, tokenizer, weights, 'F32'))
  writeFileSync(
    path('silent.gguf'),
    exportModel(
      config,
      tokenizer,
      new Map([...weights].map(([name, { shape, values }]) => [name, { shape, values: name === 'output_norm.weight' ? values.map(() => 0) : values }])),
      'F32',
    ),
  )
  writeFileSync(path('tokenizer.json'), JSON.stringify(tokenizer))
  writeFileSync(path('held-out.jsonl.gz'), gzipSync(DOCUMENTS.map((document) => `${JSON.stringify(document)}\n`).join('')))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('counts every byte and token once: a model to which all tokens are alike needs log2(vocabulary) bits a token', async () => {
  const documents = readHeldOut(path('held-out.jsonl.gz'))
  expect(documents.map(({ text }) => text)).toEqual(DOCUMENTS.map(({ text }) => text))
  const counts = new Map<string, number>()
  countWords(TEXT.repeat(20), counts)
  const encode = encoder(learnTokenizer(counts, config.tokenizer))
  const wanted = (chosen: typeof DOCUMENTS) => {
    const tokens = chosen.reduce((sum, { text }) => sum + encode.encode(text).length, 0)
    return (tokens * Math.log2(config.shape.vocabulary)) / chosen.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  }
  // Rows of 16: the documents are several rows, the last of each filled up.
  const found = await bitsPerByte(path('silent.gguf'), documents, { length: 16, threads: 1 })
  expect(found.bitsPerByte).toBeCloseTo(wanted(DOCUMENTS), 3)
  expect(found.sources.law).toBeCloseTo(wanted(DOCUMENTS.slice(0, 2)), 3)
  expect(found.languages.fr).toBeCloseTo(wanted([DOCUMENTS[1]!]), 3)
})

it('is the same by our engine and by llama.cpp', async () => {
  const { agreement } = await bitsPerByte(path('a.gguf'), DOCUMENTS, { length: 64, threads: 1 })
  expect(agreement.tokens).toBeGreaterThan(60)
  expect(agreement.ours).toBeGreaterThan(5)
  expect(agreement.relative).toBeLessThan(0.001)
})

it('makes the untrained twin of a base: the same tokenizer and shape, other weights', async () => {
  await writeUntrained(path('a.gguf'), path('untrained.gguf'), 1)
  const [base, twin] = [openGguf(path('a.gguf')), openGguf(path('untrained.gguf'))]
  expect(twin.metadata.get('tokenizer.ggml.tokens')).toEqual(base.metadata.get('tokenizer.ggml.tokens'))
  expect(twin.metadata.get('modelfactory.trained_context')).toBe(128)
  expect([...twin.tensor('output_norm.weight')]).toEqual(new Array(config.shape.width).fill(1))
  const values = twin.tensor('blk.0.ffn_gate.weight')
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
  expect(deviation).toBeGreaterThan(0.018)
  expect(deviation).toBeLessThan(0.022)
})

it('asks every probe, by chance right half the time where nothing was learned', { timeout: 120_000 }, async () => {
  const scores = await probe(path('a.gguf'), { threads: 1 })
  expect(Object.keys(scores)).toEqual(Object.keys(PROBES))
  const all = Object.values(scores)
  for (const { n, share, interval } of all) {
    expect(n).toBe(200)
    expect(interval[0]).toBeLessThanOrEqual(share)
    expect(interval[1]).toBeGreaterThanOrEqual(share)
  }
  const mean = all.reduce((sum, { share }) => sum + share, 0) / all.length
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.15)
})

it('measures how a file is served, in a process of its own', { timeout: 120_000 }, async () => {
  const found = await serving(path('a.gguf'), { threads: 1 })
  expect(found).toMatchObject({ threads: 1 })
  for (const figure of [found.readPerSecond, found.writtenPerSecond, found.bytes]) expect(figure).toBeGreaterThan(0)
  await expect(serving(path('nowhere.gguf'), { threads: 1 })).rejects.toThrow('nowhere.gguf')
})
