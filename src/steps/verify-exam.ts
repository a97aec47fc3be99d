/**
 * Evidence of an exam -> Verdict, a check a line: hashes, the root, every score, interval and verdict computed again from the
 * per-case answers, and what the chain says beside it. Says as plainly what the evidence cannot tell. Knows nothing of how the
 * evidence came, nor of RPC.
 */
import { examRoot, leafOf, type OpenedExam, rootOf, sealed } from '../core/exam.ts'
import { scored } from '../core/gate.ts'
import { canonical, contentId, type Id } from '../core/id.ts'
import { Package } from '../core/package.ts'
import { type Check, fails, holds, open } from '../core/passport.ts'
import { Report } from '../core/report.ts'
import { type ExamEvidence, Sheet, textFigures } from '../core/sheet.ts'
import type { ExamRecord } from '../ports/chain.ts'
import type { Verdict } from './verify.ts'
import { answerFigures } from './worth.ts'

/** What the chain says, and who says so. `listed` is the package that is published now, null before the first. */
export type ExamFacts = { exam: ExamRecord | null; listed: { packageId: Id; reportId: Id } | null; by: 'the gateway' | 'the node' }

/** `opened` are the cases themselves, where they are held; `facts` is null where no chain was asked. */
export function verifyExam(evidence: ExamEvidence, options: { facts: ExamFacts | null; opened?: OpenedExam | undefined }): Verdict {
  const checks: Check[] = []
  const say = (code: string, right: boolean, yes: string, no: string) => checks.push(right ? holds(code, yes) : fails(code, no))
  const verdict = (): Verdict => ({ holds: checks.every(({ outcome }) => outcome !== 'fails'), checks })
  const manifest = Package.safeParse(evidence.package)
  const report = Report.safeParse(evidence.report)
  if (!manifest.success || !report.success) {
    checks.push(fails('shape', 'The package or its report is not what such a thing looks like.'))
    return verdict()
  }
  const { weightsId, examId, reportId } = manifest.data
  say(
    'package',
    contentId(evidence.package) === evidence.packageId,
    `The package is the one with hash ${evidence.packageId}: "${manifest.data.name}".`,
    `The package's hash is not ${evidence.packageId}: the package, or the hash, was changed.`,
  )
  say(
    'report',
    contentId(evidence.report) === reportId && report.data.weightsId === weightsId && report.data.examId === examId,
    'The report is the one that the package names.',
    'The report is not the one that the package names.',
  )
  const sheet = Sheet.safeParse(evidence.sheet)
  if (!sheet.success) {
    checks.push(open('sheet', 'There is no sheet of what was said to each case: the model was built before exams were sealed. Nothing can be recomputed.'))
    return verdict()
  }
  say(
    'sheet',
    contentId(evidence.sheet) === report.data.predictions && sheet.data.weightsId === weightsId && sheet.data.examId === examId,
    `The sheet of answers to ${sheet.data.cases.length} cases is the one that the report names.`,
    'The sheet of answers is not the one that the report names: an answer, a case or the report was changed.',
  )
  say(
    'root',
    rootOf(sheet.data.cases.map(leafOf)) === sheet.data.root && sheet.data.root === report.data.root,
    `The cases lead to the root ${sheet.data.root}.`,
    'The cases do not lead to the root that the report names: a case, or what is right in it, was changed.',
  )
  scoreChecks(sheet.data, report.data, say)
  if (options.opened) openedChecks(sheet.data, options.opened, say)
  else
    checks.push(
      open(
        'cases',
        sheet.data.kind === 'answer' || sheet.data.kind === 'text'
          ? 'The questions and right answers are sealed: until they are opened, how well each quote answers its question is the builder’s word.'
          : 'The texts are sealed: until they are opened, that these answers were given to them is the builder’s word.',
      ),
    )
  chainChecks(evidence, report.data, options.facts, checks)
  return verdict()
}

type Say = (code: string, right: boolean, yes: string, no: string) => void

