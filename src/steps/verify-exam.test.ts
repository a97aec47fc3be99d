/** Every way to cheat with the papers of an exam that hashing and adding up can find, and what it cannot. */
import { describe, expect, it } from 'vitest'
import { type Example, exampleOf } from '../core/dataset.ts'
import { isRefusal } from '../core/errors.ts'
import { examRoot, leafOf, type OpenedExam, openedExam, rootOf, sealed } from '../core/exam.ts'
import { scored } from '../core/gate.ts'
import { contentId, hashText, type Id } from '../core/id.ts'
import type { Package } from '../core/package.ts'
import { type Arm, BOOTSTRAP, type Report } from '../core/report.ts'
import type { ExamEvidence, Said, Sheet } from '../core/sheet.ts'
import { memoryChain } from '../drivers/chain/memory.ts'
import { publish } from './publish.ts'
import { type ExamFacts, verifyExam } from './verify-exam.ts'
import { answerFigures } from './worth.ts'

const LABELS = ['Audit', 'Insurance', 'Law']
const source = { file: 'clauses.csv' }
const cases: Example[] = Array.from({ length: 60 }, (_, index) => exampleOf({ input: `clause ${index}`, label: LABELS[index % 3]! }, source, undefined))
const salt = hashText('drawn at random')
const exam = openedExam(cases, salt)
const WHAT: Pick<Arm, 'name' | 'what'>[] = [
  { name: 'tuned', what: 'the model as served' },
  { name: 'base', what: 'the base' },
  { name: 'baseline', what: 'n-grams' },
]
const saying = (share: number): Said[] =>
  cases.map(({ label }, index) => ({ label: (index * 37) % 60 < share * 60 ? label! : LABELS[(LABELS.indexOf(label!) + 1) % 3]! }))

type Papers = { sheet: Sheet; report: Report; manifest: Package }

/** Papers whose every hash fits, whatever they say; `change` runs before anything is hashed that depends on it. */
function papers(
  change: { sheet?: (sheet: Sheet) => void; report?: (report: Report) => void; opened?: OpenedExam; kind?: Sheet['kind']; arms?: Sheet['arms'] } = {},
): Papers {
  const shown = sealed(change.opened ?? exam)
  const ids = { examId: hashText('exam'), weightsId: hashText('weights'), root: rootOf(shown.map(leafOf)) }
  const arms = change.arms ?? { tuned: saying(0.8), base: saying(0.3), baseline: saying(0.8) }
  const sheet: Sheet = { format: 'modelfactory/sheet@1', kind: change.kind ?? 'label', ...ids, cases: shown, arms }
  const root = sheet.root
  change.sheet?.(sheet)
  const { weightsId, examId } = ids
  const predictions = contentId(sheet)
  const more = { predictions, latencyMs: 3, root, committedAt: 1_790_000_000, attempt: 1, bootstrap: BOOTSTRAP }
  const report: Report = { weightsId, examId, ...scored(sheet, WHAT), ...more }
  change.report?.(report)
  const part = (name: string) => hashText(name)
  const reportId = contentId(report)
  const manifest: Package = {
    ...{ format: 'modelfactory/package@1', name: 'clauses', task: 'classify', specId: part('spec'), datasetId: part('dataset'), examId, weightsId, reportId },
    base: { name: 'a base', sha256: part('base'), licence: '' },
    files: { spec: part('spec'), weights: weightsId, adapter: part('adapter'), expert: null, passages: part('passages'), report: reportId },
    ...{ serving: null, licences: [] },
  }
  return { sheet, report, manifest }
}

const evidenceOf = ({ sheet, report, manifest }: Papers): ExamEvidence =>
  structuredClone({ format: 'modelfactory/exam-evidence@1', packageId: contentId(manifest), modelId: null, package: manifest, report, sheet })

const factsOf = ({ report, manifest }: Papers, change: Partial<NonNullable<ExamFacts['exam']>> = {}): ExamFacts => ({
  exam: { committedAt: report.committedAt!, attempts: 1, ...change },
  listed: { packageId: contentId(manifest), reportId: contentId(report) },
  by: 'the node',
})
const failing = (evidence: ExamEvidence, options: Partial<Parameters<typeof verifyExam>[1]> = {}) => {
  const { holds, checks } = verifyExam(evidence, { facts: null, ...options })
  const failed = checks.filter(({ outcome }) => outcome === 'fails').map(({ code }) => code)
  expect(holds).toBe(failed.length === 0)
  return failed
}

