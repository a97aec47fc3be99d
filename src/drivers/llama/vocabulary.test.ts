/** Vocabularies that are not ours: other markers, no reserved label tokens, windows and long contexts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { classifyPrompt } from '../../core/prompt.ts'
import { type RandomModel, writeRandomModel } from '../../engine/random-model.ts'
import { llama, openVocabulary, type VocabularyHandle } from './vocabulary.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vocabulary-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tiny = { architecture: 'llama', width: 16, layers: 1, heads: 2, groups: 1, feedForward: 16 } as const
let count = 0

/** Writes a model, opens its vocabulary, and finds tokens by name through llama.cpp's own eyes. */
async function open(settings: Partial<RandomModel>): Promise<{ path: string; vocabulary: VocabularyHandle; token: (text: string) => Promise<number> }> {
  const path = join(folder, `${count++}.gguf`)
  writeRandomModel(path, { ...tiny, ...settings })
  const vocabulary = await openVocabulary(path)
  if ('refused' in vocabulary) throw new Error(vocabulary.message)
  const token = async (text: string) => {
    const model = await (await llama()).loadModel({ modelPath: path, vocabOnly: true })
    const tokens = model.tokenize(text, true)
    await model.dispose()
    expect(tokens.length).toBe(1)
    return tokens[0]!
  }
  return { path, vocabulary, token }
}

describe('markers', () => {
  it.each<[string, Partial<RandomModel>, string[]]>([
    ["Llama 3's", { markers: { begin: '<|begin_of_text|>', end: '<|end_of_text|>' } }, ['<|begin_of_text|>', '<|end_of_text|>']],
    [
      "Llama 3's turn end",
      { markers: { begin: '<|begin_of_text|>', end: '<|end_of_text|>' }, metadata: { 'tokenizer.ggml.eot_token_id': 275 } },
      ['<|begin_of_text|>', '<|begin_of_text|>'],
    ],
    ["Mistral's and TinyLlama's", { tokenizer: 'pieces' }, ['<s>', '</s>']],
    ["GPT-2's one", { markers: { begin: '<|endoftext|>', end: '<|endoftext|>' } }, ['<|endoftext|>', '<|endoftext|>']],
    ["Qwen's", { architecture: 'qwen2', control: ['<|im_start|>', '<|im_end|>'] }, ['<|im_start|>', '<|im_end|>']],
  ])('%s', async (_, settings, [start, end]) => {
    const { vocabulary, token } = await open(settings)
    const { tokens, reads } = vocabulary.tokenize(classifyPrompt('the heart', 1))
    expect(tokens[0]).toBe(await token(start!))
    expect(tokens.at(-1)).toBe(await token(end!))
    expect(tokens.slice(1, -1)).toHaveLength(vocabulary.count('the heart'))
    expect(reads).toEqual([{ position: tokens.length - 1, label: 1 }])
    await vocabulary.close()
  })

  it('are never made of what a user types', async () => {
    const { vocabulary, token } = await open({ control: ['<|im_start|>', '<|im_end|>'] })
    const end = await token('<|im_end|>')
    expect(vocabulary.tokenize(classifyPrompt('a <|im_end|> b')).tokens.filter((one) => one === end)).toHaveLength(1)
    await vocabulary.close()
  })

  it('follow the opening token when the file asks for one, once', async () => {
    const asked = await open({ beginAlways: true, control: ['<|im_start|>', '<|im_end|>'] })
    const { tokens } = asked.vocabulary.tokenize(classifyPrompt('x'))
    expect(tokens.slice(0, 2)).toEqual([await asked.token('<|begin_of_text|>'), await asked.token('<|im_start|>')])
    await asked.vocabulary.close()
    // Where the opening token is the marker itself it is not doubled.
    const same = await open({ tokenizer: 'pieces', beginAlways: true })
    const begin = await same.token('<s>')
    expect(same.vocabulary.tokenize(classifyPrompt('x')).tokens.filter((one) => one === begin)).toHaveLength(1)
    await same.vocabulary.close()
  })
})

describe('label tokens', () => {
  it.each(['bytes', 'pieces'] as const)('are letters and digits where none are reserved (%s)', async (tokenizer) => {
    const { vocabulary } = await open({ tokenizer })
    const strings = vocabulary.labelTokens(40)
    if ('refused' in strings) throw new Error(strings.message)
    expect(strings.every((text) => /^ ?[A-Za-z0-9]+$/.test(text))).toBe(true)
    const ids = vocabulary.labelIds(strings)
    expect(new Set(ids).size).toBe(40)
    expect(vocabulary.labelTokens(5000)).toMatchObject({ code: 'too_many_labels', message: expect.stringMatching(/has \d+ tokens .* 5000 labels/) })
    await vocabulary.close()
  })
})

describe('context', () => {
  it.each<[string, Partial<RandomModel>, number]>([
    ['what the file declares', { contextLength: 300 }, 300],
    ['the window where there is one', { contextLength: 1024, window: 96 }, 96],
    ['never more than is served', { contextLength: 131_072 }, 2048],
    ['what the base says it was trained on', { contextLength: 1024, metadata: { 'modelfactory.trained_context': 77 } }, 77],
  ])('is %s', async (_, settings, expected) => {
    const { vocabulary } = await open(settings)
    expect(vocabulary.contextLength).toBe(expected)
    await vocabulary.close()
  })
})
