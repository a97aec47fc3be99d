import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Dataset, Passage } from '../../src/core/dataset.ts'
import { isRefusal } from '../../src/core/errors.ts'
import { examRoot, type OpenedExam, openedExam, sealed } from '../../src/core/exam.ts'
import { canonical, hashText, type Id } from '../../src/core/id.ts'
import { chooseRecipe } from '../../src/core/recipe.ts'
import type { Kind, Said, Sheet } from '../../src/core/sheet.ts'
import { Spec } from '../../src/core/spec.ts'
import { Weights } from '../../src/core/weights.ts'
import { folderStore } from '../../src/drivers/store/folder.ts'
import type { Store } from '../../src/ports/store.ts'
import { pack } from '../../src/steps/pack.ts'
import { described, labelled, type Rows, taskFolder } from './folders.suite.ts'
import { type Case, readTask, type Task } from './task.ts'
import { effortOf, readBuild, vibeCell } from './vibe.ts'

let tasks: ReturnType<typeof taskFolder>
let folder: string
let store: Store
beforeAll(() => {
  tasks = taskFolder()
  folder = mkdtempSync(join(tmpdir(), 'quality-store-'))
  store = folderStore(folder)
})
afterAll(() => {
  tasks.remove()
  rmSync(folder, { recursive: true, force: true })
})

async function taskOf(name: string, description: object, train: Rows, test: Rows): Promise<Task> {
  tasks.write(name, { 'task.json': JSON.stringify(description), 'train.jsonl': train, 'test.jsonl': test })
  const task = await readTask(tasks.root, name)
  if (isRefusal(task)) throw new Error(task.message)
  return task
}

/** The sealed cases as their builder holds them, in this order. */
const examOf = (cases: readonly Case[]): OpenedExam =>
  openedExam(
    cases.map((one) => ({ ...one, source: { file: 'exam' }, group: one.id })),
    hashText('salt'),
  )

/** A package as a build leaves it, with what was said to these cases. */
async function packageOf(exam: OpenedExam, kind: Kind, arms: Record<string, Said[]>, passages: Passage[] = []): Promise<Id> {
  const nothing = hashText('')
  const put = (value: unknown) => store.put(new TextEncoder().encode(canonical(value)))
  const spec = Spec.parse({
    ...{ words: 'words', slug: 'task', task: 'classify', language: ['en'], outputLanguage: [], domain: null, labels: null, multiLabel: null, fields: null },
    ...{ mustCite: null, refuseOutsideScope: null, tone: null, audience: null, pricePerQuery: null, maxLatencyMs: null, privacy: null },
    ...{ files: [], clarify: [], assumptions: [] },
  })
  const dataset: Dataset = { specId: nothing, examId: nothing, training: [], practice: [], passages, notes: [] }
  const weights = Weights.parse({
    ...{ datasetId: nothing, base: { name: 'base', sha256: hashText('base'), licence: '' }, adapter: await put('adapter'), labelTokens: ['a', 'b'] },
    ...{
      recipe: chooseRecipe({ trainingTokens: 1000, maximumTokens: 64, threads: 1, maximumSeconds: 1 }),
      threshold: null,
      expert: null,
      bestStep: 0,
      curve: [],
    },
  })
  const sheet: Sheet = {
    ...{ format: 'modelfactory/sheet@1', kind, examId: nothing, weightsId: nothing, root: examRoot(exam), cases: sealed(exam), arms },
  }
  const report = {
    ...{ weightsId: nothing, examId: nothing, n: exam.cases.length, metric: 'macro-F1', latencyMs: 12, predictions: await put(sheet) },
    arms: [{ name: 'tuned' as const, what: 'the model as served', score: 0, interval: [0, 0] as [number, number], figures: {} }],
  }
  return (await pack({ store }, { name: 'task', spec, dataset, weights, report, serving: null, licences: [] })).id
}

