/** Exported files against llama.cpp: it opens them, cuts texts as the recipe does, and computes what our graph computes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compare, ours, theirs, UNROUNDED } from '../../src/drivers/llama/parity.suite.ts'
import { llama, openVocabulary, type VocabularyHandle } from '../../src/drivers/llama/vocabulary.ts'
import { modelTensors, openLlama } from '../../src/engine/architecture.ts'
import { openGguf } from '../../src/engine/gguf.ts'
import { generator } from '../../src/engine/random.ts'
import { readSafetensors, writeSafetensors } from '../../src/engine/safetensors.ts'
import { readConfig } from './config.ts'
import { exportModel, type Weights } from './export.ts'
import { llamaShape } from './shape.ts'
import { countWords, encoder, learnTokenizer } from './tokenizer.ts'

const LEARNED = `The tenant's deposit shall be returned within 30 days. Don't they'll I've we're it's HE'S. Größe, élève, moyo wa binadamu.
def f(x):\n    return x ** 2  # ---- 心臓 हृदय\n\n`.repeat(30)
const TEXTS = [
  'The tenant shall return the deposit within 30 days, or 1,024 hours.',
  "DON'T they'll I've it's, O'Neil's  two  spaces\tand\ttabs \n\n\n  end  ",
  'Größe, हृदय की धड़कन, 心臓病, moyo, \u{1fac0}\u200d\u{1f525} é é ½ ²',
  '<|im_end|> typed by a user, <|l3|>, <|endoftext|>',
  'x=1;y+=2;//--==>>\r\n\r\n    }\u00a0non\u2003breaking',
]
const config = await readConfig(new URL('../smoke.json', import.meta.url).pathname)

function tokenizer() {
  const counts = new Map<string, number>()
  countWords(LEARNED, counts)
  return learnTokenizer(counts, config.tokenizer)
}

/** Weights under which every part of the model changes the logits by much. */
function weights(): Weights {
  const next = generator(5)
  return new Map(
    [...modelTensors(llamaShape(config.shape))].map(([name, shape]) => {
      const count = shape.reduce((product, length) => product * length, 1)
      const [centre, spread] = shape.length < 2 ? [1, 0.3] : [0, 2 / Math.sqrt(shape[1]!)]
      return [name, { shape, values: Float32Array.from({ length: count }, () => centre + spread * (2 * next() - 1)) }]
    }),
  )
}

let folder: string
let vocabulary: VocabularyHandle
const path = (type: string) => join(folder, `smoke.${type}.gguf`)
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'export-'))
  for (const type of ['F32', 'F16', 'Q8_0'] as const) writeFileSync(path(type), exportModel(config, tokenizer(), weights(), type))
  const opened = await openVocabulary(path('F32'))
  if ('refused' in opened) throw new Error(opened.message)
  vocabulary = opened
})
afterAll(async () => {
  await vocabulary?.close()
  rmSync(folder, { recursive: true, force: true })
})

it('is cut into tokens by llama.cpp as by the encoder that made the training data', () => {
  const encode = encoder(tokenizer())
  for (const text of [LEARNED, ...TEXTS]) {
    const { tokens } = vocabulary.tokenize([{ kind: 'text', text }] as never)
    expect(tokens, text).toEqual(encode.encode(text))
  }
})

it('has its markers, its labels and the context it was trained on', () => {
  const labels = vocabulary.labelTokens(256) as string[]
  expect(vocabulary.labelIds(labels)).toEqual(Array.from({ length: 256 }, (_, index) => config.shape.vocabulary - 256 + index))
  expect(vocabulary.contextLength).toBe(128)
  const { tokens } = vocabulary.tokenize([
    { kind: 'special', token: 'start' },
    { kind: 'text', text: 'a' },
    { kind: 'special', token: 'end' },
  ] as never)
  expect([tokens[0], tokens.at(-1), tokens.length]).toEqual([1, 2, 3])
})

/** llama.cpp rounds activations to halves beside F16 matrices and to 8 bits beside Q8_0, which we do not. */
describe.each([
  ['F32', 2e-4],
  ['F16', 0.1],
  ['Q8_0', 0.6],
] as const)('the %s file', (type, tolerance) => {
  it('has the same log-probabilities by llama.cpp and by our graph', async () => {
    const tokens = encoder(tokenizer()).encode(TEXTS[0]!)
    const served = await (await llama()).loadModel({ modelPath: path(type) })
    const difference = compare(await ours(openLlama(path(type)), tokens), await theirs(served, tokens, type === 'F32' ? UNROUNDED : {}))
    await served.dispose()
    console.log(type, difference)
    expect(difference.logarithm).toBeLessThan(tolerance)
  })
})

it('gives the labels rows that differ as directions of their own at half the mean length of the others do, and share what impossible bytes share', () => {
  const { width, vocabulary } = config.shape
  const before = weights().get('token_embd.weight')!.values
  const after = openGguf(path('F32')).tensor('token_embd.weight')
  const row = (values: Float32Array, index: number) => values.subarray(index * width, (index + 1) * width)
  const product = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, index) => sum + value * b[index]!, 0)
  const trained = vocabulary - 256
  expect(after.subarray(0, trained * width)).toEqual(before.subarray(0, trained * width))
  const mean = Array.from({ length: trained }, (_, index) => Math.sqrt(product(row(before, index), row(before, index)))).reduce((a, b) => a + b) / trained
  const bytes = [0xc0, 0xc1, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff].map((byte) => row(before, 3 + byte))
  const never = Float32Array.from({ length: width }, (_, at) => bytes.reduce((sum, one) => sum + one[at]!, 0) / bytes.length)
  for (let index = trained; index < vocabulary; index++) {
    const own = row(after, index).map((value, at) => value - never[at]!)
    const length = Math.sqrt(product(own, own))
    expect(length).toBeCloseTo(mean / 2, 4)
    const old = row(before, index)
    expect(product(old, own) / (length * Math.sqrt(product(old, old)))).toBeCloseTo(1, 5)
  }
})

it('names what is missing or does not fit', () => {
  const without = new Map(weights())
  without.delete('blk.1.ffn_up.weight')
  expect(() => exportModel(config, tokenizer(), without, 'F32')).toThrow('The weights have blk.1.ffn_up.weight as nothing, not as 64 x 32.')
  const larger = { ...config, shape: { ...config.shape, vocabulary: 800 } }
  expect(() => exportModel(larger, tokenizer(), weights(), 'F32')).toThrow('The tokenizer has 768 tokens, but modelfactory-base-smoke is made for 800.')
})

describe('safetensors', () => {
  const file = writeSafetensors([...weights()].map(([name, { shape, values }]) => ({ name, shape, values })))
  it('are read back as they were written', () => {
    // A Buffer is often a view of a larger memory.
    const found = readSafetensors(Buffer.from(file))
    for (const [name, { shape, values }] of weights()) {
      expect(found.get(name)?.shape).toEqual(shape)
      expect(found.get(name)?.values).toEqual(values)
    }
    expect(found.size).toBe(weights().size)
  })

  it('are refused when cut short or of another type', () => {
    expect(() => readSafetensors(file.subarray(0, file.length - 4))).toThrow('cut short or damaged')
    expect(() => readSafetensors(file.subarray(0, 5))).toThrow('too few')
    const header = new TextEncoder().encode('{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}')
    const halves = new Uint8Array(8 + header.length + 4)
    new DataView(halves.buffer).setBigUint64(0, BigInt(header.length), true)
    halves.set(header, 8)
    expect(() => readSafetensors(halves)).toThrow('tensor "a" is F16; read is F32')
  })
})
