/** Exams through whole builds, with a fake trainer and runtime and a chain in memory: sealed first, every attempt counted, and what cheating comes to. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BaseError, isRefusal, type Refusal } from '../core/errors.ts'
import { examRoot } from '../core/exam.ts'
import { canonical, contentId, type Id } from '../core/id.ts'
import { Package } from '../core/package.ts'
import type { Report } from '../core/report.ts'
import type { Sheet } from '../core/sheet.ts'
import type { BuildView, ExamView } from '../core/view.ts'
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
import type { Chain } from '../ports/chain.ts'
import type { Build, Model } from '../ports/database.ts'
import { publish } from '../steps/publish.ts'
import { verifyExam } from '../steps/verify-exam.ts'
import { openBases } from './bases.ts'
import { openBuilds } from './builds.ts'
import { OWN_BASE } from './config.ts'
import { openExams } from './exams.ts'
import { openMaterial } from './material.ts'
import { openServing } from './serving.ts'

const root = mkdtempSync(join(tmpdir(), 'exams-'))
const given = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(`${value.message} ${value.hint}`)
  return value
}
const builder = { name: 'builder', address: '0x1111111111111111111111111111111111111111' } as const
const words = 'Tell me which kind of sentence this is.'
/** Kinds that n-grams tell apart, so that the fake model with its classical part is far better than its base. */
const rows = (count: number, extra = '') => {
  const lines = Array.from({ length: count }, (_, index) => {
    const wet = index % 2 === 1
    return `"${wet ? 'rain puddle' : 'sun shadow'} number${index} beside item${index * 7} of row${index * 3}","${wet ? 'wet' : 'dry'}"`
  })
  return { name: 'rows.csv', bytes: new TextEncoder().encode(`text,label\n${lines.join('\n')}${extra}`) }
}

/** `order` is what the trainer and the chain were asked, one after the other. */
async function open(chain: Chain = memoryChain()) {
  const database = await openDatabase({ folder: null })
  const store = memoryStore()
  const planner = offlinePlanner()
  const material = openMaterial({ planner, reader: anyFiles() })
  const bases = await openBases(openHub({ HF_HUB_OFFLINE: '1' }), { folder: join(root, 'bases'), own: OWN_BASE })
  const base = given(await bases.ensure(given(await bases.identify(OWN_BASE)).sha256))
  const order: string[] = []
  const trainer = createFakeTrainer()
  const watched: Chain = {
    ...chain,
    async commitExam(options) {
      order.push('commit')
      return chain.commitExam(options)
    },
    async recordAttempt(options) {
      order.push('attempt')
      return chain.recordAttempt(options)
    },
  }
  const ports = {
    ...{
      planner,
      runtime: fakeRuntime(),
      retriever: miniSearchRetriever(),
      baseline: ngramSvm(),
      classical: ngramSvm(),
      tagger: wordTagger(),
      store,
      database,
    },
    trainer: {
      ...trainer,
      async fit(...parameters: Parameters<typeof trainer.fit>) {
        order.push('train')
        return trainer.fit(...parameters)
      },
    },
  }
  const serving = openServing(ports, bases.find, 1)
  const faults: unknown[] = []
  const exams = openExams(
    { chain: watched, database, store },
    { builder, open: serving.open, load: serving.load, changed: async () => {}, report: (fault) => faults.push(fault) },
  )
  const built = async ({ name, packageId }: Build) => {
    const at = { createdAt: Date.now(), updatedAt: Date.now() }
    const known = await database.models.get(name)
    await database.models.put({ name, modelId: null, price: null, abstention: 'free', publishTx: null, ...known, packageId: packageId!, ...at })
  }
  const builds = openBuilds(ports, {
    teach: async ({ dataset }) => dataset,
    ...{ folder: join(root, 'training'), base: { name: base.name, sha256: base.sha256, licence: base.licence }, bases, material },
    kept: async () => ({ corrections: [], withhold: [] }),
    ...{ threads: 1, servingThreads: 1, seconds: 20, emit: () => {}, built, exams, machine: { cores: 1, availableBytes: () => 8e9, rate: async () => 1e12 } },
  })
  const build = async (files: { name: string; bytes: Uint8Array }[], name = 'weather'): Promise<BuildView> =>
    builds.finished(given(await builds.start(words, files, { name })).id)
  /** As the factory publishes. */
  const sell = async (name: string) => {
    const model = (await database.models.get(name))!
    const verdict = await exams.gate(model)
    if (isRefusal(verdict)) return verdict
    const { reportId } = (await serving.open(model.packageId)).manifest
    const done = await publish({ chain: watched }, { owner: builder, slug: name, price: 10n ** 16n, packageId: model.packageId, reportId, verdict })
    if (!isRefusal(done)) await database.models.put({ ...model, modelId: done.modelId, price: done.price })
    return done
  }
  return { builds, build, sell, exams, chain, store, database, order, serving, faults }
}
type Opened = Awaited<ReturnType<typeof open>>

