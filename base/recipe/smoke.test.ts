/** The whole recipe, tiny: a corpus made here -> prepare -> pre-training, killed and taken up again -> instruction stage -> GGUF. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { compare, ours, theirs, UNROUNDED } from '../../src/drivers/llama/parity.suite.ts'
import { llama, openVocabulary } from '../../src/drivers/llama/vocabulary.ts'
import { openLlama } from '../../src/engine/architecture.ts'
import { generator } from '../../src/engine/random.ts'
import { readSafetensors } from '../../src/engine/safetensors.ts'
import { build } from './build.ts'
import { readConfig } from './config.ts'
import { readCurve } from './curve.ts'
import { exportFile } from './export.ts'
import { prepare } from './prepare.ts'
import { untrained } from './shape.ts'
import { encoder } from './tokenizer.ts'

const configPath = fileURLToPath(new URL('../smoke.json', import.meta.url))
const TRAIN = fileURLToPath(new URL('./train.ts', import.meta.url))
const config = await readConfig(configPath)

let folder: string
let work: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'recipe-'))
  work = join(folder, 'work')
  for (const part of ['corpus', 'tasks/one']) mkdirSync(join(folder, part), { recursive: true })
  writeFileSync(join(folder, 'corpus/tiny.jsonl'), lines(documents(300)))
  writeFileSync(join(folder, 'corpus/instruct.jsonl'), lines(pairs(60)))
  writeFileSync(join(folder, 'tasks/one/test.jsonl'), lines([{ text: 'A text of the task that no document holds.', label: 'a' }]))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Sentences of a small grammar: something a small model can learn in seconds. */
function documents(count: number): object[] {
  const next = generator(7)
  const pick = (words: readonly string[]) => words[Math.floor(next() * words.length)]!
  const sentence = () =>
    `The ${pick(['old', 'new', 'small', 'quiet'])} ${pick(['heart', 'engine', 'tenant', 'river'])} ${pick(['moves', 'repairs', 'measures'])} ` +
    `${pick(['water', 'every bridge', 'the contract', 'its own door'])} ${pick(['in winter', 'before noon', 'without rest'])} and number ${Math.floor(next() * 1e6)}.`
  return Array.from({ length: count }, () => ({ text: Array.from({ length: 8 }, sentence).join(' '), licence: 'CC0-1.0', lang: 'en' }))
}

function pairs(count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ prompt: `What does tenant ${index} measure in winter?`, response: `Tenant ${index} measures the old river without rest.` },
    ...{ source: 'made/here@1', licence: 'CC0-1.0' },
  }))
}

/** Kills a training, by SIGKILL, once it has a checkpoint and is some steps further. */
function killed(): Promise<void> {
  return new Promise((resolve) => {
    const arguments_ = ['--import', 'tsx', TRAIN, '--config', configPath, '--work', work, '--threads', '1', '--checkpoint-minutes', '0']
    const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.on('data', (text) => {
      if (/step (1[0-9]|2[0-9])\b/.test(String(text)) && existsSync(join(work, 'checkpoint.own'))) child.kill('SIGKILL')
    })
    child.once('close', () => resolve())
  })
}

it('makes a base that llama.cpp serves and that has learned, from a training that was killed on the way', { timeout: 300_000 }, async () => {
  const told: string[] = []
  const options = { corpus: join(folder, 'corpus'), tasks: join(folder, 'tasks'), work, tell: (line: string) => void told.push(line) }
  await prepare(config, options)
  await killed()
  expect(existsSync(join(work, 'weights.safetensors'))).toBe(false)
  const reached = readCurve(join(work, 'curve.jsonl')).at(-1)!.step
  expect(reached).toBeGreaterThan(5)

  const signal = new AbortController().signal
  const outcome = await build({ ...options, config, configPath, engine: 'own', python: 'none', threads: 1, signal })
  expect(outcome).toBe('finished')
  const resumed = told.find((line) => line.startsWith('pretrain: goes on at step'))
  expect(Number(resumed?.match(/step (\d+)/)?.[1])).toBeGreaterThan(5)

  // Every tenth step once, in order, and the end: what the killed run wrote beyond its checkpoint was taken again.
  const curve = readCurve(join(work, 'curve.jsonl')).filter(({ course }) => course === 'pretrain')
  const steps = curve.map(({ step }) => step)
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b))
  expect(curve.at(-1)!.tokens).toBeGreaterThanOrEqual(config.tokens)
  const result = JSON.parse(readFileSync(join(work, 'result.json'), 'utf8'))
  const before = curve[0]!.validationBitsPerByte!
  console.log(
    'bits per byte',
    before,
    'untrained,',
    result.pretrain.bitsPerByte128,
    'pre-trained,',
    result.instruct.bitsPerByte128,
    'after the instruction stage',
  )
  expect(result.pretrain.bitsPerByte128).toBeLessThan(0.9 * before)
  expect(result.instruct.tokens).toBeGreaterThanOrEqual(config.instruct!.tokens)

  // Labels stay where they began, whatever is learned around them.
  const { width, vocabulary } = config.shape
  const labels = (values: Float32Array) => values.slice((vocabulary - config.tokenizer.labels) * width)
  const trained = readSafetensors(readFileSync(join(work, 'weights.safetensors'))).get('token_embd.weight')!.values
  const start = untrained(config.shape, config.seed).tensor('token_embd.weight')
  expect(labels(trained)).toEqual(labels(start))
  expect(trained.slice(0, 99 * width)).not.toEqual(start.slice(0, 99 * width))

  const path = join(work, `${config.name}.q8_0.gguf`)
  const opened = await openVocabulary(path)
  if ('refused' in opened) throw new Error(opened.message)
  expect((opened.labelTokens(256) as string[]).length).toBe(256)
  await opened.close()
  const full = join(work, 'whole.gguf')
  await exportFile(config, { weights: join(work, 'weights.safetensors'), tokenizer: join(work, 'tokenizer.json'), path: full, type: 'F32' })
  const tokens = encoder(JSON.parse(readFileSync(join(work, 'tokenizer.json'), 'utf8'))).encode('The quiet engine repairs every bridge before noon.')
  const served = await (await llama()).loadModel({ modelPath: full })
  const difference = compare(await ours(openLlama(full), tokens), await theirs(served, tokens, UNROUNDED))
  await served.dispose()
  expect(difference.logarithm).toBeLessThan(2e-4)
  expect(readFileSync(join(work, `${config.name}.curve.svg`), 'utf8')).toContain('<path class="v"')

  // Done is done: nothing is trained again.
  told.length = 0
  await build({ ...options, config, configPath, engine: 'own', python: 'none', threads: 1, signal })
  expect(told.some((line) => line.includes('trained already'))).toBe(true)
  expect(told.some((line) => /step \d/.test(line))).toBe(false)
})

it('says what is missing to train by PyTorch', { timeout: 120_000 }, async () => {
  const elsewhere = join(folder, 'elsewhere')
  const building = build({
    ...{ config, configPath, corpus: join(folder, 'corpus'), tasks: join(folder, 'tasks'), work: elsewhere, tell: () => {} },
    ...{ engine: 'pytorch', python: '/nowhere/python', threads: 1, signal: new AbortController().signal },
  })
  await expect(building).rejects.toThrow('Training stopped: "/nowhere/python" cannot be started; PYTHON names one that has PyTorch.')
})
