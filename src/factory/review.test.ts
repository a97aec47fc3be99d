/** Review through whole builds, with a fake trainer and runtime: what is listed, corrected and kept out, and that it holds through rebuilds. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isRefusal, type Refusal } from '../core/errors.ts'
import type { BuildView } from '../core/view.ts'
import { ngramSvm } from '../drivers/baseline/ngram-svm.ts'
import { wordTagger } from '../drivers/baseline/word-tagger.ts'
import { memoryChain } from '../drivers/chain/memory.ts'
import { openDatabase } from '../drivers/database/pglite.ts'
import { openHub } from '../drivers/hub/hub.ts'
import { offlinePlanner } from '../drivers/planner/offline.ts'
import { anyFiles } from '../drivers/reader/any-files.ts'
import { miniSearchRetriever } from '../drivers/retriever/minisearch.ts'
import { fakeRuntime } from '../drivers/runtime/fake.ts'
import { memoryStore } from '../drivers/store/memory.ts'
import { createFakeTrainer } from '../drivers/trainer/fake.ts'
import type { Build } from '../ports/database.ts'
import { openBases } from './bases.ts'
import { openBuilds } from './builds.ts'
import { OWN_BASE } from './config.ts'
import { openExams } from './exams.ts'
import { openFix } from './fix.ts'
import { openMaterial } from './material.ts'
import { openReview } from './review.ts'
import { openServing } from './serving.ts'

const root = mkdtempSync(join(tmpdir(), 'review-'))
const given = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(`${value.message} ${value.hint}`)
  return value
}
const file = (name: string, text: string) => ({ name, bytes: new TextEncoder().encode(text) })
const csv = (rows: readonly (readonly string[])[]): string => rows.map((row) => row.map((cell) => `"${cell}"`).join(',')).join('\n')

async function open() {
  const database = await openDatabase({ folder: null })
  const store = memoryStore()
  const planner = offlinePlanner()
  const material = openMaterial({ planner, reader: anyFiles() })
  const bases = await openBases(openHub({ HF_HUB_OFFLINE: '1' }), { folder: join(root, 'bases'), own: OWN_BASE })
  const base = given(await bases.ensure(given(await bases.identify(OWN_BASE)).sha256))
  const ports = {
    planner,
    trainer: createFakeTrainer(),
    runtime: fakeRuntime(),
    retriever: miniSearchRetriever(),
    baseline: ngramSvm(),
    classical: ngramSvm(),
    tagger: wordTagger(),
    store,
    database,
  }
  const built = async ({ name, packageId }: Build) => {
    const at = { createdAt: Date.now(), updatedAt: Date.now() }
    await database.models.put({ name, packageId: packageId!, modelId: null, price: null, abstention: 'free', publishTx: null, ...at })
  }
  const serving = openServing(ports, bases.find, 1)
  const review = openReview({ database }, { material, builds: () => builds })
  const builder = { name: 'builder', address: '0x1111111111111111111111111111111111111111' } as const
  const exams = openExams({ chain: memoryChain(), database, store }, { builder, open: serving.open, load: serving.load, changed: async () => {} })
  const builds = openBuilds(ports, {
    teach: async ({ dataset }) => dataset,
    ...{ folder: join(root, 'training'), base: { name: base.name, sha256: base.sha256, licence: base.licence }, bases, material, kept: review.keptOf },
    ...{
      threads: 1,
      servingThreads: 1,
      seconds: 20,
      emit: () => {},
      built,
      exams,
      machine: { cores: 1, availableBytes: () => 8e9, rate: async () => 1e12 },
    },
  })
  const fixing = openFix({ database }, { material, review, builds: () => builds, load: serving.load, changed: async () => {} })
  return { builds, review, fixing, database }
}

let opened: Awaited<ReturnType<typeof open>>
let first: BuildView
const nouns = ['kettle', 'bridge', 'harbour', 'violin', 'meadow', 'ledger', 'rocket', 'candle', 'ladder', 'anchor', 'barrel']
const text = (index: number): string => `${nouns[index % 11]} ${nouns[(index * 5 + 3) % 11]} number${index} beside item${index * 7} of row${index * 3}`
const rows = file('rows.csv', csv([['text', 'label'], ...Array.from({ length: 120 }, (_, index) => [text(index), index % 2 ? 'wet' : 'dry'])]))

beforeAll(async () => {
  opened = await open()
  const started = given(await opened.builds.start('Tell me which kind of sentence this is.', [rows], { name: 'weather' }))
  first = await opened.builds.finished(started.id)
}, 300_000)
afterAll(async () => {
  await opened?.builds.close()
  await opened?.database.close()
  rmSync(root, { recursive: true, force: true })
})

it('tells the findings with the build, in words and as data', () => {
  expect(first.state).toBe('done')
  const told = first.events.find(({ arrow }) => arrow === 'collect')!
  expect(told.text).toMatch(/examples to learn from.*The exam was set aside first/)
  expect(told.data).toMatchObject({ findings: { task: 'classify', rows: 120, givenExam: false } })
})

it('refuses to build with another exam than the one that was confirmed', async () => {
  const wish = { name: 'weather', examId: `0x${'0'.repeat(64)}` as const }
  expect(await opened.builds.start('Tell me which kind of sentence this is.', [rows], wish)).toMatchObject({ code: 'exam_changed' })
})

it('lists, corrects, removes and adds; and the changes hold through a rebuild', { timeout: 300_000 }, async () => {
  const { review, builds } = opened
  const before = given(await review.data('weather', { limit: 1000 }))
  expect(before).toMatchObject({ part: 'training', corrections: 0, task: 'classify' })
  expect(before.examples).toHaveLength(before.total)
  const [wrong, gone] = before.examples as [(typeof before.examples)[0], (typeof before.examples)[0]]
  expect(wrong.source).toMatchObject({ file: 'rows.csv', row: expect.any(Number) })
  const right = wrong.outcome === 'wet' ? 'dry' : 'wet'
  expect(await review.correct('weather', [{ replace: wrong.id.slice(0, 14), to: 'soaked' }])).toMatchObject({
    code: 'label_unknown',
    hint: expect.stringContaining('dry, wet'),
  })
  expect(await review.correct('weather', [{ replace: '0xffffffffff', to: right }])).toMatchObject({ code: 'example_unknown' })
  // All or none: the good change beside a bad one was not kept.
  expect(await review.correct('weather', [{ remove: gone.id }, { replace: 'nonsense', to: right }])).toMatchObject({ code: 'example_unknown' })
  expect(given(await review.data('weather')).corrections).toBe(0)
  given(await review.correct('weather', [{ replace: wrong.id.slice(0, 14), to: right }, { remove: gone.id }, { add: 'a heron stands in the rain', to: 'wet' }]))

  const again = await builds.finished(given(await review.rebuild('weather')).id)
  expect(again).toMatchObject({ state: 'done', name: 'weather' })
  expect(again.id).not.toBe(first.id)
  const find = async (words: string) =>
    (
      await Promise.all((['training', 'practice', 'exam'] as const).map(async (part) => given(await review.data('weather', { part, find: words })).examples))
    ).flat()
  expect((await find(wrong.input)).map(({ outcome }) => outcome)).toEqual([right])
  expect(await find(gone.input)).toEqual([])
  expect(await find('a heron stands')).toMatchObject([{ outcome: 'wet', source: { file: 'added by hand' } }])
  // What was added is learned, never examined.
  expect(given(await review.data('weather', { part: 'training', find: 'a heron stands' })).total).toBe(1)
  // The same words and files by themselves keep them too.
  const third = given(await builds.start('Tell me which kind of sentence this is.', [rows], { name: 'weather' }))
  expect(third.id).toBe(again.id)
})

it('puts one answer right beside the model, shows what else changes, and takes its place only when accepted', { timeout: 300_000 }, async () => {
  const { builds, fixing, database } = opened
  const started = given(await fixing.start('weather', text(3), 'dry'))
  expect(started.name).toBe('weather-fix')
  const candidate = await builds.finished(started.id)
  expect(candidate.state).toBe('done')
  const before = (await database.models.get('weather'))!.packageId
  const preview = given(await fixing.preview('weather'))
  expect(preview).toMatchObject({ name: 'weather', question: text(3) })
  expect(preview.practice).toBeGreaterThan(5)
  for (const flip of preview.flips) {
    expect(flip.before).not.toBe(flip.after)
    expect(flip.change).toBe(flip.after === flip.right ? 'better' : flip.before === flip.right ? 'worse' : 'other')
  }
  expect((await database.models.get('weather'))!.packageId).toBe(before)
  given(await fixing.accept('weather'))
  expect((await database.models.get('weather'))!.packageId).not.toBe(before)
  expect((await opened.review.keptOf('weather')).corrections.at(-1)).toEqual({ kind: 'add', input: text(3), outcome: { label: 'dry' } })
  expect(await fixing.preview('weather')).toMatchObject({ code: 'no_fix' })
  expect(await fixing.start('weather', text(3), 'soaked')).toMatchObject({ code: 'label_unknown' })
})

it('gives a fix up: its build is stopped, nothing is kept, the model stays', { timeout: 300_000 }, async () => {
  const { fixing, builds, review, database } = opened
  expect(await fixing.drop('weather')).toMatchObject({ code: 'no_fix' })
  const [before, kept] = [(await database.models.get('weather'))!.packageId, await review.keptOf('weather')]
  const started = given(await fixing.start('weather', text(4), 'wet'))
  given(await fixing.drop('weather'))
  expect((await builds.finished(started.id)).state).toBe('cancelled')
  expect(await fixing.preview('weather')).toMatchObject({ code: 'no_fix' })
  expect(await fixing.accept('weather')).toMatchObject({ code: 'no_fix' })
  expect(await review.keptOf('weather')).toEqual(kept)
  expect((await database.models.get('weather'))!.packageId).toBe(before)
})

it('rebuilds with another column where the expert says so, and refuses one that is not there', { timeout: 300_000 }, async () => {
  const { review, builds } = opened
  expect(await review.rebuild('weather', [{ role: 'label', column: 'nowhere' }])).toMatchObject({ refused: true })
  const started = given(await review.rebuild('weather', [{ role: 'text', column: 'text' }]))
  expect((await builds.inputOf(started.id as `0x${string}`)).input.columns).toEqual([{ role: 'text', column: 'text' }])
  given(await builds.cancel(started.id))
})

it('shows what strangers would see quoted, and keeps documents out of it', { timeout: 300_000 }, async () => {
  const { review, builds } = opened
  const page = (name: string, about: string, from: number) =>
    file(
      name,
      `# ${about}\n\n${Array.from({ length: 60 }, (_, index) => `## Part ${about} ${text(from + index)}\n\nThe ${about} of ${text(from + index * 3)} is kept at ${index} degrees in every ${nouns[index % 11]} of the house, and nobody minds.`).join('\n\n')}`,
    )
  const files = [page('open.md', 'heating', 0), page('letters.md', 'plumbing', 1000)]
  const built = await builds.finished(given(await builds.start('Answer questions from these pages.', files, { name: 'house' })).id)
  expect(built.events.at(-1)?.text).toMatch(/^Package/)
  const all = given(await review.quotations('house'))
  expect(all.documents.map(({ file: name, withheld }) => [name, withheld]).sort()).toEqual([
    ['letters.md', false],
    ['open.md', false],
  ])
  expect(all.documents[0]!.shown[0]!.length).toBeGreaterThan(20)
  expect(await review.withhold('house', ['other.md'])).toMatchObject({ code: 'document_unknown' })
  expect(await review.withhold('house', ['letters.md', 'open.md'])).toMatchObject({ documents: [{ withheld: true }, { withheld: true }] })
  // With nothing left to quote nothing is built.
  expect(await review.rebuild('house')).toMatchObject({ code: 'nothing_to_quote' })
  given(await review.withhold('house', ['letters.md']))
  const again = await builds.finished(given(await review.rebuild('house')).id)
  expect(again.state).toBe('done')
  const kept = again.events.find(({ arrow }) => arrow === 'collect')!.data as { findings: { parts: { passages: number } } }
  expect(kept.findings.parts.passages).toBe(all.documents.find(({ file: name }) => name === 'open.md')!.passages)
})
