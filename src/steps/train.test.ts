/** The training step with fakes: what it does about memory, and what it keeps with the weights. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { AnswerPart } from '../core/answer.ts'
import type { Correction } from '../core/corrections.ts'
import { isRefusal } from '../core/errors.ts'
import { hashText } from '../core/id.ts'
import { Weights } from '../core/weights.ts'
import { ngramSvm } from '../drivers/baseline/ngram-svm.ts'
import { wordTagger } from '../drivers/baseline/word-tagger.ts'
import { offlinePlanner } from '../drivers/planner/offline.ts'
import { miniSearchRetriever } from '../drivers/retriever/minisearch.ts'
import { fakeRuntime } from '../drivers/runtime/fake.ts'
import { memoryStore } from '../drivers/store/memory.ts'
import { createFakeTrainer } from '../drivers/trainer/fake.ts'
import type { Trainer, TrainingJob } from '../ports/trainer.ts'
import { answer } from './answer.ts'
import { collect } from './collect.ts'
import { describe } from './describe.ts'
import { examine } from './examine.ts'
import { type TrainOptions, train } from './train.ts'

const root = mkdtempSync(join(tmpdir(), 'train-'))
const basePath = join(root, 'base.gguf')
writeFileSync(basePath, 'a base')
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Two kinds of texts of about 200 tokens each. */
const rows = Array.from({ length: 60 }, (_, index) => ({
  text: Array.from({ length: 190 }, (_, word) => `${index % 2 ? 'rain' : 'sun'}${(index * 37 + word * (index + 3)) % 997}`).join(' '),
  label: index % 2 ? 'wet' : 'dry',
}))

async function run(change: Partial<TrainOptions>, corrections: readonly Correction[] = []) {
  const contents = [{ kind: 'table' as const, name: 'table.csv', columns: ['text', 'label'], rows }]
  const spec = await describe({ planner: offlinePlanner() }, 'Tell me which kind of text this is.', contents)
  if (isRefusal(spec)) throw new Error(spec.message)
  const collected = collect(spec, contents, { corrections })
  if (isRefusal(collected)) throw new Error(collected.message)
  const jobs: TrainingJob[] = []
  const notes: string[] = []
  const fake = createFakeTrainer()
  const trainer: Trainer = {
    ...fake,
    fit(job, options) {
      jobs.push(job)
      return fake.fit(job, options)
    },
  }
  const outcome = await train(
    { trainer, runtime: fakeRuntime(), retriever: miniSearchRetriever(), classical: ngramSvm(), tagger: wordTagger(), store: memoryStore() },
    {
      ...{ spec, dataset: collected.dataset, base: { name: 'base', sha256: hashText('a base'), licence: '' }, basePath, folder: join(root, 'run') },
      ...{ threads: 1, maximumSeconds: 20, machine: { availableBytes: () => 8e9, rate: async () => 1e12 }, now: () => 0 },
      onNote: (text) => notes.push(text),
      ...change,
    },
  )
  return { outcome, jobs, notes }
}

it('goes on from weights of nearly the same examples: a few steps, mostly of what the expert wrote, and their label is kept by hand', async () => {
  const first = await run({})
  if (isRefusal(first.outcome)) throw new Error(first.outcome.message)
  const { weights } = first.outcome
  const corrections = [{ kind: 'add' as const, input: 'a text that the expert wrote about rain in the hills', outcome: { label: 'dry' } }]
  const from = { weights, path: join(root, 'run', 'adapter.gguf') }
  const { outcome, jobs, notes } = await run({ from, folder: join(root, 'further') }, corrections)
  if (isRefusal(outcome)) throw new Error(outcome.message)
  // Nothing is timed or searched for: its settings are known.
  expect(jobs).toHaveLength(1)
  expect(jobs[0]).toMatchObject({ from: from.path, recipe: { learningRate: weights.recipe.learningRate / 10, rank: weights.recipe.rank } })
  expect(jobs[0]!.recipe.steps).toBeLessThanOrEqual(20)
  expect(notes.join()).not.toContain('Searching')
  const seen = jobs[0]!.training.filter((prompt) => JSON.stringify(prompt).includes('expert') || JSON.stringify(prompt).includes('hills'))
  expect(seen.length).toBe(8)
  expect(outcome.weights).toMatchObject({
    from: weights.adapter,
    pinned: [{ question: corrections[0]!.input, answer: 'dry' }],
    bestStep: jobs[0]!.recipe.steps,
  })
  expect(Weights.parse(outcome.weights).from).toBe(weights.adapter)
})

