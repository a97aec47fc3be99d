/** Exports opened by llama.cpp (node-llama-cpp): the same next-token log-probabilities as the adapter on its base. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LlamaModel, Token } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import type { Exportable, ExportKind } from '../../core/export.ts'
import { classifyPrompt } from '../../core/prompt.ts'
import { openGguf } from '../../engine/gguf.ts'
import { writeModel } from '../../engine/gguf-writer.ts'
import { fileHash } from '../files/hash.ts'
import { llama, vocabularyOf } from '../llama/vocabulary.ts'
import { BASE, LABELS, randomModel } from './bench.suite.ts'
import { ggufExporter } from './exporter.ts'

const text = 'The heart is a muscular organ that pumps blood through the body. When it beats out of rhythm, doctors speak of an arrhythmia.'
const exporter = ggufExporter()
const root = mkdtempSync(join(tmpdir(), 'export-'))
let model: Exportable
let adapter: string
let tokens: number[]
let reference: Map<Token, number>[]
const opened: LlamaModel[] = []
beforeAll(async () => {
  ;({ model, adapter } = await randomModel(root))
  const base = await load(BASE)
  const vocabulary = vocabularyOf(base)
  if ('refused' in vocabulary) throw new Error(vocabulary.message)
  tokens = vocabulary.tokenize(classifyPrompt(text)).tokens
  reference = await distributions(base, tokens, adapter)
})
afterAll(async () => {
  for (const one of opened) await one.dispose()
  rmSync(root, { recursive: true, force: true })
})

async function load(path: string): Promise<LlamaModel> {
  const loaded = await (await llama()).loadModel({ modelPath: path })
  opened.push(loaded)
  return loaded
}

/** Log-probabilities of the next token after every token. */
async function distributions(loaded: LlamaModel, ids: readonly number[], lora?: string): Promise<Map<Token, number>[]> {
  const context = await loaded.createContext({ contextSize: 256, threads: 1, ...(lora ? { lora } : {}) })
  const steps = await context.getSequence().controlledEvaluate(ids.map((token) => [token as Token, { generateNext: { probabilities: true } }]))
  await context.dispose()
  return steps.map((step) => new Map([...step!.next.probabilities!].map(([token, probability]) => [token, Math.log(probability)])))
}

/** Largest and mean difference of log-probabilities, over tokens of at least 1e-4. */
function compare(mine: Map<Token, number>[], other: Map<Token, number>[]): { largest: number; mean: number } {
  let [largest, sum, count] = [0, 0, 0]
  for (const [index, distribution] of other.entries())
    for (const [token, value] of distribution) {
      if (value < Math.log(1e-4)) continue
      const difference = Math.abs(value - mine[index]!.get(token)!)
      largest = Math.max(largest, difference)
      sum += difference
      count++
    }
  return { largest, mean: sum / count }
}

async function exported(kind: ExportKind, change: Partial<Parameters<typeof exporter.write>[0]> = {}): Promise<string> {
  const folder = join(root, `${kind}-out`)
  const files = await exporter.write({ kind, model, base: BASE, adapter, folder, ...change })
  if (isRefusal(files)) throw new Error(files.message)
  expect(files.map(({ name }) => name)).toEqual(readdirSync(folder).sort())
  for (const { name, bytes, sha256 } of files) {
    expect(bytes).toBe(readFileSync(join(folder, name)).length)
    expect(sha256).toBe(await fileHash(join(folder, name)))
  }
  return folder
}

describe('opened by llama.cpp', () => {
  it('the LoRA adapter: the very tensors, every setting, and the same log-probabilities', async () => {
    const file = join(await exported('gguf-lora'), 'weather.lora.gguf')
    const [before, after] = [openGguf(adapter), openGguf(file)]
    expect([...after.tensors.keys()]).toEqual([...before.tensors.keys()])
    for (const name of before.tensors.keys()) expect(after.tensor(name)).toEqual(before.tensor(name))
    expect(after.metadata.get('modelfactory.base.sha256')).toBe(await fileHash(BASE))
    expect(JSON.parse(String(after.metadata.get('modelfactory.labels')))).toEqual(LABELS)
    expect(JSON.parse(String(after.metadata.get('modelfactory.label_tokens')))).toEqual(['<|l0|>', '<|l1|>', '<|l2|>'])
    expect(JSON.parse(String(after.metadata.get('modelfactory.recipe')))).toEqual(model.weights.recipe)
    expect(compare(await distributions(opened[0]!, tokens, file), reference)).toEqual({ largest: 0, mean: 0 })
  })

  it.each(['F16', 'Q8_0', 'Q4_0'] as const)('merged %s', async (type) => {
    const kind = `gguf-${type.toLowerCase()}` as ExportKind
    const file = join(await exported(kind), `weather.${type.toLowerCase()}.gguf`)
    expect(openGguf(file).metadata.get('general.name')).toBe('weather')
    const merged = await load(file)
    const difference = compare(await distributions(merged, tokens), reference)
    const without = compare(await distributions(opened[0]!, tokens), reference)
    console.log(`merged ${type} beside the adapter on its Q8_0 base:`, difference, 'without the adapter:', without)
  })
})
