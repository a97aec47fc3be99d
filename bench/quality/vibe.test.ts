import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Dataset, Passage } from '../../src/core/dataset.ts'
import { isRefusal } from '../../src/core/errors.ts'
import { canonical, hashText, type Id } from '../../src/core/id.ts'
import { chooseRecipe } from '../../src/core/recipe.ts'
import { Spec } from '../../src/core/spec.ts'
import { Weights } from '../../src/core/weights.ts'
import { folderStore } from '../../src/drivers/store/folder.ts'
import type { Store } from '../../src/ports/store.ts'
import { pack } from '../../src/steps/pack.ts'
import { described, labelled, type Rows, taskFolder } from './folders.suite.ts'
import { readTask, type Task } from './task.ts'
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

/** A package as a build leaves it, with these predictions of these cases. */
async function packageOf(cases: readonly string[], arms: Record<string, unknown[]>, passages: Passage[] = []): Promise<Id> {
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
  const report = {
    ...{ weightsId: nothing, examId: nothing, n: cases.length, metric: 'macro-F1', latencyMs: 12, predictions: await put({ cases, arms }) },
    arms: [{ name: 'tuned' as const, what: 'the model as served', score: 0, interval: [0, 0] as [number, number], figures: {} }],
  }
  return (await pack({ store }, { name: 'task', spec, dataset, weights, report, serving: null, licences: [] })).id
}

it('reads what each arm said of each case from the package, in the order of the task', async () => {
  const task = await taskOf('labels', described, labelled(40), labelled(3, 70))
  const ids = task.cases.map(({ id }) => id)
  // The factory's exam has them the other way round, and lacks one.
  const examined = ids.slice(1).reverse()
  const read = await readBuild(store, await packageOf(examined, { tuned: ['heart', 'heart', 'boat', 'bridge', 'heart'], base: ['heart'] }), task)
  expect(read).toMatchObject({
    ...{ base: hashText('base'), what: { tuned: 'the model as served' }, figures: { examined: 5, latencyMs: 12 } },
    // An arm that did not speak of every case is no arm.
    said: { tuned: '- 1 0 - 1 1' },
  })
  expect(Object.keys((read as { said: object }).said)).toEqual(['tuned'])
  const other = await readBuild(store, await packageOf([...ids, hashText('another')], { tuned: [...ids.map(() => 'heart'), 'heart'] }), task)
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
  const foundIds = found.cases.map(({ id }) => id)
  expect(await readBuild(store, await packageOf(foundIds, { tuned: [[right, { ...right, end: 6 }], []] }), found)).toMatchObject({
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
  const said = {
    tuned: [
      { quoted: first, right: 1, quotes: 1 },
      { quoted: first, right: 0, quotes: 1 },
      { quoted: null, right: 0, quotes: 0 },
    ],
  }
  const id = await packageOf(
    asked.cases.map((one) => one.id),
    said,
    [passage(first), passage(second)],
  )
  const read = await readBuild(store, id, asked)
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