describe('honest papers', () => {
  it('hold, and say what they cannot tell', () => {
    const honest = papers()
    const { holds, checks } = verifyExam(evidenceOf(honest), { facts: factsOf(honest), opened: exam })
    expect(holds).toBe(true)
    expect(checks.filter(({ outcome }) => outcome !== 'holds')).toEqual([])
    expect(checks.find(({ code }) => code === 'verdict')!.says).toContain('proven')
    const alone = verifyExam(evidenceOf(honest), { facts: null }).checks
    expect(alone.filter(({ outcome }) => outcome === 'open').map(({ code }) => code)).toEqual(['cases', 'chain'])
  })

  it('from before exams were sealed are readable, and nothing more', () => {
    const { report, manifest } = papers()
    const { root: _, verdict: __, attempt: ___, committedAt: ____, bootstrap: _____, ...old } = report
    const oldManifest = { ...manifest, reportId: contentId(old) }
    const evidence = { ...evidenceOf({ sheet: null as never, report: old as Report, manifest: oldManifest }), sheet: { examId: old.examId, arms: {} } }
    const { holds, checks } = verifyExam(evidence, { facts: null })
    expect(holds).toBe(true)
    expect(checks.at(-1)).toMatchObject({ code: 'sheet', outcome: 'open' })
  })
})

describe('who changes the papers after they were hashed', () => {
  const change = (edit: (evidence: { sheet: Sheet; report: Report; package: Package }) => void) => {
    const evidence = evidenceOf(papers())
    edit(evidence as never)
    return failing(evidence)
  }
  it.each<[string, (evidence: { sheet: Sheet; report: Report; package: Package }) => void, string[]]>([
    ['forges a prediction', ({ sheet }) => (sheet.arms.tuned![50] = { label: sheet.cases[50]!.truth.label! }), ['sheet', 'scores', 'verdict']],
    ['swaps two cases', ({ sheet }) => sheet.cases.unshift(sheet.cases.pop()!), ['sheet', 'root', 'scores', 'verdict']],
    ['changes what is right', ({ sheet }) => (sheet.cases[50]!.truth = { label: sheet.arms.tuned![50]!.label! }), ['sheet', 'root', 'scores', 'verdict']],
    [
      'leaves out a case that went wrong',
      ({ sheet }) => void [sheet.cases.pop(), ...Object.values(sheet.arms).map((said) => said.pop())],
      ['sheet', 'root', 'scores', 'verdict'],
    ],
    ['states a better score', ({ report }) => (report.arms[0]!.score = 0.99), ['report', 'scores']],
    ['states a narrower interval', ({ report }) => (report.arms[0]!.interval = [0.79, 0.81]), ['report', 'scores']],
    ['states a better verdict', ({ report }) => (report.verdict!.differences[1]!.outcome = 'win'), ['report', 'verdict']],
    ['names another report', ({ package: manifest }) => (manifest.reportId = hashText('another')), ['package', 'report']],
  ])('%s', (_, edit, codes) => {
    expect(change(edit)).toEqual(codes)
  })
})

describe('who makes papers whose hashes all fit', () => {
  it('cannot give the model answers that are not scored so', () => {
    expect(failing(evidenceOf(papers({ report: (report) => (report.arms[0]!.score = 0.99) })))).toEqual(['scores'])
    expect(failing(evidenceOf(papers({ report: (report) => (report.verdict!.outcome = 'proven') })))).toEqual([])
    const worse = { tuned: saying(0.3), base: saying(0.9), baseline: saying(0.9) }
    expect(failing(evidenceOf(papers({ arms: worse })))).toEqual([])
    expect(failing(evidenceOf(papers({ arms: worse, report: (report) => (report.verdict!.outcome = 'proven') })))).toEqual(['verdict'])
  })

  it('cannot leave out the arm it loses to', () => {
    const hidden = papers({ report: (report) => (report.arms = report.arms.filter(({ name }) => name !== 'base')) })
    expect(failing(evidenceOf(hidden))).toContain('arms')
  })

  it('cannot change the exam after it was committed', () => {
    const easier = openedExam([...cases.slice(0, 59), cases[0]!], salt)
    const changed = papers({ opened: easier })
    // In themselves these papers hold; the chain knows nothing of their root.
    expect(failing(evidenceOf(changed))).toEqual([])
    expect(failing(evidenceOf(changed), { facts: { ...factsOf(changed), exam: null } })).toEqual(['committed'])
    // Keeping the committed root does not help: the cases do not lead to it.
    expect(
      failing(evidenceOf(papers({ opened: easier, sheet: (sheet) => (sheet.root = examRoot(exam)), report: (report) => (report.root = examRoot(exam)) }))),
    ).toEqual(['root'])
    expect(failing(evidenceOf(changed), { opened: exam })).toEqual(['cases'])
  })

  it('cannot commit late and say that it was early', () => {
    const late = papers()
    expect(failing(evidenceOf(late), { facts: factsOf(late, { committedAt: late.report.committedAt! + 600 }) })).toEqual(['committed'])
    const honest = papers({ report: (report) => (report.committedAt = null) })
    const { checks } = verifyExam(evidenceOf(honest), { facts: { ...factsOf(late), listed: null } })
    expect(checks.find(({ code }) => code === 'committed')).toMatchObject({
      outcome: 'open',
      says: expect.stringContaining('does not say that this was before'),
    })
  })

  it('cannot keep an attempt from being counted', () => {
    const third = papers({ report: (report) => (report.attempt = 3) })
    expect(failing(evidenceOf(third), { facts: factsOf(third, { attempts: 1 }) })).toEqual(['attempts'])
    expect(failing(evidenceOf(third), { facts: factsOf(third, { attempts: 3 }) })).toEqual([])
  })

  it('cannot sell another package under this report', () => {
    const honest = papers()
    const facts = factsOf(honest)
    expect(failing(evidenceOf(honest), { facts: { ...facts, listed: { ...facts.listed!, packageId: hashText('another') } } })).toEqual(['listing'])
  })
})

