import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bitsTable, type Cell, Results, taskTable } from './results.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'results-'))
  path = join(folder, 'results.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const cell = (arm: string, task: string, seed: number, macroF1: number): Cell => ({
  ...{ arm, task, seed, macroF1, accuracy: macroF1 + 0.05, seconds: 300, method: 'lora', base: 'abc' },
  ...{ steps: 100, bestStep: 80, learningRate: 0.003, trainingSeconds: 290, examSeconds: 9 },
})
const options = {
  columns: [
    { arm: 'untrained xs', base: 'abc' },
    { arm: 'xs', base: 'abc' },
  ],
  ...{ tasks: ['one', 'two'], seeds: [1, 2], seconds: 300, method: 'lora' },
  engineered: new Map([['one', { accuracy: 0.8, macroF1: 0.75 }]]),
}

it('keeps every cell as soon as it is measured, and knows it again under the same settings alone', () => {
  new Results(path).add(cell('xs', 'one', 1, 0.7))
  const { arm, task, seed, seconds, method, base } = cell('xs', 'one', 1, 0)
  const place = { arm, task, seed, seconds, method, base }
  const again = new Results(path)
  expect(again.find(place)?.macroF1).toBe(0.7)
  for (const change of [{ seed: 2 }, { seconds: 120 }, { method: 'full' }, { base: 'def' }]) expect(again.find({ ...place, ...change })).toBeUndefined()
})

it('shows means, gains over the tasks that both arms have, and names what is missing', () => {
  const results = new Results(path)
  for (const one of [cell('untrained xs', 'one', 1, 0.4), cell('xs', 'one', 1, 0.7), cell('xs', 'one', 2, 0.74), cell('xs', 'two', 1, 0.5)]) results.add(one)
  const lines = taskTable(results, options)
  expect(lines).toContain('| one | 40.0 (45.0) | 72.0 ± 2.0 (77.0) | 75.0 (80.0) |')
  expect(lines).toContain('| two | missing | 50.0 (55.0) | not measured |')
  expect(lines).toContain('| macro-F1 above untrained |  | +32.0 over 1 tasks | |')
  expect(lines).toContain('| macro-F1 above the SVM | -35.0 over 1 tasks | -3.0 over 1 tasks | |')
  expect(lines.at(-1)).toBe(
    'Missing, by running the same command again: untrained xs one seed 2; untrained xs two seed 1; untrained xs two seed 2; xs two seed 2.',
  )
})

it('puts files side by side and says what the smaller one loses', () => {
  const bits = (arm: string, bitsPerByte: number) => ({
    ...{ arm, base: arm, length: 256, bitsPerByte, sources: { law: 1.2 }, languages: { en: bitsPerByte } },
    agreement: { tokens: 100, ours: 4, llamaCpp: 4.01, relative: 0.0025 },
  })
  const lines = bitsTable([bits('f16', 1.6), bits('q8_0', 1.604)])
  expect(lines).toContain('| all | 1.600 | 1.604 |')
  expect(lines).toContain('| law | 1.200 | 1.200 |')
  expect(lines).toContain('q8_0: llama.cpp 4.01 and our engine 4 nats a token on 100 tokens, 0.25 % apart.')
  expect(lines.at(-1)).toBe('q8_0 against f16: 0.25 % more bits per byte.')
})

it('refuses a file that holds something else', () => {
  writeFileSync(path, '{"cells": 3}')
  expect(() => new Results(path)).toThrow(`${path} holds no results of base:eval`)
})
