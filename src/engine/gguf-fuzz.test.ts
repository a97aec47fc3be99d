/** 2,000 damaged and hostile GGUF files: each is read or refused in one sentence, and nothing is allocated that the file cannot fill. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { llamaOf } from './architecture.ts'
import { dequantise } from './dequantise.ts'
import { FormatError, openGguf, parseGguf } from './gguf.ts'
import { buildLlama } from './llama.ts'
import { generator } from './random.ts'
import { type RandomModel, writeRandomModel } from './random-model.ts'

const ROUNDS = 2000
const SEED = Number(process.env.MODELFACTORY_FUZZ_SEED ?? 20_261)

let folder: string
const files: { bytes: Uint8Array; header: number }[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
  const tiny = { width: 32, layers: 2, heads: 4, groups: 2, feedForward: 32 }
  const models: RandomModel[] = [
    { ...tiny, architecture: 'llama', type: 'Q4_0', frequencyFactors: [1, 2, 3, 4], biases: ['attn_q', 'ffn_down'] },
    { ...tiny, architecture: 'qwen2', type: 'Q8_0', tied: true, ropeScale: 2, window: 64 },
    { ...tiny, architecture: 'qwen3', type: 'F16', tokenizer: 'pieces' },
    { ...tiny, architecture: 'llama', width: 256, feedForward: 256, layers: 1, type: 'Q4_K', embeddingType: 'Q6_K', outputType: 'Q5_1' },
  ]
  for (const [index, model] of models.entries()) {
    const path = join(folder, `${index}.gguf`)
    writeRandomModel(path, model)
    const bytes = new Uint8Array(readFileSync(path))
    files.push({ bytes, header: Math.min(...[...openGguf(path).tensors.values()].map(({ offset }) => offset)) })
  }
  // Tables that are made once.
  dequantise('F16', new Uint8Array(2))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Numbers that counts, lengths and offsets go wrong at. */
const HOSTILE = [
  0n,
  1n,
  31n,
  255n,
  1024n,
  1025n,
  65_536n,
  (1n << 31n) - 1n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 40n,
  (1n << 53n) - 1n,
  1n << 53n,
  1n << 63n,
  (1n << 64n) - 1n,
]

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length)
  bytes.set(head)
  bytes.set(tail, head.length)
  return bytes
}

function damage(file: { bytes: Uint8Array; header: number }, next: () => number): Uint8Array {
  let bytes: Uint8Array = file.bytes.slice()
  const below = (limit: number) => Math.floor(next() * limit)
  for (let hits = 1 + below(4); hits > 0; hits--) {
    const at = below(Math.min(file.header, bytes.length - 8))
    const kind = below(7)
    const view = new DataView(bytes.buffer)
    if (kind < 2) bytes[at] = below(256)
    else if (kind === 2) bytes[at] = bytes[at]! ^ (1 << below(8))
    else if (kind === 3) view.setBigUint64(at, HOSTILE[below(HOSTILE.length)]!, true)
    else if (kind === 4) view.setUint32(at, Number(HOSTILE[below(HOSTILE.length)]! & 0xffffffffn), true)
    else if (kind === 5) bytes = joined(bytes.subarray(0, at), bytes.subarray(at + 1 + below(40)))
    else bytes = joined(bytes.subarray(0, at + below(40)), bytes.subarray(at))
    if (bytes.length < 64) return bytes
  }
  return next() < 0.1 ? bytes.slice(0, below(bytes.length)) : bytes
}

/** Runs `work` and returns the bytes of the longest and of all typed arrays that were made by length meanwhile, and the longest list. */
function allocations(work: () => void): { longest: number; all: number; list: number } {
  const found = { longest: 0, all: 0, list: 0 }
  const kept = { Uint8Array, Float32Array, Uint32Array, BigInt64Array }
  const from = Array.from
  for (const [name, original] of Object.entries(kept))
    (globalThis as Record<string, unknown>)[name] = new Proxy(original, {
      construct(target, values) {
        if (typeof values[0] === 'number') {
          const bytes = values[0] * target.BYTES_PER_ELEMENT
          found.longest = Math.max(found.longest, bytes)
          found.all += bytes
        }
        return Reflect.construct(target, values, target)
      },
    })
  Array.from = ((source: ArrayLike<unknown>, ...more: []) => {
    found.list = Math.max(found.list, source.length ?? 0)
    return from(source, ...more)
  }) as typeof Array.from
  try {
    work()
  } finally {
    Object.assign(globalThis, kept)
    Array.from = from
  }
  return found
}