it('reads what each arm said of each case from the package, in the order of the task', async () => {
  const task = await taskOf('labels', described, labelled(40), labelled(3, 70))
  // The factory's exam has them the other way round, and lacks one.
  const exam = examOf(task.cases.slice(1).reverse())
  const labels = (...all: string[]): Said[] => all.map((label) => ({ label }))
  const arms = { tuned: labels('heart', 'heart', 'boat', 'bridge', 'heart'), base: labels('heart') }
  const read = await readBuild(store, await packageOf(exam, 'label', arms), { task, exam })
  expect(read).toMatchObject({
    ...{ base: hashText('base'), what: { tuned: 'the model as served' }, figures: { examined: 5, latencyMs: 12 } },
    // An arm that did not speak of every case is no arm.
    said: { tuned: '- 1 0 - 1 1' },
  })
  expect(Object.keys((read as { said: object }).said)).toEqual(['tuned'])
  const another = examOf([...task.cases, { ...task.cases[0]!, input: 'a text that is not of the task' }])
  const all = another.cases.map(() => ({ label: 'heart' }))
  const other = await readBuild(store, await packageOf(another, 'label', { tuned: all }), { task, exam: another })
  expect(isRefusal(other) && other.code).toBe('other_cases')
})

it('scores found things by type and place, and answers by what they quote; refusing is worth nothing', async () => {
  const finding = { sentence: 'Find the parts.', kind: 'extract', metric: 'entity-F1', inputs: ['text'], target: 'tags' }
  const tagged = [
    { text: 'a valve here', tags: ['O', 'B-Part', 'O'] },
    { text: 'no part here', tags: ['O', 'O', 'O'] },
  ]
  const found = await taskOf('found', finding, tagged, tagged)
  const right = { type: 'Part', start: 2, end: 7, probability: 0.9 }
  const foundExam = examOf(found.cases)
  const findings: Said[] = [{ entities: [right, { ...right, end: 6 }] }, { entities: [] }]
  expect(await readBuild(store, await packageOf(foundExam, 'entities', { tuned: findings }), { task: found, exam: foundExam })).toMatchObject({
    said: { tuned: '1/2/1 0/0/0' },
  })

  const asking = { sentence: 'Answer.', kind: 'answer', metric: 'token-F1', inputs: ['question'], target: 'answer' }
  const [first, second] = ['The valve opens when the ventricle contracts.', 'The pulse is felt at the wrist with two fingers.']
  const questions = [
    { question: 'When does the valve open?', answer: first },
    { question: 'Where is the pulse felt?', answer: second },
    { question: 'Why is that?', answer: first },
  ]
  const asked = await taskOf('asked', asking, questions, questions)
  const passage = (sentence: string): Passage => ({ id: hashText(sentence), title: '', heading: '', sentences: [sentence], source: { file: 'a.md' } })
  const exam = examOf(asked.cases)
  const said: Said[] = [{ quotes: [first] }, { quotes: [first] }, { quotes: null }]
  const id = await packageOf(exam, 'answer', { tuned: said }, [passage(first), passage(second)])
  const read = await readBuild(store, id, { task: asked, exam })
  if (isRefusal(read)) throw new Error(read.message)
  expect(read.said.tuned).toMatch(/^1 0\.\d+ -$/)
  expect(read.figures).toMatchObject({ citations: 2, citationsRight: 0.5 })
  expect(read.figures.coverage).toBeCloseTo(2 / 3, 12)
})

it('counts what was typed and touched from what the command was given', () => {
  const flags = ['--files', 'x', '--exam', 'y', '--minutes', '5', '--recipe', '{"seed":2}', '--data', 'z', '--yes', '--json']
  expect(effortOf('Tell me which  kind of clause this is.', flags)).toEqual({ words: 8, settings: ['--exam', '--minutes', '--recipe'], linesOfCode: 0 })
})

it('keeps what the command refuses as the outcome, with the reason', { timeout: 120_000 }, async () => {
  const task = await taskOf('small', described, labelled(40), labelled(4, 70))
  const cell = await vibeCell(task, { seed: 1, budgetMinutes: 0.4 })
  expect(cell).toMatchObject({ refused: { code: 'too_few_examples', message: expect.stringContaining('There are 8 exam cases') }, package: null, said: {} })
  expect(cell.effort).toEqual({ words: 12, settings: ['--exam', '--minutes'], linesOfCode: 0 })
})
