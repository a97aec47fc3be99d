import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { QUICK, readEngineered, readTask, TASKS } from './tasks.ts'

const folder = fileURLToPath(new URL('../../bench/tasks', import.meta.url))

it.each(TASKS.map((name) => [name]))('%s has three parts that share no more than its README says, and every label of its exam is taught', (name) => {
  const { labels, training, practice, exam } = readTask(folder, name)
  expect(labels.length).toBeGreaterThan(1)
  expect(Math.min(training.length, practice.length, exam.length)).toBeGreaterThan(0)
  const taught = new Set(training.map(({ input }) => input))
  // A few texts are in both parts as published; the README says how many.
  const known = readFileSync(join(folder, name, 'README.md'), 'utf8').match(/Test texts also in train \(exact\): (\d+)/)![1]
  expect(exam.filter(({ input }) => taught.has(input)).length).toBe(Number(known))
  expect(exam.every(({ label }) => labels.includes(label))).toBe(true)
})

it('has a figure of the SVM for every task but PubMedQA', () => {
  const engineered = readEngineered(folder)
  expect(TASKS.filter((name) => !engineered.has(name))).toEqual(['medqa_pubmedqa'])
  expect(engineered.get('intent_banking77')).toEqual({ accuracy: 0.9117, macroF1: 0.9117 })
  expect(QUICK.every((name) => (TASKS as readonly string[]).includes(name) && engineered.has(name))).toBe(true)
})

it('names a task that is not there', () => {
  expect(() => readTask(folder, 'nothing')).toThrow('The task nothing cannot be read from')
})
