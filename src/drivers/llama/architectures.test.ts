/** Random models of every architecture, feature and tensor type, by our graph and by llama.cpp. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LlamaShape, openLlama } from '../../engine/architecture.ts'
import { type RandomModel, shapeOf, writeRandomModel } from '../../engine/random-model.ts'
import { compare, ours, theirs, UNROUNDED } from './parity.suite.ts'
import { llama } from './vocabulary.ts'

const small = { width: 64, layers: 2, heads: 4, groups: 2, feedForward: 96 }
/** K types come in blocks of 256. */
const wide = { width: 256, layers: 1, heads: 4, groups: 2, feedForward: 256 }
const biases = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down']
/** Llama 3.2's factors, for heads of 16: high frequencies stay, low ones are slowed 32 times. */
const frequencyFactors = [1, 1, 1, 1.7, 9.4, 32, 32, 32]

/**
 * llama.cpp multiplies 32-bit matrices in 32 bits: what is left is the order of sums. On narrower matrices it rounds the
 * activations before multiplying, to halves or to 8 bits a block, which we do not.
 */
const EXACT = { logarithm: 2e-4, probability: 2e-5 }
const HALVES = { logarithm: 0.1, probability: 0.01 }
const BLOCKS = { logarithm: 0.6, probability: 0.06 }

type Case = { settings: RandomModel; tolerance: typeof EXACT; without?: Partial<LlamaShape> }
const llamas = (more: Partial<RandomModel>): RandomModel => ({ ...small, architecture: 'llama', ...more })
const qwens = (architecture: 'qwen2' | 'qwen3', more: Partial<RandomModel> = {}): RandomModel => ({ ...small, architecture, ...more })

/** `without` is the shape with the feature taken away: the test must notice. */
const cases: Record<string, Case> = {
  llama: { settings: llamas({}), tolerance: EXACT, without: { rotary: 'half-split' } },
  'llama, tied': { settings: llamas({ tied: true }), tolerance: EXACT },
  'llama, biases everywhere': { settings: llamas({ biases }), tolerance: EXACT, without: { biases: biases.slice(0, 6) } },
  'llama, Llama 3 scaling': {
    ...{ settings: llamas({ ropeBase: 500_000, frequencyFactors }), tolerance: EXACT },
    without: { frequencyFactors: new Float32Array(8).fill(1) },
  },
  'llama, linear scaling': { settings: llamas({ ropeScale: 4 }), tolerance: EXACT, without: { ropeScale: 1 } },
  'llama, a window of 8, which llama.cpp does not read': { settings: llamas({ window: 8 }), tolerance: EXACT },
  'llama, SentencePiece': { settings: llamas({ tokenizer: 'pieces' }), tolerance: EXACT },
  'llama, one group, heads wider than the width': { settings: llamas({ groups: 1, headWidth: 32 }), tolerance: EXACT },
  qwen2: { settings: qwens('qwen2', { ropeBase: 1e6 }), tolerance: EXACT, without: { biases: ['attn_q', 'attn_k'] } },
  'qwen2, tied, linear scaling': { settings: qwens('qwen2', { tied: true, ropeScale: 2.5 }), tolerance: EXACT, without: { rotary: 'interleaved' } },
  'qwen2, a window of 8, which llama.cpp does not read': { settings: qwens('qwen2', { window: 8 }), tolerance: EXACT },
  qwen3: { settings: qwens('qwen3', { ropeBase: 1e6 }), tolerance: EXACT, without: { headNorms: false } },
  'qwen3, tied, narrow heads': { settings: qwens('qwen3', { tied: true, headWidth: 8 }), tolerance: EXACT, without: { ropeBase: 20_000 } },
}
for (const type of ['F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q4_K', 'Q5_K', 'Q6_K'] as const) {
  // Rows of the embedding are looked up, not multiplied: llama.cpp expands them exactly, so this compares the values alone.
  cases[`${type} embedding`] = { settings: { ...wide, architecture: 'llama', embeddingType: type }, tolerance: EXACT }
  cases[`${type} matrices`] = { settings: { ...wide, architecture: 'qwen2', type }, tolerance: type.endsWith('F16') ? HALVES : BLOCKS }
}

const text = 'The heart is a muscular organ that pumps blood through the body; a rhythm out of order is an arrhythmia.'
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'architectures-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('log-probabilities agree with llama.cpp at every token of a text', () => {
  it.each(Object.entries(cases))('%s', async (name, { settings, tolerance, without }) => {
    const path = join(folder, `${name.replaceAll(/\W+/g, '-')}.gguf`)
    writeRandomModel(path, settings)
    const base = openLlama(path)
    expect(base.shape).toEqual(shapeOf(settings))
    const model = await (await llama()).loadModel({ modelPath: path })
    const tokens = [...model.tokenize(text)]
    expect(tokens.length).toBeGreaterThan(50)
    const other = await theirs(model, tokens, UNROUNDED)
    await model.dispose()
    const difference = compare(await ours(base, tokens), other)
    console.log(name, difference)
    expect(difference.logarithm).toBeLessThan(tolerance.logarithm)
    expect(difference.probability).toBeLessThan(tolerance.probability)
    if (!without) return
    const missing = compare(await ours({ ...base, shape: { ...base.shape, ...without } }, tokens), other)
    expect(missing.logarithm).toBeGreaterThan(100 * tolerance.logarithm)
  })
})
