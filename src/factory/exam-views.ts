/**
 * Exam views: what is known of a model's exam as JSON and in plain words. Knows nothing of where it is kept.
 */
import type { Hex } from '../core/listing.ts'
import type { Report } from '../core/report.ts'
import type { ExamView, Standing, TwinView } from '../core/view.ts'
import type { ExamRecord } from '../ports/chain.ts'
import type { Model } from '../ports/database.ts'

/** A package without a verdict was made before there was a gate: nothing is proven. */
export function standingOf(report: Pick<Report, 'verdict'>, twin: TwinView | null): Standing {
  return twin?.outcome === 'unverified' ? 'unverified' : (report.verdict?.outcome ?? 'unproven')
}

/** `sat` is how many attempts this data folder knows of. */
export function examView(known: {
  model: Model
  modelId: Hex | null
  report: Report
  exam: ExamRecord | undefined
  listed: ExamView['listed']
  sat: number
  others: number
  twin: TwinView | null
  running: ExamView['running']
}): ExamView {
  const { model, modelId, report, exam, twin, others } = known
  const view = {
    ...{ model: model.name, packageId: model.packageId, modelId, root: report.root ?? null, n: report.n, metric: report.metric, arms: report.arms },
    verdict: report.verdict ?? null,
    standing: standingOf(report, twin),
    committed: exam ? { at: exam.committedAt, attempts: exam.attempts } : null,
    listed: known.listed,
    beforeTraining: exam !== undefined && report.committedAt === exam.committedAt,
    uncounted: Math.max(0, known.sat - (exam?.attempts ?? 0)),
    ...{ others, twin, running: known.running },
  }
  return { ...view, says: sentences(view) }
}

function sentences(view: Omit<ExamView, 'says'>): string[] {
  const { verdict } = view
  return [
    view.root
      ? `Sealed exam of ${view.n} cases, root ${view.root}.`
      : `Exam of ${view.n} cases, from before exams were sealed: its scores cannot be computed again. Build the model again.`,
    ...view.arms.map(
      (arm) => `  ${arm.name.padEnd(8)} ${arm.score.toFixed(3)} [${arm.interval.map((bound) => bound.toFixed(3)).join(', ')}] ${view.metric}: ${arm.what}`,
    ),
    verdict ? `${LABELS[view.standing]}: ${verdict.why}` : `${LABELS[view.standing]}: there was no gate when it was built.`,
    ...todayLines(view),
    'A builder who controls their own machine can still cheat: only an examiner with cases of their own cannot be fooled by them.',
  ]
}

/** What is known beside the report, and may change: commitment, attempts, and how the model does as it is served. */
export function todayLines(view: Omit<ExamView, 'says'>): string[] {
  const { committed, twin, running } = view
  return [
    ...(committed
      ? [
          `Committed on chain on ${new Date(committed.at * 1000).toISOString()}, ${view.beforeTraining ? 'before the training' : 'after the training, which proves little'}; ${committed.attempts} ${committed.attempts === 1 ? 'attempt' : 'attempts'} counted.`,
        ]
      : view.root
        ? ['Not committed on chain.']
        : []),
    ...(view.uncounted ? [`${view.uncounted} more known here and not counted on chain yet.`] : []),
    ...(view.others ? [`${view.others} other ${view.others === 1 ? 'exam was' : 'exams were'} committed for this model.`] : []),
    ...(running ? [`Being asked again: ${running.done} of ${running.of} cases.`] : []),
    twin ? `Asked again as it is served: ${twin.why}` : 'Not asked again as it is served yet.',
  ]
}

const LABELS: Record<Standing, string> = { proven: 'Proven', unproven: 'UNPROVEN', worse: 'WORSE THAN ITS BASE', unverified: 'UNVERIFIED' }