it('begins at the base where the weights to go on from are of another base or other labels', async () => {
  const first = await run({})
  if (isRefusal(first.outcome)) throw new Error(first.outcome.message)
  const { weights } = first.outcome
  for (const [name, other] of Object.entries({
    base: { ...weights, base: { ...weights.base, sha256: hashText('another base') } },
    labels: { ...weights, labelTokens: [...weights.labelTokens, 'one more'] },
  })) {
    const { outcome, jobs } = await run({ from: { weights: other, path: '/nowhere' }, folder: join(root, `not further ${name}`) })
    if (isRefusal(outcome)) throw new Error(outcome.message)
    expect(jobs.at(-1)!.from).toBeUndefined()
    expect(outcome.weights.from).toBeUndefined()
  }
})

it('learns what stands in texts: tags of words, with as much say for the tagger as practice gives it, examined by whole entities', async () => {
  const drugs = ['aspirin', 'warfarin', 'heparin', 'digoxin', 'sotalol']
  const notes = Array.from({ length: 90 }, (_, index) => ({
    text: `Patient ${index} of ward ${index % 7} takes ${drugs[index % 5]} number${index * 3} against gout since day ${index * 11}`,
    drug: drugs[index % 5]!,
  }))
  const contents = [{ kind: 'table' as const, name: 'notes.csv', columns: ['text', 'drug'], rows: notes }]
  const planned = await describe({ planner: offlinePlanner() }, 'Extract the drug from each note.', contents, [
    { role: 'text', column: 'text' },
    { role: 'values', column: 'drug' },
  ])
  if (isRefusal(planned)) throw new Error(planned.message)
  expect(planned).toMatchObject({ task: 'extract', fields: ['drug'] })
  const collected = collect(planned, contents)
  if (isRefusal(collected)) throw new Error(collected.message)
  const { spec, dataset, exam } = { spec: planned, ...collected }
  const ports = {
    ...{
      trainer: createFakeTrainer(),
      runtime: fakeRuntime(),
      retriever: miniSearchRetriever(),
      baseline: ngramSvm(),
      classical: ngramSvm(),
      tagger: wordTagger(),
      store: memoryStore(),
    },
  }
  const trained = await train(ports, {
    ...{ spec, dataset, base: { name: 'base', sha256: hashText('a base'), licence: '' }, basePath, folder: join(root, 'words') },
    ...{ threads: 1, maximumSeconds: 20, machine: { availableBytes: () => 8e9, rate: async () => 1e12 }, now: () => 0 },
  })
  if (isRefusal(trained)) throw new Error(trained.message)
  const { weights } = trained
  expect(weights.labelTokens).toHaveLength(3)
  // The fake's probabilities are noise, so practice gives the tagger all the say.
  expect(weights.expert).toMatchObject({ share: 1, what: ports.tagger.what })
  const report = await examine(ports, { spec, dataset, exam, weights, basePath, now: () => 0 })
  if (isRefusal(report)) throw new Error(report.message)
  const score = (name: string) => report.arms.find((arm) => arm.name === name)!.score
  expect(report).toMatchObject({ metric: 'entity-F1, exact', n: exam.cases.length })
  expect(score('tuned')).toBeGreaterThan(0.95)
  expect(score('baseline')).toBeGreaterThan(0.95)
  expect(Math.max(score('base'), score('neural'))).toBeLessThan(0.5)
  const scorer = await ports.runtime.open({ base: basePath, adapter: null, labelTokens: weights.labelTokens })
  const vocabulary = await ports.runtime.vocabulary(basePath)
  if (isRefusal(scorer) || isRefusal(vocabulary)) throw new Error('The fake runtime does not open.')
  const tagger = { settings: weights.expert!, tagger: ports.tagger.load(await ports.store.get(weights.expert!.file)) }
  const said: AnswerPart[] = []
  const served = { spec, threshold: null, vocabulary, scorer, index: null, match: null, expert: null, tagger }
  for await (const part of answer(served, 'Patient 7 of ward 3 takes warfarin number9 against gout since day 4')) said.push(part)
  expect(said[0]).toEqual({ delta: '{"drug":["warfarin"]}' })
  expect(said[1]).toMatchObject({ answer: { entities: [{ type: 'drug', text: 'warfarin' }], abstained: false } })
})

