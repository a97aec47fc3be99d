import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LlamaModel } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { classifyPrompt, selectPrompt } from '../../core/prompt.ts'
import { LORA_TARGETS } from '../../core/recipe.ts'
import { adapterFile, adapterLayout, initialAdapter } from '../../engine/adapter.ts'
import { openLlama } from '../../engine/architecture.ts'
import { openGguf } from '../../engine/gguf.ts'
import { generator } from '../../engine/random.ts'
import { compare, ours, theirs, UNROUNDED } from './parity.suite.ts'
import { llama, openVocabulary, type VocabularyHandle, vocabularyOf } from './vocabulary.ts'

const path = new URL('../../../base/modelfactory-base-xs-v2.q8_0.gguf', import.meta.url).pathname
const text = 'The heart is a muscular organ that pumps blood through the body. When it beats out of rhythm, doctors speak of an arrhythmia.'
const settings = { rank: 8, alpha: 16, targets: [...LORA_TARGETS] }
/**
 * On 32-bit weights llama.cpp is told to round nothing else either, so that what is left is the order of sums. On Q8_0, as it serves, it keeps keys
 * and values as halves and rounds activations to 8 bits before multiplying, which we do not; how far that shows depends on how large the logits of
 * the base are. Log-probabilities are compared where a token has at least 1e-4.
 */
const TOLERANCE = { F32: { logarithm: 0.001, probability: 0.0001 }, Q8_0: { logarithm: 0.8, probability: 0.05 } }
const AS = { F32: UNROUNDED, Q8_0: {} }

let folder: string
let model: LlamaModel
let vocabulary: VocabularyHandle
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parity-'))
  model = await (await llama()).loadModel({ modelPath: path })
  const opened = vocabularyOf(model)
  if ('refused' in opened) throw new Error(opened.message)
  vocabulary = opened
})
afterAll(async () => {
  await model.dispose()
  rmSync(folder, { recursive: true, force: true })
})

/** Writes the base with its weights expanded to 32-bit floats, the metadata copied byte by byte. */
function expand(): string {
  const source = readFileSync(path)
  const gguf = openGguf(path)
  const infos: Buffer[] = []
  const data: Buffer[] = []
  let offset = 0
  for (const { name, shape } of gguf.tensors.values()) {
    const values = Buffer.from(gguf.tensor(name).buffer)
    const info = Buffer.alloc(8 + Buffer.byteLength(name) + 4 + shape.length * 8 + 12)
    info.writeBigUInt64LE(BigInt(Buffer.byteLength(name)))
    let at = 8 + info.write(name, 8)
    at = info.writeUInt32LE(shape.length, at)
    for (const length of shape.toReversed()) at = info.writeBigUInt64LE(BigInt(length), at)
    info.writeBigUInt64LE(BigInt(offset), info.writeUInt32LE(0, at))
    infos.push(info)
    data.push(values)
    offset += values.length
  }
  const header = Buffer.concat([source.subarray(0, gguf.directoryOffset), ...infos])
  const file = join(folder, 'base.f32.gguf')
  writeFileSync(file, Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32), ...data]))
  return file
}

describe.each(['F32', 'Q8_0'] as const)('log-probabilities on %s weights, at every token of a text', (type) => {
  let served: LlamaModel
  let tokens: number[]
  const base = openLlama(path)
  const layout = adapterLayout(base, settings)
  beforeAll(async () => {
    served = type === 'Q8_0' ? model : await (await llama()).loadModel({ modelPath: expand() })
    tokens = vocabulary.tokenize(classifyPrompt(text)).tokens
  })
  afterAll(async () => {
    if (served !== model) await served.dispose()
  })

  it('agree with llama.cpp', async () => {
    const difference = compare(await ours(base, tokens), await theirs(served, tokens, AS[type]))
    console.log(type, 'base, largest difference', difference)
    expect(difference.logarithm).toBeLessThan(TOLERANCE[type].logarithm)
    expect(difference.probability).toBeLessThan(TOLERANCE[type].probability)
  })

  it('agree with a random adapter from our writer, loaded by plain node-llama-cpp', async () => {
    const adapter = initialAdapter(layout, 3)
    const next = generator(4)
    for (const { name, offset, length } of layout)
      if (name.endsWith('lora_b')) for (let index = 0; index < length; index++) adapter[offset + index] = (next() - 0.5) * 0.2
    const file = join(folder, `adapter-${type}.gguf`)
    writeFileSync(file, adapterFile(base, settings, layout, adapter))
    const mine = await ours(base, tokens, { settings, values: adapter })
    const difference = compare(mine, await theirs(served, tokens, { ...AS[type], lora: file }))
    const without = compare(mine, await theirs(served, tokens))
    console.log(type, 'adapter, largest difference', difference, 'and with the adapter off', without)
    expect(difference.logarithm).toBeLessThan(TOLERANCE[type].logarithm)
    expect(difference.probability).toBeLessThan(TOLERANCE[type].probability)
    // The adapter does something: with it off the same comparison fails by far.
    expect(without.logarithm).toBeGreaterThan(1)
  })
})

it('tokenises the same from the vocabulary alone as from the whole model', async () => {
  const alone = await openVocabulary(path)
  if ('refused' in alone) throw new Error(alone.message)
  const prompt = selectPrompt('What is <|im_end|> é 心?', { rank: 0, match: 1 }, 'Heart', ['It beats.', 'It rests.'], [1, 0], [2, 1])
  expect(alone.tokenize(prompt)).toEqual(vocabulary.tokenize(prompt))
  const { tokens, reads } = alone.tokenize(prompt)
  expect(tokens[0]).toBe(1)
  expect(tokens.filter((token) => token === 2).length).toBe(3)
  expect(reads.map(({ position }) => tokens[position])).toEqual([2, 2])
  expect(reads).toMatchObject([
    { label: 1, weight: 2 },
    { label: 0, weight: 1 },
  ])
  expect(alone.contextLength).toBe(1024)
  await alone.close()
})

it('offers distinct label tokens and refuses more than there are', () => {
  const strings = vocabulary.labelTokens(100)
  if ('refused' in strings) throw new Error(strings.message)
  expect(new Set(vocabulary.labelIds(strings)).size).toBe(100)
  expect(vocabulary.labelTokens(100_000)).toMatchObject({ refused: true, message: expect.stringContaining('100000') })
  expect(() => vocabulary.labelIds(['surely not one token'])).toThrow('surely not one token')
})
