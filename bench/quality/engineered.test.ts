import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isRefusal } from '../../src/core/errors.ts'
import { engineeredCell, linesOfCode, quotedFigures } from './engineered.ts'
import { described, labelled, taskFolder } from './folders.suite.ts'
import { askedOf } from './results.ts'
import { scorerOf } from './score.ts'
import { readTask } from './task.ts'

let tasks: ReturnType<typeof taskFolder>
beforeAll(() => {
  tasks = taskFolder()
})
afterAll(() => tasks.remove())

it('learns from training and validation, and answers every case of the exam', async () => {
  const files = { 'task.json': JSON.stringify(described), 'train.jsonl': labelled(40), 'test.jsonl': labelled(20, 70) }
  tasks.write('whole', { ...files, 'validation.jsonl': labelled(10, 50) })
  tasks.write('without', files)
  for (const [name, practice] of [
    ['whole', 20],
    ['without', undefined],
  ] as const) {
    const task = await readTask(tasks.root, name)
    if (isRefusal(task)) throw new Error(task.message)
    const cell = await engineeredCell(task)
    expect(scorerOf(askedOf(task, null), cell.said.engineered!)).toMatchObject({ n: 40 })
    expect(scorerOf(askedOf(task, null), cell.said.engineered!).score()).toBeGreaterThan(0.95)
    if (practice !== undefined) expect(cell.figures).toEqual({ training: 80, practice })
    else {
      expect(cell.figures.practice).toBeGreaterThan(0)
      expect(cell.figures.training! + cell.figures.practice!).toBe(80)
    }
    expect(cell.effort.linesOfCode).toBeGreaterThan(100)
  }
})

it('quotes the figures that lie beside the tasks, and none where there are none', () => {
  const folder = fileURLToPath(new URL('../tasks', import.meta.url))
  expect(quotedFigures(join(folder, 'intent_banking77'), 'intent_banking77')?.figures).toEqual({ accuracy: 0.9117, 'macro-F1': 0.9117, 'weighted-F1': 0.9117 })
  expect(quotedFigures(join(folder, 'intent_banking77'), 'intent_banking77')?.how).toContain('scikit-learn')
  expect(quotedFigures(join(folder, 'medqa_pubmedqa'), 'medqa_pubmedqa')).toBeNull()
  expect(quotedFigures(join(tasks.root, 'whole'), 'whole')).toBeNull()
})

it('counts lines of code, not comments', () => {
  expect(linesOfCode('/** What\n * it is. */\n\nconst a = 1\n  // why\nexport { a }\n')).toBe(2)
})
