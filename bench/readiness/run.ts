/**
 * npm run bench:readiness -- --tasks FOLDER [--only NAMES] [--json OUT]: what the readiness meter says of a part of each task's examples, beside
 * what then happens with more: the same stand-in fitted on as many more as it spoke of, and scored on the task's own test set, which the
 * meter never saw. Prints both scores, the error of each, and how often the 80 % interval held what happened. No language model is trained.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { type Example, exampleOf } from '../../src/core/dataset.ts'
import { accuracy, random } from '../../src/core/report.ts'
import { Spec } from '../../src/core/spec.ts'
import { ngramSvm } from '../../src/drivers/baseline/ngram-svm.ts'
import { wordTagger } from '../../src/drivers/baseline/word-tagger.ts'
import { miniSearchRetriever } from '../../src/drivers/retriever/minisearch.ts'
import { readiness } from '../../src/steps/readiness.ts'

/** Examples handed over, as people have them; three draws of each. */
const SIZES = [120, 300, 700]
const DRAWS = 3
const PRACTICE = 0.15
/** Test texts scored, so that a large test set does not take an hour. */
const TEST = 1000

const { values } = parseArgs({ options: { tasks: { type: 'string' }, only: { type: 'string' }, json: { type: 'string' } } })
if (!values.tasks) {
  console.error('No folder of tasks was named: add --tasks FOLDER, with train.jsonl.gz and test.jsonl.gz under each task.')
  process.exit(2)
}

const read = (path: string): { text: string; label: string }[] =>
  gunzipSync(readFileSync(path))
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      if (!line.trim()) return []
      const { text, label } = JSON.parse(line) as { text?: unknown; label?: unknown }
      return typeof text === 'string' && typeof label === 'string' && text.trim() ? [{ text, label }] : []
    })

const baseline = ngramSvm()
type Row = {
  task: string
  size: number
  more: number
  now: number
  nowInterval: number[]
  nowThen: number
  next: number
  nextInterval: number[]
  nextThen: number
}
const rows: Row[] = []
for (const task of readdirSync(values.tasks).sort()) {
  const folder = join(values.tasks, task)
  if (!statSync(folder).isDirectory() || (values.only && !values.only.split(',').includes(task))) continue
  let train: { text: string; label: string }[]
  let test: { text: string; label: string }[]
  try {
    train = read(join(folder, 'train.jsonl.gz'))
    test = shuffled(read(join(folder, 'test.jsonl.gz')), 5).slice(0, TEST)
  } catch {
    continue
  }
  const labels = [...new Set(train.map(({ label }) => label))]
  if (labels.length < 2 || labels.length > 40) continue
  for (const size of SIZES)
    for (let draw = 1; draw <= DRAWS; draw++) {
      const order = shuffled(train, draw)
      const held = Math.round(size * PRACTICE)
      const examples = order.map(({ text, label }, row): Example => exampleOf({ input: text, label }, { file: task, row: row + 1 }, undefined))
      if (order.length < size * 1.4) continue
      const practice = examples.slice(0, held)
      const training = examples.slice(held, size)
      const spec = Spec.parse({
        ...{ words: task, slug: 'task', task: 'classify', language: ['en'], outputLanguage: [], domain: null, labels, multiLabel: false, fields: null },
        ...{ mustCite: null, refuseOutsideScope: null, tone: null, audience: null, pricePerQuery: null, maxLatencyMs: null, privacy: null },
        ...{ files: [], clarify: [], assumptions: [] },
      })
      const dataset = { specId: examples[0]!.id, examId: examples[0]!.id, training, practice, passages: [], notes: [] }
      const said = await readiness({ baseline, tagger: wordTagger(), retriever: miniSearchRetriever() }, { spec, dataset, seconds: 150 })
      const then = async (count: number): Promise<number> => {
        const learned = examples.slice(held, held + count)
        const fitted = await baseline.fit({
          training: learned.map((one) => ({ input: one.input, label: one.label! })),
          practice: practice.map((one) => ({ input: one.input, label: one.label! })),
        })
        return accuracy(
          fitted.predict(test.map(({ text }) => text)),
          test.map(({ label }) => label),
        )
      }
      const more = Math.min(said.next!.more, examples.length - size)
      rows.push({
        ...{ task, size, more, now: said.now.score, nowInterval: said.now.interval, nowThen: await then(training.length) },
        ...{ next: said.next!.score, nextInterval: said.next!.interval, nextThen: await then(training.length + more) },
      })
      const row = rows.at(-1)!
      console.log(
        `${task.padEnd(30)} ${String(size).padStart(5)} examples: said ${percent(row.now)}, is ${percent(row.nowThen)}; with ${more} more said ${percent(row.next)}, is ${percent(row.nextThen)}`,
      )
    }
}
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0) / Math.max(1, numbers.length)
const within = (value: number, [low, high]: readonly number[]): boolean => value >= low! && value <= high!
console.log(`
${rows.length} runs on ${new Set(rows.map(({ task }) => task)).size} tasks; the stand-in in the model's place: ${baseline.what}
now:        mean error ${percent(mean(rows.map((row) => row.now - row.nowThen)))}, mean absolute error ${percent(mean(rows.map((row) => Math.abs(row.now - row.nowThen))))}, inside the 80 % interval ${percent(mean(rows.map((row) => Number(within(row.nowThen, row.nowInterval)))))}
with more:  mean error ${percent(mean(rows.map((row) => row.next - row.nextThen)))}, mean absolute error ${percent(mean(rows.map((row) => Math.abs(row.next - row.nextThen))))}, inside the 80 % interval ${percent(mean(rows.map((row) => Number(within(row.nextThen, row.nextInterval)))))}
the gain:   said ${percent(mean(rows.map((row) => row.next - row.now)))}, was ${percent(mean(rows.map((row) => row.nextThen - row.nowThen)))}, mean absolute error ${percent(mean(rows.map((row) => Math.abs(row.next - row.now - (row.nextThen - row.nowThen)))))}`)
if (values.json) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)

function percent(value: number): string {
  return (100 * value).toFixed(1)
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const next = random(seed)
  return items
    .map((item) => ({ item, place: next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
