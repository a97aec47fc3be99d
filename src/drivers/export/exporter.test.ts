/** Exports opened by llama.cpp (node-llama-cpp): the same next-token log-probabilities as the adapter on its base. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LlamaModel, Token } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import type { Exportable, ExportKind } from '../../core/export.ts'
import { classifyPrompt } from '../../core/prompt.ts'
import { openGguf } from '../../engine/gguf.ts'
import { writeModel } from '../../engine/gguf-writer.ts'
import { exporterSuite } from '../../ports/exporter.suite.ts'
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

/** The same after the last token alone. */
async function lastDistribution(loaded: LlamaModel, ids: readonly number[]): Promise<Map<Token, number>> {
  const context = await loaded.createContext({ contextSize: 256, threads: 1 })
  const head = ids.slice(0, -1) as Token[]
  const steps = await context.getSequence().controlledEvaluate([...head, [ids.at(-1) as Token, { generateNext: { probabilities: true } }]])
  await context.dispose()
  return steps[head.length]!.next.probabilities!
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

exporterSuite('GGUF', async (folder) => {
  const otherBase = join(folder, 'other.gguf')
  await writeModel({ source: BASE, path: otherBase, type: 'Q8_0', metadata: [['general.name', 'another', 'string']] })
  return { exporter, base: BASE, otherBase, ...(await randomModel(folder)) }
})

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

  /**
   * Against the adapter on the Q8_0 base it was trained on. llama.cpp multiplies Q8_0 weights by activations rounded to 8 bits, F16 weights
   * by halves; that, not the merge, is most of what differs at F16 and Q8_0. Q4_0 loses what 4 bits lose, much where a small model has read
   * for as long as this one. Measured: 0.29 / 0.041, 0.34 / 0.064, 5.3 / 0.66; without the adapter 8.3 / 1.06.
   */
  it.each([
    ['F16', 0.8, 0.06],
    ['Q8_0', 1.2, 0.09],
    ['Q4_0', 7, 0.8],
  ] as const)('merged %s: log-probabilities within %d, %d on average', async (type, largest, mean) => {
    const kind = `gguf-${type.toLowerCase()}` as ExportKind
    const file = join(await exported(kind), `weather.${type.toLowerCase()}.gguf`)
    expect(openGguf(file).metadata.get('general.name')).toBe('weather')
    expect(openGguf(file).metadata.get('modelfactory.base.sha256')).toBe(await fileHash(BASE))
    const difference = compare(await distributions(await load(file), tokens), reference)
    const without = compare(await distributions(opened[0]!, tokens), reference)
    console.log(`merged ${type} beside the adapter on its Q8_0 base:`, difference, 'without the adapter:', without)
    expect(difference.largest).toBeLessThan(largest)
    expect(difference.mean).toBeLessThan(mean)
    expect(without.mean).toBeGreaterThan(0.95)
  })

  it('merged F16 beside the adapter on the base as F16, so that only the merge differs: within 0.05', async () => {
    const base = join(root, 'base.f16.gguf')
    await writeModel({ source: BASE, path: base, type: 'F16' })
    const merged = await load(join(await exported('gguf-f16'), 'weather.f16.gguf'))
    const difference = compare(await distributions(merged, tokens), await distributions(await load(base), tokens, adapter))
    console.log('merged F16 beside the adapter on the base as F16:', difference)
    expect(difference.largest).toBeLessThan(0.05)
  })

  it('Ollama: the likeliest of all tokens is the label that the merged model would choose', async () => {
    const folder = await exported('ollama')
    const restricted = await load(join(folder, 'weather.f16.gguf'))
    const merged = await load(join(await exported('gguf-f16'), 'weather.f16.gguf'))
    const vocabulary = vocabularyOf(restricted)
    if ('refused' in vocabulary) throw new Error(vocabulary.message)
    const labels = vocabulary.labelIds(model.weights.labelTokens) as Token[]
    const likeliest = (distribution: Map<Token, number>) => [...distribution].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0]
    const chosen = new Map<Token, number>()
    let unrestricted = 0
    for (let index = 0; index < 8; index++) {
      const { tokens: ids } = vocabulary.tokenize(classifyPrompt(`${text.slice(index * 9)} ${index}`))
      const last = await lastDistribution(merged, ids)
      const wanted = labels.reduce((best, label) => (last.get(label)! > last.get(best)! ? label : best))
      const greedy = likeliest(await lastDistribution(restricted, ids))
      expect(greedy, `text ${index}`).toBe(wanted)
      chosen.set(greedy, (chosen.get(greedy) ?? 0) + 1)
      if (likeliest(last) !== wanted) unrestricted++
    }
    console.log('Ollama: labels chosen', [...chosen], '; texts where the whole vocabulary would have said something else', unrestricted)
    // Without the restriction greedy decoding says something that is no label, or this test shows nothing.
    expect(unrestricted).toBeGreaterThan(0)
    const file = readFileSync(join(folder, 'Modelfile'), 'utf8')
    expect(file).toContain('FROM ./weather.f16.gguf\nTEMPLATE """<|im_start|>{{ .Prompt }}<|im_end|>"""\n')
    expect(file).toContain('#   <|l2|> = "\\"quoted\\"\\nline"\n')
    expect(file).toContain('PARAMETER num_ctx 1024\n')
    // No text of the builder's can end a comment or a quoted block.
    const lines = file.split('\n')
    const from = lines.findIndex((line) => line.startsWith('FROM'))
    for (const line of lines.slice(0, from)) expect(line).toMatch(/^#/)
    expect(lines.slice(from).join('\n').match(/"""/g)?.length).toBe(4)
  })
})

it('fully trained weights: a model without an adapter, and no adapter to give', async () => {
  const whole = join(root, 'whole.gguf')
  await writeModel({ source: BASE, path: whole, type: 'F16' })
  const trained = { ...model, weights: { ...model.weights, kind: 'model' as const } }
  const file = join(await exported('gguf-f16', { model: trained, adapter: whole, base: '/nowhere/base.gguf' }), 'weather.f16.gguf')
  expect(openGguf(file).tensor('blk.3.ffn_up.weight')).toEqual(openGguf(whole).tensor('blk.3.ffn_up.weight'))
  expect(openGguf(file).metadata.get('modelfactory.weights.kind')).toBe('model')
  for (const kind of ['gguf-lora', 'peft'] as const)
    expect(await exporter.write({ kind, model: trained, base: BASE, adapter: whole, folder: join(root, 'refused') })).toMatchObject({
      code: 'export_without_adapter',
    })
  await exported('gguf-f16')
})

describe('refusing', () => {
  const folder = join(root, 'refused')
  const other = join(root, 'other.gguf')

  it('an adapter for another base, by hash, and leaves nothing', async () => {
    await writeModel({ source: BASE, path: other, type: 'Q8_0', metadata: [['general.name', 'another', 'string']] })
    const refused = await exporter.write({ kind: 'gguf-f16', model, base: other, adapter, folder })
    expect(refused).toMatchObject({ code: 'adapter_for_another_base', message: expect.stringContaining((await fileHash(other)).slice(0, 10)) })
    // What the adapter's own metadata say counts before what is claimed about it.
    const claimed = { ...model, weights: { ...model.weights, base: { ...model.weights.base, sha256: await fileHash(other) } } }
    const marked = join(await exported('gguf-lora'), 'weather.lora.gguf')
    expect(await exporter.write({ kind: 'gguf-f16', model: claimed, base: other, adapter: marked, folder })).toMatchObject({ code: 'adapter_for_another_base' })
    expect(existsSync(folder)).toBe(false)
  })

  it.each<[string, Partial<Parameters<typeof exporter.write>[0]>, string]>([
    ['a base that is not there', { base: '/nowhere/base.gguf' }, 'base_missing'],
    ['an adapter that is a model', { adapter: BASE }, 'export_unsupported'],
    ['a folder inside a file', { folder: join(BASE, 'out') }, 'export_unwritable'],
  ])('%s', async (_, change, code) => {
    expect(await exporter.write({ kind: 'peft', model, base: BASE, adapter, folder, ...change })).toMatchObject({ refused: true, code })
    expect(existsSync(folder)).toBe(false)
  })

  it('a full disk, in one sentence, and leaves nothing', async ({ skip }) => {
    // A file system of 2 MB, where this user may mount one.
    const small = mkdtempSync(join(root, 'small-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small], { stdio: 'ignore' })
    } catch {
      return skip('this user cannot mount a small file system')
    }
    try {
      const refused = await exporter.write({ kind: 'gguf-f16', model, base: BASE, adapter, folder: join(small, 'out') })
      expect(refused).toMatchObject({ code: 'export_unwritable', message: expect.stringMatching(/the disk is full \(ENOSPC\)/) })
      expect(readdirSync(small)).toEqual([])
    } finally {
      execFileSync('umount', [small])
    }
  })
})
