import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { layerTensors, llamaOf, modelTensors, openLlama } from './architecture.ts'
import { FormatError, type Gguf, openGguf, parseGguf } from './gguf.ts'
import { writeGguf } from './gguf-writer.ts'
import { type RandomModel, shapeOf, writeRandomModel } from './random-model.ts'

const tiny = { architecture: 'llama', width: 16, layers: 2, heads: 4, groups: 2, feedForward: 24 } as const
let folder: string
let count = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'architecture-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function written(settings: Partial<RandomModel> = {}): string {
  const path = join(folder, `${count++}.gguf`)
  writeRandomModel(path, { ...tiny, ...settings })
  return path
}

/** The file with metadata set, or with undefined taken away, and tensors renamed, as if it had been written so. */
function changed(settings: Partial<RandomModel>, metadata: Record<string, unknown>, rename: (name: string) => string = (name) => name): Gguf {
  const gguf = openGguf(written(settings))
  const values = new Map(gguf.metadata)
  for (const [key, value] of Object.entries(metadata))
    if (value === undefined) values.delete(key)
    else values.set(key, value as never)
  return { ...gguf, metadata: values, tensors: new Map([...gguf.tensors.values()].map((info) => [rename(info.name), { ...info, name: rename(info.name) }])) }
}

describe('reading', () => {
  it.each<[string, Partial<RandomModel>]>([
    ['llama', {}],
    ['llama with all it can have', { tied: true, biases: ['attn_q', 'ffn_down'], ropeScale: 8, frequencyFactors: [1, 5], window: 100, headWidth: 4 }],
    ['qwen2', { architecture: 'qwen2', ropeBase: 1e6 }],
    ['qwen3', { architecture: 'qwen3', headWidth: 6 }],
  ])('%s: the shape and every tensor', (_, settings) => {
    const base = openLlama(written(settings))
    expect(base.shape).toEqual(shapeOf({ ...tiny, ...settings }))
    for (const [name, extent] of modelTensors(base.shape)) expect(base.tensor(name).length, name).toBe(extent.reduce((product, length) => product * length))
    expect(layerTensors(base.shape, 1).has('blk.1.attn_q_norm.weight')).toBe(settings.architecture === 'qwen3')
    // A tied model gives its embedding when asked for the output matrix.
    expect(base.tensor('output.weight').length).toBe(base.shape.vocabulary * base.shape.width)
    expect(base.blocks!('output.weight')).toMatchObject({ type: 'F32' })
  })

  it.each<[string, Record<string, unknown>, number]>([
    ['a factor without a type is linear', { 'llama.rope.scaling.factor': 4 }, 4],
    ['the old name of the factor', { 'llama.rope.scale_linear': 3 }, 3],
    ['none ignores the factor', { 'llama.rope.scaling.type': 'none', 'llama.rope.scaling.factor': 4 }, 1],
    ['linear without a factor', { 'llama.rope.scaling.type': 'linear' }, 1],
    ['a factor of zero is none, as llama.cpp has it', { 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': 0 }, 1],
  ])('scaling: %s', (_, metadata, scale) => {
    expect(llamaOf(changed({}, metadata)).shape.ropeScale).toBe(scale)
  })

  it('defaults as llama.cpp has them', () => {
    const bare = Object.fromEntries(
      ['attention.head_count_kv', 'attention.key_length', 'attention.value_length', 'rope.freq_base', 'rope.dimension_count'].map((key) => [
        `llama.${key}`,
        undefined,
      ]),
    )
    expect(llamaOf(changed({ groups: 4 }, bare)).shape).toMatchObject({ groups: 4, headWidth: 4, ropeBase: 10_000 })
  })
})

describe('refusing', () => {
  it.each<[string, Partial<RandomModel>, Record<string, unknown>, RegExp]>([
    ['another architecture', {}, { 'general.architecture': 'mamba' }, /architecture is "mamba"; trained are llama, qwen2, qwen3$/],
    ['the name of something every object has', {}, { 'general.architecture': 'toString' }, /architecture is "toString"; trained are/],
    ['yarn', {}, { 'llama.rope.scaling.type': 'yarn' }, /rope scaling is "yarn"; supported are none, linear, and Llama 3's/],
    ['longrope', {}, { 'llama.rope.scaling.type': 'longrope' }, /rope scaling is "longrope"/],
    ['a negative factor', {}, { 'llama.rope.scaling.factor': -2 }, /rope.scaling.factor is -2/],
    ['values of another width', {}, { 'llama.attention.value_length': 8 }, /values are 8 wide and its keys 4/],
    ['heads turned in part', {}, { 'llama.rope.dimension_count': 2 }, /turns 2 of 4 head coordinates/],
    ['a part of a model', {}, { 'split.count': 3 }, /one of 3 parts of a model; join them first/],
    ['experts', {}, { 'llama.expert_count': 8 }, /mixes 8 experts/],
    ['groups that do not divide', {}, { 'llama.attention.head_count_kv': 3 }, /4 heads do not divide into 3 groups/],
    ['half a head', {}, { 'llama.attention.head_count': 3.5 }, /head_count is 3\.5/],
    ['heads by layer', {}, { 'llama.attention.head_count': [4, 2] }, /head_count is "4,2"/],
    ['an endless base of positions', {}, { 'llama.rope.freq_base': Number.POSITIVE_INFINITY }, /freq_base is Infinity/],
    ['a factor of nothing', { frequencyFactors: [1, 0] }, {}, /rope_freqs.weight" holds a 0/],
    ['factors where llama.cpp reads none', { architecture: 'qwen2', frequencyFactors: [1, 2] }, {}, /"rope_freqs.weight" is not part of a model/],
    ['biases where llama.cpp reads none', { architecture: 'qwen3', biases: ['attn_q'] }, {}, /"blk.0.attn_q.bias" is not part of a model/],
    ['more layers than tensors', {}, { 'llama.block_count': 1e6 }, /claims 1000000 layers, but has only 21 tensors/],
    ['a layer more than there is', {}, { 'llama.block_count': 3 }, /"blk.2.attn_norm.weight" is absent instead of 16/],
    ['another width', {}, { 'llama.embedding_length': 32 }, /"token_embd.weight" is \d+ x 16 instead of \d+ x 32/],
  ])('%s', (_, settings, metadata, message) => {
    const gguf = changed(settings, metadata)
    expect(() => llamaOf(gguf)).toThrow(FormatError)
    expect(() => llamaOf(gguf)).toThrow(message)
  })

  it('a bias that only some layers have, and a file without a model', () => {
    const without = changed({ biases: ['attn_q'] }, {}, (name) => name.replace('blk.1.attn_q.bias', 'blk.1.other'))
    expect(() => llamaOf(without)).toThrow(/"blk.1.attn_q.bias" is absent instead of 16/)
    const bytes = writeGguf([['general.architecture', 'llama', 'string']], [])
    const empty = parseGguf({ size: bytes.length, read: (offset, length) => bytes.slice(offset, offset + length) })
    expect(() => llamaOf(empty)).toThrow(/no matrix "token_embd.weight"/)
  })
})
