/**
 * Checking the papers of an exam wherever they come from, with no data folder: by hashing and adding up alone, by what a gateway says
 * of the chain, or by what a node says. Knows nothing of files or printing.
 */
import type { Answer } from '../core/answer.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { leafOf, type OpenedExam, sealed } from '../core/exam.ts'
import type { Id } from '../core/id.ts'
import { Report } from '../core/report.ts'
import { ExamEvidence, METRICS, type Said, Sheet } from '../core/sheet.ts'
import type { ExamView } from '../core/view.ts'
import { saidOf } from '../steps/examine.ts'
import { compare, sample, scoreAlone } from '../steps/resit.ts'
import type { Verdict } from '../steps/verify.ts'
import { type ExamFacts, verifyExam } from '../steps/verify-exam.ts'

/** `told` is what the gateway says of the exam; with `rpc` a node is asked in its place. */
export async function checkExam(
  papers: unknown,
  options: { told?: ExamView | undefined; rpc?: string | undefined; opened?: OpenedExam | undefined },
): Promise<Verdict | Refusal> {
  const evidence = ExamEvidence.safeParse(papers)
  if (!evidence.success) return refuse('evidence_invalid', 'These are not the papers of an exam.', 'Take them from /api/models/MODEL/exam/evidence.')
  const facts = options.rpc === undefined ? toldBy(options.told) : await fromNode(options.rpc, evidence.data)
  if (isRefusal(facts)) return facts
  return verifyExam(evidence.data, { facts, opened: options.opened })
}

/** What an independent examiner found. `drop` is null where the cases are not those of the published exam, so that only scores compare. */
export type Examination = {
  n: number
  metric: string
  score: number
  published: { score: number; interval: [number, number] } | null
  drop: { expected: number; interval: [number, number]; beyondChance: boolean } | null
  said: Said[]
}

/**
 * Asks cases of one's own through `ask`, one after the other, at most `most` of them, and compares with what is published. Stops at
 * the first refusal.
 */
export async function examineFrom(options: {
  papers: unknown
  opened: OpenedExam
  most: number
  ask: (input: string) => Promise<Answer | Refusal>
  onCase?: ((done: number, of: number) => void) | undefined
}): Promise<Examination | Refusal> {
  const { opened } = options
  const evidence = ExamEvidence.safeParse(options.papers)
  const sheet = Sheet.safeParse(evidence.data?.sheet)
  if (!sheet.success)
    return refuse('evidence_invalid', 'The gateway has no sheet of this exam to compare with.', 'The model must be built again by its builder.')
  const { kind, labels, cases, arms } = sheet.data
  const places = sample(opened.cases.length, options.most)
  const said: Said[] = []
  for (const place of places) {
    const { input, answer: right } = opened.cases[place]!
    const answer = await options.ask(input)
    // A question too long for the model is an abstention in its exam.
    const silent = isRefusal(answer) && answer.code === 'question_too_long'
    if (isRefusal(answer) && !silent) return answer
    said.push(saidOf(kind, isRefusal(answer) ? { text: '', citations: [], abstained: true } : answer, right ?? null))
    options.onCase?.(said.length, places.length)
  }
  const own = { ...opened, cases: places.map((place) => opened.cases[place]!) }
  let score: number
  try {
    score = scoreAlone(kind, own, said, labels)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return refuse(
      'cases_unlike',
      `The cases are not of the kind this model is examined by (${METRICS[kind]}).`,
      'Give cases as modelfactory exam cases writes them.',
    )
  }
  const alike = sealed(opened).map(leafOf)
  const same = cases.length === alike.length && cases.every((one, place) => leafOf(one) === alike[place])
  const compared = same && arms.tuned ? compare(sheet.data, places, said) : null
  const tuned = Report.safeParse(evidence.data?.report).data?.arms.find(({ name }) => name === 'tuned')
  return {
    ...{ n: places.length, metric: METRICS[kind], score, said },
    published: tuned ? { score: tuned.score, interval: tuned.interval } : null,
    drop: compared && { expected: compared.expected, interval: compared.interval, beyondChance: compared.outcome === 'loss' },
  }
}

function toldBy(told: ExamView | undefined): ExamFacts | null {
  if (!told) return null
  return { exam: told.committed && { committedAt: told.committed.at, attempts: told.committed.attempts }, listed: told.listed, by: 'the gateway' }
}

async function fromNode(rpc: string, { modelId, report }: ExamEvidence): Promise<ExamFacts | Refusal> {
  const root = Report.safeParse(report).data?.root
  if (!modelId || !root) return refuse('exam_not_sealed', 'These papers name no model on chain, or no root of an exam.', 'Leave out --rpc to check the rest.')
  const { examFromNode } = await import('../drivers/chain/exam-witness.ts')
  const found = await examFromNode(rpc, { modelId, root: root as Id })
  return isRefusal(found) ? found : { ...found, by: 'the node' }
}
