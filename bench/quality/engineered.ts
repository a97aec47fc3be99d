/**
 * Engineered: one cell of the engineered arm. TF-IDF of word 1-2-grams and character 2-5-grams into a linear SVM, as a competent engineer would
 * set it up with the task's own parts in hand: penalty and class weights chosen on validation, then learned from both. Also others' figures of
 * the same split, quoted. Knows nothing of the vibe arm.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { fraction } from '../../src/core/dataset.ts'
import { ngramSvm } from '../../src/drivers/baseline/ngram-svm.ts'
import type { Asked, Cell } from './results.ts'
import { saidLabels } from './score.ts'
import type { Case, Task } from './task.ts'

const CODE = ['ngram-svm', 'gram-model', 'grams'].map((name) => fileURLToPath(new URL(`../../src/drivers/baseline/${name}.ts`, import.meta.url)))
/** What the engineer decided, by hand or by trying on validation: each is a line of those files. */
const SETTINGS = ['word n-grams', 'character n-grams', 'rarest gram kept', 'most grams kept', 'sublinear counts', 'penalty', 'class weights']
/** Where a task has no validation part, this share of its training rows is one. */
const PRACTICE = 0.12

/** Fits and asks the SVM, in this process. Only for tasks with one label a text. */
export async function engineeredCell(task: Task): Promise<Pick<Cell, 'minutes' | 'said' | 'what' | 'effort' | 'figures'>> {
  const began = Date.now()
  const baseline = ngramSvm()
  const { training, practice } = partsOf(task)
  const labelled = (cases: readonly Case[]) => cases.map(({ input, label }) => ({ input, label: label! }))
  const fitted = await baseline.fit({ training: labelled(training), practice: labelled(practice) })
  const predicted = fitted.predict(task.cases.map(({ input }) => input))
  return {
    minutes: (Date.now() - began) / 60_000,
    said: { engineered: saidLabels(task.labels, predicted) },
    what: { engineered: `${baseline.what}, penalty and class weights chosen on validation` },
    effort: { words: 0, settings: [...SETTINGS], linesOfCode: linesOfCode(CODE.map((path) => readFileSync(path, 'utf8')).join('\n')) },
    figures: { training: training.length, practice: practice.length },
  }
}

/** The parts as they came; where there is no validation part, a share of the training rows is one. */
export function partsOf({ train, validation }: Task): { training: Case[]; practice: Case[] } {
  if (validation.length) return { training: train, practice: validation }
  const practice = train.filter(({ input }) => fraction(input, 1) < PRACTICE)
  return { training: train.filter((one) => !practice.includes(one)), practice }
}

/** Lines that say something to a machine: neither empty nor comment. */
export function linesOfCode(text: string): number {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .split('\n')
    .filter((line) => line.trim() && !line.trim().startsWith('//')).length
}

const Quoted = z.object({
  method: z.string(),
  tasks: z.record(z.string(), z.object({ acc: z.number(), macro_f1: z.number(), weighted_f1: z.number() })),
})

/** What engineered.json, beside the tasks, says of one: figures by another program on the same split. Null where there is none. */
export function quotedFigures(folder: string, name: string): Asked['quoted'] {
  const path = [join(folder, 'engineered.json'), join(dirname(folder), 'engineered.json')].find((one) => existsSync(one))
  if (path === undefined) return null
  const { method, tasks } = Quoted.parse(JSON.parse(readFileSync(path, 'utf8')))
  const figures = tasks[name]
  return figures ? { how: method, figures: { accuracy: figures.acc, 'macro-F1': figures.macro_f1, 'weighted-F1': figures.weighted_f1 } } : null
}