it('learns several kinds of one text: each asked for itself, n-grams with a say, a threshold from practice', async () => {
  const kinds = ['heart', 'lung', 'skin']
  const signs = ['palpitation murmur', 'cough wheeze', 'rash itch']
  const notes = Array.from({ length: 120 }, (_, index) => {
    const held = kinds.filter((_kind, place) => ((index % 7) + 1) & (1 << place))
    return {
      text: `note ${index} of ward ${index % 9}: ${held.map((kind) => signs[kinds.indexOf(kind)]).join(' and ')} since day ${index * 3}`,
      organs: held.join('; '),
    }
  })
  const contents = [{ kind: 'table' as const, name: 'notes.csv', columns: ['text', 'organs'], rows: notes }]
  const spec = await describe({ planner: offlinePlanner() }, 'Tag each note with the organs it is about; several may apply.', contents, [
    { role: 'text', column: 'text' },
    { role: 'label', column: 'organs' },
  ])
  if (isRefusal(spec)) throw new Error(spec.message)
  expect(spec).toMatchObject({ task: 'classify', multiLabel: true })
  expect(spec.labels!.toSorted()).toEqual(kinds)
  const collected = collect(spec, contents)
  if (isRefusal(collected)) throw new Error(collected.message)
  const { dataset, exam } = collected
  expect(collected.findings.classes.map(({ label }) => label).sort()).toEqual(kinds)
  const ports = {
    ...{
      trainer: createFakeTrainer(),
      runtime: fakeRuntime(),
      retriever: miniSearchRetriever(),
      baseline: ngramSvm(),
      classical: ngramSvm(),
      tagger: wordTagger(),
      store: memoryStore(),
    },
  }
  const trained = await train(ports, {
    ...{ spec, dataset, base: { name: 'base', sha256: hashText('a base'), licence: '' }, basePath, folder: join(root, 'kinds') },
    ...{ threads: 1, maximumSeconds: 20, machine: { availableBytes: () => 8e9, rate: async () => 1e12 }, now: () => 0 },
  })
  if (isRefusal(trained)) throw new Error(trained.message)
  const { weights } = trained
  expect(weights.labelTokens).toHaveLength(2)
  expect(weights.expert!.share).toBeGreaterThan(0.8)
  const report = await examine(ports, { spec, dataset, exam, weights, basePath, now: () => 0 })
  if (isRefusal(report)) throw new Error(report.message)
  const score = (name: string) => report.arms.find((arm) => arm.name === name)!.score
  expect(report.metric).toBe('F1 of the kinds')
  expect(score('tuned')).toBeGreaterThan(0.9)
  expect(score('baseline')).toBeGreaterThan(0.9)
  expect(score('neural')).toBeLessThan(0.85)
  const scorer = await ports.runtime.open({ base: basePath, adapter: null, labelTokens: weights.labelTokens })
  const vocabulary = await ports.runtime.vocabulary(basePath)
  if (isRefusal(scorer) || isRefusal(vocabulary)) throw new Error('The fake runtime does not open.')
  const expert = { settings: weights.expert!, baseline: ports.baseline.load(await ports.store.get(weights.expert!.file)) }
  const served = { spec, threshold: weights.threshold, vocabulary, scorer, index: null, match: null, expert, tagger: null }
  const said: AnswerPart[] = []
  for await (const part of answer(served, 'note 500 of ward 2: cough wheeze and rash itch since day 9')) said.push(part)
  expect((said[1] as { answer: { labels: string[] } }).answer.labels.toSorted()).toEqual(['lung', 'skin'])
})

it('says before the training what it will take, and keeps it with the weights', async () => {
  const { outcome, jobs, notes } = await run({})
  if (isRefusal(outcome)) throw new Error(outcome.message)
  const weights = Weights.parse(outcome.weights)
  expect(weights.estimate).toMatchObject({ basis: 'rate', availableBytes: 8e9 })
  expect(weights.search).toBeNull()
  expect(weights.recipe).toEqual(jobs.at(-1)!.recipe)
  expect(notes).toHaveLength(1)
  expect(notes[0]).toMatch(/^Training will take about/)
})

it('reads shorter pieces when whole texts do not fit the memory, and refuses when nothing helps', async () => {
  // The fake holds 206 MB and 22 KB a token; 3.65 MB more than that are 166 tokens at a time.
  const tight = (206.3e6 + 3.65e6) / 0.9
  const { outcome, jobs, notes } = await run({ machine: { availableBytes: () => tight, rate: async () => 1e12 } })
  if (isRefusal(outcome)) throw new Error(outcome.message)
  expect(notes[0]).toMatch(/^Texts are read \d\d tokens at a time/)
  expect(outcome.weights.recipe.maximumTokens).toBeLessThan(110)
  // Nothing is lost: a text is more prompts of less weight.
  expect(jobs.at(-1)!.validation.length).toBeGreaterThan((await run({})).jobs.at(-1)!.validation.length)
  const refused = await run({ machine: { availableBytes: () => 100e6, rate: async () => 1e12 } })
  expect(refused.jobs).toEqual([])
  expect(isRefusal(refused.outcome) && refused.outcome.message).toMatch(/needs about 2\d\d MB of memory even .* and 100 MB are free\.$/)
})
