import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isRefusal } from '../../src/core/errors.ts'
import { languageOf } from '../../src/drivers/planner/languages.ts'
import { offlinePlanner } from '../../src/drivers/planner/offline.ts'
import { anyFiles } from '../../src/drivers/reader/any-files.ts'
import type { Content } from '../../src/ports/reader.ts'
import { collect } from '../../src/steps/collect.ts'
import { plan } from '../../src/steps/describe.ts'
import { described, labelled, type Rows, taskFolder, texts } from './folders.suite.ts'
import { readTask, type Task, taskNames } from './task.ts'

const repository = fileURLToPath(new URL('../tasks', import.meta.url))
let tasks: ReturnType<typeof taskFolder>
beforeAll(() => {
  tasks = taskFolder()
})
afterAll(() => tasks.remove())

async function read(name: string): Promise<Task> {
  const task = await readTask(tasks.root, name)
  if (isRefusal(task)) throw new Error(task.message)
  return task
}
const codeOf = async (name: string) => {
  const task = await readTask(tasks.root, name)
  return isRefusal(task) ? task.code : `not refused; flags ${task.flags.map(({ code }) => code).join(', ')}`
}
const codes = (task: Task) => task.flags.map(({ code }) => code)

/** Ids of the exam the factory makes of a task's files, given the way the vibe arm gives them. */
async function factoryExam(task: Task): Promise<string[]> {
  const encoder = new TextEncoder()
  const contents: Content[] = []
  for (const { name, text } of [...task.files, { ...task.exam, name: `exam/${task.exam.name}` }]) {
    const found = await anyFiles().read({ name, bytes: encoder.encode(text) })
    if (isRefusal(found)) throw new Error(found.message)
    contents.push(...found)
  }
  const spec = await plan({ planner: offlinePlanner() }, task.description.sentence, contents)
  if (isRefusal(spec)) throw new Error(spec.message)
  const collected = collect(spec, contents, { exam: [`exam/${task.exam.name}`], languageOf })
  if (isRefusal(collected)) throw new Error(collected.message)
  return collected.exam.cases.map(({ id }) => id)
}

it('reads every task of the repository from its task.json, and nothing is inferred', async () => {
  const names = taskNames(repository)
  expect(names).toHaveLength(8)
  for (const name of names) {
    const task = await readTask(repository, name)
    if (isRefusal(task)) throw new Error(`${name}: ${task.message}`)
    expect(task, name).toMatchObject({ from: 'task.json', inferred: [] })
    expect(task.published, name).toBeTruthy()
    expect(task.labels.length, name).toBeGreaterThan(1)
  }
})

it.each(['topic_sib200_swh', 'medqa_pubmedqa'])('of %s has the very cases that the factory examines', async (name) => {
  const task = await readTask(repository, name)
  if (isRefusal(task)) throw new Error(task.message)
  expect(await factoryExam(task)).toEqual(task.cases.map(({ id }) => id))
})

it('has the cases of the factory where things are found and where questions are answered', async () => {
  const tagged = (count: number, from: number): Rows =>
    texts('heart', count, from).map((text) => ({ text, tags: text.split(' ').map((word) => (/valve|artery|stent/.test(word) ? 'B-Part' : 'O')) }))
  const finding = { sentence: 'Find the parts of the heart in these notes.', kind: 'extract', metric: 'entity-F1', inputs: ['text'], target: 'tags' }
  tasks.write('finding', { 'task.json': JSON.stringify(finding), 'train.jsonl.gz': tagged(60, 0), 'test.jsonl.gz': tagged(20, 100) })
  const found = await read('finding')
  expect(found.cases.some(({ entities }) => entities!.length)).toBe(true)
  expect(await factoryExam(found)).toEqual(found.cases.map(({ id }) => id))

  const asked = (count: number, from: number): Rows =>
    texts('bridge', count, from).map((context, index) => ({ question: `Where is number ${from + index}?`, context, answer: context.split(', ')[0] }))
  const asking = { sentence: 'Answer questions from our material.', kind: 'answer', metric: 'token-F1', inputs: ['question'], target: 'answer' }
  tasks.write('asking', { 'task.json': JSON.stringify(asking), 'train.jsonl': asked(60, 0), 'test.jsonl': asked(20, 100) })
  const answered = await read('asking')
  expect(await factoryExam(answered)).toEqual(answered.cases.map(({ id }) => id))
})