/** Waits until nothing of the model is asked again. */
async function rested({ exams }: Opened, name: string): Promise<ExamView> {
  for (;;) {
    const view = given(await exams.show(name))
    if (!view.running) return view
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Puts a package of changed papers in the model's place, every hash fitting, as a builder can who owns the machine. */
async function forge({ store, database }: Opened, name: string, change: (papers: { sheet: Sheet; report: Report; manifest: Package }) => void): Promise<Model> {
  const model = (await database.models.get(name))!
  const read = async <T>(id: Id) => JSON.parse(new TextDecoder().decode(await store.get(id))) as T
  const put = (value: unknown) => store.put(new TextEncoder().encode(canonical(value)))
  const manifest = Package.parse(await read(model.packageId))
  const report = await read<Report>(manifest.files.report)
  const sheet = await read<Sheet>(report.predictions)
  change({ sheet, report, manifest })
  report.predictions = await put(sheet)
  const stored = await put(report)
  const forged = { ...model, packageId: await put({ ...manifest, reportId: contentId(report), files: { ...manifest.files, report: stored } }) }
  await database.models.put(forged)
  return forged
}

let opened: Opened
let first: BuildView
beforeAll(async () => {
  opened = await open()
  first = await opened.build([rows(160)])
}, 300_000)
afterAll(async () => {
  await opened?.builds.close()
  await opened?.exams.close()
  await opened?.database.close()
  rmSync(root, { recursive: true, force: true })
})

describe('an exam', () => {
  it('is committed before the first training step, and its attempt counted', async () => {
    expect(first.state).toBe('done')
    expect(opened.order.slice(0, 2)).toEqual(['commit', 'train'])
    expect(opened.order.at(-1)).toBe('attempt')
    expect(opened.order.filter((one) => one === 'attempt')).toHaveLength(1)
    const view = given(await opened.exams.show('weather'))
    expect(view).toMatchObject({ standing: 'proven', beforeTraining: true, uncounted: 0, others: 0, committed: { attempts: 1, at: expect.any(Number) } })
    expect(view.says.join('\n')).toMatch(/Proven: On \d+ sealed cases[\s\S]*before the training; 1 attempt counted[\s\S]*can still cheat/)
    // Registered for its exam, and for sale to nobody.
    expect(await opened.chain.listing(view.modelId as Id)).toMatchObject({ version: 0, price: 2n ** 88n - 1n })
  })

  it('has papers that hold, and cases that lead to the committed root', async () => {
    const evidence = given(await opened.exams.evidence('weather'))
    const cases = given(await opened.exams.opened('weather'))
    const view = given(await opened.exams.show('weather'))
    expect(examRoot(cases)).toBe(view.root)
    const facts = { exam: { committedAt: view.committed!.at, attempts: view.committed!.attempts }, listed: null, by: 'the gateway' as const }
    const { holds, checks } = verifyExam(JSON.parse(JSON.stringify(evidence)), { facts, opened: cases })
    expect(holds, JSON.stringify(checks)).toBe(true)
    expect(checks.filter(({ outcome }) => outcome === 'open').map(({ code }) => code)).toEqual(['listing'])
    // Nothing that is published says what the cases are.
    const shown = JSON.stringify(evidence)
    for (const { input } of cases.cases) expect(shown).not.toContain(input)
    expect(shown).not.toContain(cases.salt)
    expect(given(await opened.exams.evidence(view.packageId)).packageId).toBe(view.packageId)
  })

  it('teaches nothing: its cases, and those nearly like them, are nowhere in what is learned from', async () => {
    const cases = given(await opened.exams.opened('weather'))
    // Whoever hands the cases over to be learned from as well, with a word more, does not get them learned.
    const leak = cases.cases.map(({ input, truth }) => `\n"${input} indeed","${truth.label}"`).join('')
    const material = openMaterial({ planner: offlinePlanner(), reader: anyFiles() })
    const exam = {
      name: 'exam.csv',
      bytes: new TextEncoder().encode(`text,label${cases.cases.map(({ input, truth }) => `\n"${input}","${truth.label}"`).join('')}`),
    }
    const { dataset, exam: sealedExam, findings } = given(await material.prepare(words, [rows(160, leak), exam], { exam: ['exam.csv'] }))
    expect(sealedExam.cases.map(({ input }) => input).sort()).toEqual(cases.cases.map(({ input }) => input).sort())
    expect(findings.leakage).toBeGreaterThanOrEqual(cases.cases.length)
    const learned = JSON.stringify([dataset.training, dataset.practice])
    for (const { input } of cases.cases) expect(learned).not.toContain(input)
  })

  it('counts another attempt for the same cases, whatever was changed to pass, and shows another exam as another', async () => {
    const again = await open()
    await again.build([rows(160)], 'weather')
    const committed = given(await again.exams.show('weather'))
    const { cases } = given(await again.exams.opened('weather'))
    const official = (some: typeof cases) => ({
      name: 'exam.csv',
      bytes: new TextEncoder().encode(`text,label${some.map(({ input, truth }) => `\n"${input}","${truth.label}"`).join('')}`),
    })
    const tries = async (count: number, some: typeof cases) => {
      const started = given(await again.builds.start(words, [rows(count), official(some)], { name: 'weather', exam: ['exam.csv'] }))
      await again.builds.finished(started.id)
      return given(await again.exams.show('weather'))
    }
    // With other rows to learn from, and the same cases handed over as a file of their own: the same exam.
    const second = await tries(150, cases)
    expect(second.root).toBe(committed.root)
    expect(second).toMatchObject({ others: 0, committed: { at: committed.committed!.at, attempts: 2 } })
    expect(second.says.join('\n')).toContain('2 attempts counted')
    expect((await again.serving.open(second.packageId as Id)).report.attempt).toBe(2)
    // Without its hardest case it is another one, and that there was one before shows.
    const third = await tries(150, cases.slice(1))
    expect(third.root).not.toBe(committed.root)
    expect(third).toMatchObject({ others: 1, committed: { attempts: 1 } })
    expect(third.says.join('\n')).toContain('1 other exam was committed for this model')
    await again.builds.close()
    await again.database.close()
  }, 300_000)

  it('is run again on the model as it is served, which is an attempt too', async () => {
    const begun = given(await opened.exams.run('weather'))
    expect(begun.running).toMatchObject({ of: begun.n })
    expect(await opened.exams.run('weather')).toMatchObject({ code: 'exam_in_progress' })
    const view = await rested(opened, 'weather')
    expect(view.twin).toMatchObject({ outcome: 'verified', n: view.n, of: view.n })
    expect(view.twin!.served).toBe(view.twin!.expected)
    expect(view.committed!.attempts).toBe(2)
  })
})

describe('without a chain', () => {
  class Unreachable extends BaseError {
    override readonly name = 'Chain.UnreachableError'
  }
  it('builds all the same, does not claim what it cannot, and commits and counts when the model is published', async () => {
    const memory = memoryChain()
    let reachable = false
    const gone = async () => {
      if (!reachable) throw new Unreachable('The chain did not answer.')
    }
    const flaky: Chain = {
      ...memory,
      register: async (options) => gone().then(() => memory.register(options)),
      exam: async (...parameters) => gone().then(() => memory.exam(...parameters)),
    }
    const alone = await open(flaky)
    const build = await alone.build([rows(160)])
    expect(build.state).toBe('done')
    expect(build.events.map(({ text }) => text).join('\n')).toMatch(
      /The exam is sealed \(0x[0-9a-f]{64}\), but not committed on chain before the training: The chain did not answer/,
    )
    expect(await alone.sell('weather')).toMatchObject({ code: 'chain_unreachable' })
    reachable = true
    given(await alone.sell('weather'))
    const view = given(await alone.exams.show('weather'))
    expect(view).toMatchObject({ beforeTraining: false, uncounted: 0, committed: { attempts: 1 } })
    expect(view.says.join('\n')).toContain('after the training, which proves little')
    const { report } = await alone.serving.open(view.packageId as Id)
    expect(report.committedAt).toBeNull()
    await alone.builds.close()
    await alone.database.close()
  }, 300_000)
})

describe('publishing', () => {
  it('goes through the gate, and the twin check finds a model that is not what was examined', async () => {
    given(await opened.sell('weather'))
    const model = (await opened.database.models.get('weather'))!
    opened.exams.twin(model)
    const view = await rested(opened, 'weather')
    expect(view).toMatchObject({ standing: 'proven', twin: { outcome: 'verified', n: 20 } })
    // A package whose papers are those of a good model, and which cannot even be served.
    const worse = await forge(opened, 'weather', ({ manifest }) => {
      manifest.base = { ...manifest.base, sha256: manifest.specId }
    })
    opened.exams.twin(worse)
    const broken = await rested(opened, 'weather')
    expect(broken).toMatchObject({ standing: 'unverified', twin: { outcome: 'unverified', n: 0 } })
    await opened.database.models.put(model)
  })

  it('sets a listing to unverified by itself when what is served does worse than the exam says', async () => {
    const model = (await opened.database.models.get('weather'))!
    // A sheet that says more than the model can: every answer right, where the served model now gets half.
    const { served } = await opened.serving.load(model.packageId)
    const honest = served.expert
    served.expert = null
    opened.exams.twin(model)
    const view = await rested(opened, 'weather')
    expect(view.standing).toBe('unverified')
    expect(view.twin!.served).toBeLessThan(view.twin!.expected)
    expect(view.twin!.interval![1]).toBeLessThan(0)
    expect(view.says.join('\n')).toMatch(/UNVERIFIED[\s\S]*worse by more than chance/)
    served.expert = honest
    opened.exams.twin(model)
    expect((await rested(opened, 'weather')).standing).toBe('proven')
  })

  it('refuses papers that were forged, and a model that did worse than its base', async () => {
    const model = (await opened.database.models.get('weather'))!
    await forge(opened, 'weather', ({ report }) => {
      report.arms[0]!.score = 1
      report.arms[0]!.interval = [1, 1]
      report.arms[1]!.score = 1
    })
    expect(await opened.sell('weather')).toMatchObject({ code: 'exam_does_not_hold', message: expect.stringContaining('not what follows from the sheet') })
    await opened.database.models.put(model)

    // As if its base had been right everywhere and it nowhere; papers without a flaw.
    const { scored } = await import('../core/gate.ts')
    const swapped = ({ sheet, report }: { sheet: Sheet; report: Report }) => {
      const other = (label: string) => (label === 'wet' ? 'dry' : 'wet')
      sheet.arms.base = sheet.cases.map(({ truth }) => ({ label: truth.label! }))
      sheet.arms.tuned = sheet.cases.map(({ truth }, index) => ({ label: index % 3 ? other(truth.label!) : truth.label! }))
      Object.assign(report, scored(sheet, report.arms))
    }
    await forge(opened, 'weather', swapped)
    expect(given(await opened.exams.show('weather')).standing).toBe('worse')
    expect(await opened.sell('weather')).toMatchObject({ code: 'worse_than_base' })
    // Nor by saying that it is unproven.
    await forge(opened, 'weather', ({ report }) => {
      report.verdict!.outcome = 'unproven'
    })
    expect(await opened.sell('weather')).toMatchObject({ code: 'exam_does_not_hold' })
    await opened.database.models.put(model)
    given(await opened.sell('weather'))
  })
})
