import { readdirSync, readFileSync } from 'node:fs'
import { expect, it, describe as suite } from 'vitest'
import { datasetId, duplicateKey, type Example, examId } from '../core/dataset.ts'
import { isRefusal, type Refusal } from '../core/errors.ts'
import { offlinePlanner } from '../drivers/planner/offline.ts'
import { textFiles } from '../drivers/reader/text-files.ts'
import { miniSearchRetriever } from '../drivers/retriever/minisearch.ts'
import type { Content } from '../ports/reader.ts'
import { type Collected, collect } from './collect.ts'
import { describe } from './describe.ts'
import { jaccard, shingles } from './likeness.ts'
import { chooseThreshold, quoter, score } from './quote.ts'

const table = (rows: Record<string, string>[], name = 'table.csv'): Content => ({
  kind: 'table',
  name,
  columns: [...new Set(rows.flatMap((row) => Object.keys(row)))],
  rows,
})
const colours = ['crimson', 'azure', 'amber', 'violet', 'teal', 'ochre', 'ivory', 'jade']
const things = ['kettle', 'bridge', 'harbour', 'violin', 'meadow', 'ledger', 'rocket', 'candle', 'ladder']
/** Sentences that are no near duplicates of each other. */
const sentence = (index: number): string =>
  `${colours[index % 8]} ${things[index % 9]} ${things[(index * 5 + 3) % 9]} number${index} stands ${colours[(index * 3) % 8]} beside item${index * 7}`
const labelled = (count: number, labels = ['good', 'bad']) =>
  Array.from({ length: count }, (_, index) => ({ text: sentence(index), label: labels[index % labels.length]! }))

async function run(words: string, contents: Content[], options?: { seed?: number }): Promise<Collected | Refusal> {
  const spec = await describe({ planner: offlinePlanner() }, words, contents)
  return isRefusal(spec) ? spec : collect(spec, contents, options)
}
async function collected(words: string, contents: Content[], options?: { seed?: number }): Promise<Collected> {
  const result = await run(words, contents, options)
  if (isRefusal(result)) throw new Error(result.message)
  return result
}
const classify = 'Tell me which kind of sentence this is.'