it('infers what nobody wrote down, and says what', async () => {
  tasks.write('unknown', {
    'README.md': '# unknown\n- Metric: weighted F1, accuracy\n- Published figures: [recalled] somebody 71.3\n',
    ...{ 'train.jsonl.gz': labelled(40), 'validation.jsonl.gz': labelled(10, 50), 'test.jsonl.gz': labelled(20, 70) },
  })
  const task = await read('unknown')
  expect(task).toMatchObject({ from: 'inferred', labels: ['bridge', 'heart'], published: '[recalled] somebody 71.3' })
  expect(task.description).toEqual({
    ...{ sentence: 'Tell me which kind of text this is: bridge, heart.', kind: 'classify', metric: 'weighted-F1', inputs: ['text'], target: 'label' },
  })
  expect(task.inferred.join('; ')).toMatch(/metric weighted-F1: from the README.*kind classify, input text, target label.*the sentence/)

  tasks.write('table', { 'train.csv': csv(labelled(40), 'Note', 'What'), 'test.csv': csv(labelled(20, 70), 'Note', 'What') })
  expect((await read('table')).description).toMatchObject({ kind: 'classify', metric: 'macro-F1', inputs: ['Note'], target: 'What' })

  const yes = (count: number, from: number): Rows =>
    texts('heart', count, from).map((context, index) => ({ question: `Is number ${index} right?`, context, answer: index % 3 ? 'yes' : 'no' }))
  tasks.write('polar', { 'train.jsonl': yes(60, 0), 'test.jsonl': yes(20, 80) })
  expect((await read('polar')).description).toMatchObject({ kind: 'classify', inputs: ['question', 'context'], target: 'answer' })

  tasks.write('plain', { 'train.jsonl': texts('heart', 20).map((a) => ({ a })), 'test.jsonl': texts('heart', 20).map((a) => ({ a })) })
  expect(await codeOf('plain')).toBe('task_not_understood')
})

it('takes the sentences of the tasks it knows by name, and their pages from the repository', async () => {
  const page = 'Angina is chest pain or discomfort that occurs if an area of your heart muscle does not get enough oxygen-rich blood.'
  const train = texts('heart', 30).map((answer, index) => ({ question: `What is ${index}?`, answer }))
  tasks.write('medqa_heart', {
    'train.jsonl.gz': train,
    'test.jsonl.gz': [...train.slice(0, 3), { question: 'What is Angina?', answer: page }, { question: 'And angina?', answer: page }],
  })
  const task = await read('medqa_heart')
  expect(task).toMatchObject({ from: 'known', description: { kind: 'answer', documents: 'examples/cardiology/files/pages' } })
  expect(task.files.some(({ name }) => name === 'pages/Angina.md')).toBe(true)
  // What is written beside the data of the repository holds for a copy of it elsewhere.
  tasks.write('intent_banking77', { 'train.jsonl': labelled(40), 'test.jsonl': labelled(20, 70) })
  expect(await read('intent_banking77')).toMatchObject({
    from: 'known',
    description: { sentence: 'Tell me what this bank customer wants.', metric: 'accuracy' },
  })
  // The other three are not held by any page.
  expect(task.cases.map(({ input }) => input)).toEqual(['What is Angina?', 'And angina?'])
  expect(codes(task)).toContain('not_answerable')
  expect(task.exam.text.trim().split('\n')).toHaveLength(2)
})