it('recomputes what each quote is worth once the cases are open', () => {
  const asking = ['What is angina?', 'What is gout?', 'What is a murmur?'].map((input, index) =>
    exampleOf({ input, answer: index === 1 ? null : 'It is a pain in the chest when the heart has too little blood.' }, source, undefined),
  )
  const opened = openedExam(asking, salt)
  const quotes = [['It is a pain in the chest when the heart has too little blood.'], null, ['Call for help at once.']]
  const said: Said[] = quotes.map((one, index) => ({ quotes: one, figures: answerFigures(one, asking[index]!.answer!) }))
  expect(said.map(({ figures }) => [figures!.worth, figures!.found, figures!.wanted])).toEqual([
    [1, 1, 1],
    [1, 0, 0],
    [0, 0, 1],
  ])
  const arms = { tuned: said, base: said, baseline: said }
  const honest = papers({ opened, kind: 'answer', arms })
  expect(failing(evidenceOf(honest), { opened })).toEqual([])
  const forged = structuredClone(arms)
  forged.tuned[2]!.figures!.worth = 1
  const cheat = papers({ opened, kind: 'answer', arms: forged })
  // While the answers are sealed this cannot be seen, and the check says so.
  expect(failing(evidenceOf(cheat))).toEqual([])
  expect(verifyExam(evidenceOf(cheat), { facts: null }).checks.find(({ code }) => code === 'cases')!.says).toContain('the builder’s word')
  expect(failing(evidenceOf(cheat), { opened })).toEqual(['answers'])
})

describe('publishing', () => {
  const owner = { name: 'owner', address: '0x1111111111111111111111111111111111111111' as const }
  const attempt = async (verdict: Report['verdict'], chain = memoryChain()) => {
    const ids = { packageId: hashText('package'), reportId: hashText('report') }
    const outcome = await publish({ chain }, { owner, slug: 'clauses', price: 10n ** 16n, ...ids, verdict })
    return { outcome, listing: isRefusal(outcome) ? undefined : await chain.listing(outcome.modelId) }
  }

  it('refuses a model that is worse than its base, with the reason, and publishes the others', async () => {
    const worse = papers({ arms: { tuned: saying(0.3), base: saying(0.9), baseline: saying(0.2) } }).report.verdict
    const refused = await attempt(worse)
    expect(refused.outcome).toMatchObject({ code: 'worse_than_base', message: expect.stringMatching(/worse than the base model without training \(-0\.\d{3}/) })
    const unproven = papers({ arms: { tuned: saying(0.3), base: saying(0.3), baseline: saying(0.9) } }).report.verdict
    for (const verdict of [unproven, papers().report.verdict, undefined]) expect((await attempt(verdict)).listing).toMatchObject({ version: 1 })
  })

  it('sells no version at the price that a model is registered with for its exam', async () => {
    const chain = memoryChain()
    const registered = await chain.register({ owner, slug: 'clauses', payout: owner.address, price: 2n ** 88n - 1n })
    const { outcome, listing } = await attempt(papers().report.verdict, chain)
    expect(outcome).toMatchObject({ modelId: (registered as { modelId: Id }).modelId, price: 10n ** 16n })
    expect(listing).toMatchObject({ price: 10n ** 16n, version: 1, packageId: hashText('package') })
  })
})