async function example(name: string): Promise<{ words: string; contents: Content[] }> {
  const folder = new URL(`../../examples/${name}/`, import.meta.url)
  const files = readdirSync(new URL('files/', folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes('.'))
    .sort()
  const contents = await Promise.all(files.map((path) => textFiles().read({ name: path, bytes: readFileSync(new URL(`files/${path}`, folder)) })))
  return { words: readFileSync(new URL('words.txt', folder), 'utf8'), contents: contents.flatMap((read): Content[] => (isRefusal(read) ? [] : read)) }
}

function expectNoLeak({ dataset, exam }: Collected): void {
  const learned = [...dataset.training, ...dataset.practice]
  const keys = new Set(exam.cases.map((item) => duplicateKey(item.input)))
  expect(learned.filter((item) => keys.has(duplicateKey(item.input)))).toEqual([])
  const held = exam.cases.map((item) => shingles(item.input))
  for (const item of learned) for (const other of held) expect(jaccard(shingles(item.input), other)).toBeLessThan(0.8)
  const groups = new Set(exam.cases.map((item) => item.group))
  expect(learned.filter((item) => groups.has(item.group))).toEqual([])
  expect(exam.cases.length).toBeGreaterThanOrEqual(15)
  expect(exam.cases.length).toBeLessThanOrEqual(200)
}
const share = (cases: readonly Example[], label: string): number => cases.filter((item) => item.label === label).length / cases.length

suite('kinds', () => {
  it('sets the exam aside first, in proportion, and is the same every time', async () => {
    const contents = [table(labelled(300, ['good', 'good', 'bad']))]
    const first = await collected(classify, contents)
    expect(first.exam.cases).toHaveLength(60)
    expect(share(first.exam.cases, 'bad')).toBeCloseTo(1 / 3, 1)
    expect(first.dataset.training.length + first.dataset.practice.length + first.exam.cases.length).toBe(300)
    expectNoLeak(first)
    const second = await collected(classify, contents)
    expect([examId(second.exam), datasetId(second.dataset)]).toEqual([examId(first.exam), datasetId(first.dataset)])
    expect(first.dataset.examId).toBe(examId(first.exam))
    expect(examId((await collected(classify, contents, { seed: 2 })).exam)).not.toBe(examId(first.exam))
  })

  it('lets no repeated or nearly repeated text into both sides', async () => {
    const rows = labelled(200)
    const long = (index: number) => `${sentence(index)} and it has always been so in every town that anybody here can remember from childhood`
    const near = Array.from({ length: 60 }, (_, index) => ({ text: long(index), label: 'good' }))
    const contradicting = near.map((row) => ({ text: `${row.text} indeed`, label: 'bad' }))
    const result = await collected(classify, [
      table([...rows, ...near, ...contradicting, ...rows.slice(0, 20).map((row) => ({ ...row, text: row.text.toUpperCase() }))]),
    ])
    expectNoLeak(result)
    expect(result.dataset.notes.join('\n')).toMatch(/20 repeated/)
  })

  it('notes contradictions and takes the label most rows give', async () => {
    const said = 'the very same sentence said of a thing'
    const rows = [...labelled(100), { text: said, label: 'good' }, { text: said, label: 'good' }, { text: said, label: 'bad' }]
    const { dataset, exam } = await collected(classify, [table(rows)])
    expect(dataset.notes.join('\n')).toMatch(/1 texts appear with different answers or labels[\s\S]*the very same/)
    expect([...dataset.training, ...dataset.practice, ...exam.cases].filter((item) => item.input === said).map((item) => item.label)).toEqual(['good'])
  })

  it('keeps the rows of one document on one side', async () => {
    const rows = labelled(400).map((row, index) => ({ ...row, document: `d${index % 40}` }))
    const result = await collected(classify, [table(rows)])
    expectNoLeak(result)
    expect(new Set(result.exam.cases.map((item) => item.group)).size).toBeGreaterThan(3)
  })

  it.each([
    ['too few rows', labelled(20), 'too_few_examples', '20'],
    ['one row', [{ text: 'a sentence of some length', label: 'good' }], 'columns_missing', 'text, label'],
    ['a label with one example', [...labelled(100), { text: 'a lonely sentence that is here', label: 'strange' }], 'label_with_one_example', '"strange"'],
    ['one label only', labelled(100, ['good']).map((row) => ({ ...row, label: 'good' })), 'columns_missing', 'label'],
    ['no label column', labelled(100).map((row) => ({ words: row.text })), 'columns_missing', 'words'],
  ])('refuses %s', async (_, rows, code, named) => {
    const refusal = await run(classify, [table(rows)])
    expect(isRefusal(refusal) ? refusal.code : 'accepted').toBe(code)
    expect(isRefusal(refusal) && refusal.message).toContain(named)
  })

  it('refuses no files and an empty description', async () => {
    expect(await run(classify, [])).toMatchObject({ code: 'no_files' })
    expect(await run('  ', [table(labelled(100))])).toMatchObject({ code: 'empty_description' })
  })
})

suite('the examples', () => {
  it('cardiology: passages with sources, questions kept by page, quotes and abstains', async () => {
    const { words, contents } = await example('cardiology')
    const result = await collected(words, contents)
    const { dataset, exam } = result
    const topics = new Set(dataset.training.map((item) => item.group))
    expect(exam.cases.filter((item) => topics.has(item.group))).toEqual([])
    expect(exam.cases.filter((item) => item.answer === null).length).toBeGreaterThan(10)
    expect(dataset.passages.length).toBeGreaterThan(500)
    for (const passage of dataset.passages) {
      expect(passage.sentences.length).toBeLessThanOrEqual(5)
      expect(passage.title && passage.heading && passage.source.url?.startsWith('http')).toBeTruthy()
    }
    const quote = quoter({ retriever: miniSearchRetriever() }, dataset.passages, 'en')
    const threshold = chooseThreshold(quote, dataset.practice)
    const right = exam.cases.filter((item) => quote.answer(item.input, threshold).abstained === (item.answer === null)).length
    expect(right / exam.cases.length).toBeGreaterThan(0.85)
    const answer = quote.answer('What causes Angina?', threshold)
    expect(answer.citations[0]).toMatchObject({ title: 'Angina', file: 'pages/Angina.md' })
    expect(answer.text).toContain(answer.citations[0]!.quote)
    expect(score(quote.answer('zebra quagga okapi', threshold), { ...exam.cases[0]!, answer: null })).toBe(1)
  })

  it.each(['contracts', 'swahili'])('%s: every label is learned and examined apart', async (name) => {
    const { words, contents } = await example(name)
    const result = await collected(words, contents)
    const labels = new Set([...result.dataset.training, ...result.exam.cases].map((item) => item.label))
    for (const label of labels) expect(result.dataset.training.filter((item) => item.label === label).length).toBeGreaterThanOrEqual(5)
    const groups = new Set(result.exam.cases.map((item) => item.group))
    expect(result.dataset.training.filter((item) => groups.has(item.group))).toEqual([])
    expect(new Set(result.exam.cases.map((item) => item.label)).size).toBeGreaterThanOrEqual(labels.size * 0.9)
  })
})