it('refuses, by name, what cannot be an exam', async () => {
  const whole = { 'task.json': JSON.stringify(described), 'train.jsonl': labelled(40) }
  const with_ = (name: string, test: Rows, more: Record<string, string | Rows> = {}) => {
    tasks.write(name, { ...whole, 'test.jsonl': test, ...more })
    return codeOf(name)
  }
  expect(await with_('one-class', labelled(20, 60).slice(0, 20))).toBe('exam_one_class')
  expect(await with_('one-case', labelled(1, 60).slice(0, 1))).toBe('exam_one_case')
  expect(
    await with_(
      'empty',
      labelled(20, 60).map(({ text }) => ({ text, label: ' ' })),
    ),
  ).toBe('exam_references_empty')
  const both = texts('heart', 20, 60).flatMap((text) => [
    { text, label: 'bridge' },
    { text, label: 'heart' },
  ])
  expect(await with_('contradictory', both)).toBe('exam_contradicts_itself')
  expect(
    await with_(
      'columns',
      labelled(20, 60).map(({ text }) => ({ text, kind: 'heart' })),
    ),
  ).toBe('task_column_missing')
  expect(await with_('bad-description', labelled(20, 60), { 'task.json': '{"sentence": "Tell."}' })).toBe('task_description_invalid')
  expect(await with_('no-description', labelled(20, 60), { 'task.json': 'no JSON' })).toBe('task_description_unreadable')
  expect(await with_('no-label', labelled(20, 60), { 'task.json': JSON.stringify({ ...described, metric: 'F1 of boat' }) })).toBe('metric_label_missing')
  expect(await with_('no-pages', labelled(20, 60), { 'task.json': JSON.stringify({ ...described, documents: 'pages' }) })).toBe('task_documents_missing')
  tasks.write('no-rows', { ...whole, 'test.jsonl': 'not JSON\n' })
  expect(await codeOf('no-rows')).toBe('json_unreadable')
  tasks.write('no-test', whole)
  expect(await codeOf('no-test')).toBe('task_part_missing')
})

it('flags, by name and with numbers, what is merely odd', async () => {
  const odd: Rows = [
    ...labelled(6, 60),
    { text: 'Der Träger hat einen Riss.', label: '' },
    { text: 'This could be either of the two.', label: 'bridge' },
    { text: 'This could be either of the two!', label: 'heart' },
    { text: 'Сердце бьётся ровно и тихо.', label: 'heart' },
    { text: 'A boat on the water.', label: 'boat' },
    ...labelled(1).slice(0, 1),
    ...labelled(6, 60).slice(0, 2),
  ]
  tasks.write('odd', { 'task.json': JSON.stringify(described), 'train.jsonl': labelled(40), 'test.jsonl': odd })
  const task = await read('odd')
  expect(codes(task)).toEqual([
    'references_empty',
    'exam_repeats',
    'exam_small',
    'no_validation',
    'contradictory_references',
    'exam_seen',
    'exam_unknown_kind',
    'exam_other_script',
  ])
  const text = (code: string) => task.flags.find((flag) => flag.code === code)!.text
  expect(text('contradictory_references')).toMatch(/^2 of 17 exam cases /)
  expect(text('exam_other_script')).toContain('(Cyrillic)')
  expect(text('exam_repeats')).toMatch(/^2 of 20 exam rows /)
  tasks.write('fine', {
    'task.json': JSON.stringify(described),
    'train.jsonl': labelled(40),
    'validation.jsonl': labelled(10, 50),
    'test.jsonl': labelled(20, 70),
  })
  expect((await read('fine')).flags).toEqual([])
})

it('gives other data another id', async () => {
  const id = async (sentence: string, each: number) => {
    tasks.write('changing', { 'task.json': JSON.stringify({ ...described, sentence }), 'train.jsonl': labelled(each), 'test.jsonl': labelled(20, 70) })
    return (await read('changing')).dataId
  }
  const first = await id('Tell me which.', 40)
  expect(await id('Tell me which.', 40)).toBe(first)
  expect(await id('Tell me what.', 40)).not.toBe(first)
  expect(await id('Tell me which.', 41)).not.toBe(first)
})

const csv = (rows: Rows, text: string, label: string): string => `${text},${label}\n${rows.map((row) => `"${row.text}",${row.label}`).join('\n')}\n`
