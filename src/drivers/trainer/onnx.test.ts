import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { classifyPrompt } from '../../core/prompt.ts'
import { chooseRecipe } from '../../core/recipe.ts'
import { trainerSuite } from '../../ports/trainer.suite.ts'
import type { TrainingJob } from '../../ports/trainer.ts'
import { openLlamaRuntime } from '../runtime/llama.ts'
import { createOnnxTrainer } from './onnx.ts'

const base = new URL('../../../base/modelfactory-base-xs-v2.q8_0.gguf', import.meta.url).pathname
const labelTokens = ['<|l0|>', '<|l1|>']
trainerSuite('onnx', async () => ({ trainer: createOnnxTrainer(), base, labelTokens }))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'onnx-trainer-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const job = (name: string, override = {}): TrainingJob => ({
  id: name,
  base,
  training: Array.from({ length: 16 }, (_, index) => classifyPrompt(`${index % 2 ? 'heart' : 'rain'} ${index}`, index % 2)),
  validation: Array.from({ length: 4 }, (_, index) => classifyPrompt(`${index % 2 ? 'heart' : 'rain'} ${index + 20}`, index % 2)),
  labelTokens,
  recipe: chooseRecipe({
    ...{ trainingTokens: 500, maximumTokens: 64, threads: 1, maximumSeconds: 600 },
    override: { rank: 2, alpha: 4, steps: 6, tokensPerStep: 128, validateEvery: 3, ...override },
  }),
  folder: join(folder, name),
})

it('a fully trained model is served as it was trained', { timeout: 300_000 }, async () => {
  const which = job('full', { method: 'full', learningRate: 1e-3, steps: 20, validateEvery: 5 })
  const result = await createOnnxTrainer().fit(which)
  if (isRefusal(result)) throw new Error(result.message)
  const points = result.curve.flatMap(({ validationLoss }) => (validationLoss === null ? [] : [validationLoss]))
  expect(Math.min(...points)).toBeLessThan(0.5 * points[0]!)
  const runtime = openLlamaRuntime({ threads: 1 })
  const scorer = await runtime.open({ base: result.file, adapter: null, labelTokens })
  if (isRefusal(scorer)) throw new Error(scorer.message)
  const scores = await scorer.score(which.validation)
  const loss = scores.reduce((sum, reads, index) => sum - Math.log(reads[0]![index % 2]!), 0) / scores.length
  // The file's matrices are 16-bit floats, and llama.cpp rounds its activations as it does for every such file.
  expect(Math.abs(loss - Math.min(...points))).toBeLessThan(0.02)
  await runtime.close()
})

it.each([
  ['lora', {}],
  ['full', { method: 'full', learningRate: 1e30 }],
] as const)('explains a loss that is not a number (%s)', { timeout: 300_000 }, async (name, change) => {
  expect(await createOnnxTrainer().fit(job(`diverged-${name}`, { learningRate: 1e30, clipNorm: 1e30, warmupSteps: 0, ...change }))).toMatchObject({
    code: 'training_diverged',
    message: expect.stringMatching(/step \d+.*half the learning rate \(5e\+29\)/),
  })
})

it.each(['lora', 'full'] as const)('refuses texts that do not fit and texts that are all the same (%s)', { timeout: 300_000 }, async (method) => {
  const long = { training: [...job('x').training, classifyPrompt('heart '.repeat(200), 1)] }
  expect(await createOnnxTrainer().fit({ ...job('long', { method }), ...long })).toMatchObject({
    code: 'prompt_too_long',
    message: expect.stringMatching(/example 17 is \d+ tokens.* 64/),
  })
  const same = { training: Array.from({ length: 12 }, (_, index) => classifyPrompt('the same', index % 2)) }
  expect(await createOnnxTrainer().fit({ ...job('same', { method }), ...same })).toMatchObject({
    code: 'training_identical',
    message: expect.stringMatching(/All 12/),
  })
})

it('throws a damaged checkpoint away and starts over', { timeout: 300_000 }, async () => {
  const which = job('torn')
  mkdirSync(which.folder)
  writeFileSync(join(which.folder, 'checkpoint.bin'), 'MFCK and then nothing that makes sense')
  writeFileSync(join(which.folder, 'checkpoint.bin.1.tmp'), 'left by a killed run')
  expect(await createOnnxTrainer().fit(which)).toMatchObject({ resumed: false, kind: 'adapter', file: join(which.folder, 'adapter.gguf') })
  expect(readdirSync(which.folder).sort()).toEqual(['adapter.gguf', 'checkpoint.bin'])
})

it('refuses a file that is not a model, and a target no layer has', { timeout: 300_000 }, async () => {
  const path = join(folder, 'not-a-model.gguf')
  writeFileSync(path, 'GGUF but not really, only some text that goes on for a while')
  expect(await createOnnxTrainer().fit({ ...job('text'), base: path })).toMatchObject({ refused: true, code: 'base_unreadable' })
  expect(await createOnnxTrainer().fit(job('target', { targets: ['attn_x'] }))).toMatchObject({
    code: 'base_unsupported',
    message: expect.stringContaining('attn_x'),
  })
})

it('ends the child when its parent goes away', { timeout: 300_000 }, async () => {
  const child = fork(new URL('./child.ts', import.meta.url).pathname, [], {
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const started = new Promise((resolve) => child.once('message', resolve))
  child.send({ job: job('orphan', { steps: 100_000 }) })
  await started
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.disconnect()
  expect(await ended).toBe(1)
})
