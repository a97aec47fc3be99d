/** A tiny base made a specialist by the factory's steps: real training, real serving. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { modelTensors } from '../../src/engine/architecture.ts'
import { readConfig } from '../recipe/config.ts'
import { exportModel } from '../recipe/export.ts'
import { llamaShape, untrained } from '../recipe/shape.ts'
import { countWords, learnTokenizer } from '../recipe/tokenizer.ts'
import { fineTune } from './finetune.ts'
import type { Labelled, Task } from './tasks.ts'

const config = await readConfig(new URL('../smoke.json', import.meta.url).pathname)
const rows = (count: number, from: number): Labelled[] =>
  Array.from({ length: count }, (_, index) => {
    const wet = (index + from) % 2 === 1
    return { input: `${wet ? 'heavy rain' : 'bright sun'} over town ${index + from}`, label: wet ? 'wet' : 'dry' }
  })
const task: Task = { name: 'weather', labels: ['dry', 'wet'], training: rows(80, 0), practice: rows(20, 100), exam: rows(30, 201) }

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'finetune-'))
  const counts = new Map<string, number>()
  for (const { input } of task.training) countWords(input, counts)
  const base = untrained(config.shape, 1)
  const weights = new Map([...modelTensors(llamaShape(config.shape))].map(([name, shape]) => [name, { shape, values: base.tensor(name) }]))
  writeFileSync(join(folder, 'base.gguf'), exportModel(config, learnTokenizer(counts, config.tokenizer), weights, 'F32'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('learns what is easily learned, is examined on what it has not seen, and leaves nothing behind', { timeout: 300_000 }, async () => {
  const recipe = { method: 'full', learningRate: 0.01, steps: 200, warmupSteps: 10, tokensPerStep: 512, validateEvery: 50 } as const
  const cell = join(folder, 'cell')
  const found = await fineTune({ base: join(folder, 'base.gguf'), task, seed: 1, seconds: 200, recipe, threads: 1, folder: cell, tell: () => {} })
  expect(found.accuracy).toBeGreaterThan(0.9)
  expect(found.macroF1).toBeGreaterThan(0.9)
  expect(found.learningRate).toBe(0.01)
  expect(existsSync(cell)).toBe(false)
})