function scoreChecks(sheet: Sheet, report: Report, say: Say): void {
  let again: ReturnType<typeof scored>
  try {
    again = scored(sheet, report.arms)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    say('scores', false, '', `The scores cannot be computed again: ${error.message}`)
    return
  }
  const missing = ['tuned', 'base', 'baseline'].filter((name) => !report.arms.some((arm) => arm.name === name))
  say(
    'arms',
    missing.length === 0,
    'The model is shown beside its base and a simple method, on the same cases.',
    `The report leaves out ${missing.join(' and ')}, so that nobody can compare.`,
  )
  const changed = report.arms.filter((arm, index) => !same(arm, again.arms[index]))
  const tuned = report.arms.find(({ name }) => name === 'tuned')
  say(
    'scores',
    changed.length === 0 && report.n === again.n && report.metric === again.metric,
    `Every score, computed again from the sheet, is what the report says: ${report.metric} ${tuned?.score.toFixed(3)} on ${report.n} cases.`,
    changed.length
      ? `The scores of ${changed.map(({ name }) => name).join(', ')} are not what follows from the sheet.`
      : `The number of cases or the metric is not the sheet's.`,
  )
  say(
    'verdict',
    report.verdict !== undefined && same(report.verdict, again.verdict),
    `The verdict follows from the sheet: ${again.verdict.outcome}. ${again.verdict.why}`,
    `The report's verdict is ${report.verdict?.outcome ?? 'missing'}; what follows from the sheet is ${again.verdict.outcome}.`,
  )
}

function openedChecks(sheet: Sheet, opened: OpenedExam, say: Say): void {
  say(
    'cases',
    examRoot(opened) === sheet.root && canonical(sealed(opened)) === canonical(sheet.cases),
    'The cases that were opened are those that were sealed.',
    'The cases that were opened are not those that were sealed.',
  )
  if (sheet.kind === 'text') {
    const apart = Object.values(sheet.arms).some((said) =>
      said.some(({ text, overlap }, place) => !same(overlap, textFigures(text ?? '', opened.cases[place]?.answer ?? ''))),
    )
    say(
      'answers',
      !apart,
      'Each text is as near to the right one as the sheet says.',
      'A text is nearer to, or farther from, the right one than the sheet says.',
    )
  }
  if (sheet.kind !== 'answer') return
  const wrong = Object.values(sheet.arms).some((said) =>
    said.some(({ quotes, figures }, place) => !same(figures, answerFigures(quotes ?? null, opened.cases[place]?.answer ?? null))),
  )
  say('answers', !wrong, 'Each quote is worth what the sheet says.', 'A quote is worth something else than the sheet says.')
}

function chainChecks(evidence: ExamEvidence, report: Report, facts: ExamFacts | null, checks: Check[]): void {
  if (!facts) {
    checks.push(open('chain', 'No chain was asked whether the exam was committed and how often it was sat.'))
    return
  }
  const { exam, listed, by } = facts
  if (listed)
    checks.push(
      listed.packageId === evidence.packageId && listed.reportId === contentId(evidence.report)
        ? holds('listing', `By ${by}'s word the chain lists this package with this report.`)
        : fails('listing', `By ${by}'s word the chain lists another package or report than this.`),
    )
  else checks.push(open('listing', `By ${by}'s word the chain lists no version of this model yet.`))
  if (!exam) {
    checks.push((listed ? fails : open)('committed', `By ${by}'s word this exam was never committed on chain.`))
    return
  }
  const date = new Date(exam.committedAt * 1000).toISOString()
  if (report.committedAt === undefined || report.committedAt === null)
    checks.push(open('committed', `The exam was committed on ${date}, but the report does not say that this was before the training.`))
  else
    checks.push(
      report.committedAt === exam.committedAt
        ? holds('committed', `By ${by}'s word the exam was committed on ${date}; by the builder's, the training began after that.`)
        : fails('committed', `The report says that the exam was committed at ${report.committedAt}, the chain says at ${exam.committedAt}.`),
    )
  if (report.attempt === undefined)
    checks.push(open('attempts', `The chain counts ${exam.attempts} attempts at this exam; the report does not say which this was.`))
  else
    checks.push(
      exam.attempts >= report.attempt
        ? holds('attempts', `This was attempt ${report.attempt} at this exam; the chain counts ${exam.attempts} in all.`)
        : fails('attempts', `The report says that this was attempt ${report.attempt}, but the chain counts only ${exam.attempts}: one was not counted.`),
    )
}

/** Equal to within rounding: figures are sums, which other machines may add up otherwise. */
function same(one: unknown, other: unknown): boolean {
  if (typeof one === 'number' && typeof other === 'number') return Math.abs(one - other) <= 1e-9
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return one === other
  const [left, right] = [one as Record<string, unknown>, other as Record<string, unknown>]
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])]
  return keys.every((key) => same(left[key], right[key]))
}
