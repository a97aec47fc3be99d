import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { classifyPrompt } from '../../core/prompt.ts'
import { chooseRecipe } from '../../core/recipe.ts'
import { trainerSuite } from '../../ports/trainer.suite.ts'
import type { TrainingJob } from '../../ports/trainer.ts'
import { createOnnxTrainer } from './onnx.ts'

const base = new URL('../../../base/modelfactory-base-xs-v0.q8_0.gguf', import.meta.url).pathname
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

it('throws a damaged checkpoint away and starts over', { timeout: 300_000 }, async () => {
  const which = job('torn')
  mkdirSync(which.folder)
  writeFileSync(join(which.folder, 'checkpoint.bin'), 'MFCK and then nothing that makes sense')
  writeFileSync(join(which.folder, 'checkpoint.bin.1.tmp'), 'left by a killed run')
  expect(await createOnnxTrainer().fit(which)).toMatchObject({ resumed: false, kind: 'adapter', file: join(which.folder, 'adapter.gguf') })
  expect(readdirSync(which.folder).sort()).toEqual(['adapter.gguf', 'checkpoint.bin'])
})

it('explains a loss that is not a number', { timeout: 300_000 }, async () => {
  expect(await createOnnxTrainer().fit(job('diverged', { learningRate: 1e30, clipNorm: 1e30, warmupSteps: 0 }))).toMatchObject({
    code: 'training_diverged',
    message: expect.stringMatching(/step \d+.*half the learning rate \(5e\+29\)/),
  })
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