it(`${ROUNDS} mutated headers: no crash, no hang, no allocation beyond the file's size`, { timeout: 300_000 }, () => {
  const next = generator(SEED)
  const outcomes = { refused: 0, read: 0, model: 0 }
  const sentences = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = damage(files[round % files.length]!, next)
    const told = `seed ${SEED}, round ${round}`
    let asked = 0
    const source = {
      size: bytes.length,
      read(offset: number, length: number) {
        if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) throw new Error(`${told}: read of ${length} at ${offset} outside the file`)
        asked += length
        return bytes.slice(offset, offset + length)
      },
    }
    const attempt = (work: () => void) => {
      try {
        work()
        return true
      } catch (error) {
        if (!(error instanceof FormatError)) throw new Error(told, { cause: error })
        expect(error.message.length, told).toBeLessThan(600)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
        expect(error.message, told).not.toMatch(/[\x00-\x1f]/)
        sentences.add(error.message.replaceAll(/"(\\.|[^"\\])*"|\b\d[\d.e+]*/g, '_'))
        return false
      }
    }
    let gguf: ReturnType<typeof parseGguf> | undefined
    const header = allocations(() => attempt(() => (gguf = parseGguf(source))))
    // The header is walked through a window, each part of which is asked for at most twice.
    expect(asked, told).toBeLessThanOrEqual(2 * bytes.length)
    expect(header.all, told).toBeLessThanOrEqual(bytes.length)
    expect(header.list, told).toBeLessThanOrEqual(bytes.length)
    if (!gguf) {
      outcomes.refused++
      continue
    }
    outcomes.read++
    const read = gguf
    for (const { name, bytes: stored } of read.tensors.values()) {
      asked = 0
      const made = allocations(() => attempt(() => read.tensor(name)))
      expect(asked, told).toBeLessThanOrEqual(stored)
      // 32 bits a value, of which the narrowest type keeps 4.5.
      expect(made.all, told).toBeLessThanOrEqual(stored * 7.2)
    }
    const model = allocations(() => {
      if (attempt(() => buildLlama(llamaOf(read), { rows: 1, length: 4, reads: 1 }, { vocabulary: [0] }))) outcomes.model++
    })
    expect(model.longest, told).toBeLessThanOrEqual(8 * bytes.length)
    expect(model.list, told).toBeLessThanOrEqual(bytes.length)
  }
  console.log(outcomes, sentences.size, 'kinds of refusal')
  expect(outcomes.refused).toBeGreaterThan(ROUNDS / 4)
  // Some damage is harmless, to a name or a weight; and some is found only when the model is looked at as one.
  expect(outcomes.model).toBeGreaterThan(20)
  expect(outcomes.read - outcomes.model).toBeGreaterThan(20)
  expect(sentences.size).toBeGreaterThan(15)
})

it('a count of layers, heads or widths beyond the file is refused before anything is made of it', () => {
  const { bytes } = files[0]!
  const at = (key: string) => Buffer.from(bytes).indexOf(key) + key.length + 4
  for (const key of ['block_count', 'head_count', 'head_count_kv', 'key_length', 'embedding_length', 'feed_forward_length'])
    for (const value of [0, 0xffffffff, 0x7fffffff]) {
      const changed = bytes.slice()
      new DataView(changed.buffer).setUint32(at(`llama.${key.startsWith('head') || key.startsWith('key') ? 'attention.' : ''}${key}`), value, true)
      const gguf = parseGguf({ size: changed.length, read: (offset, length) => changed.slice(offset, offset + length) })
      expect(() => llamaOf(gguf), `${key} ${value}`).toThrow(FormatError)
    }
})
