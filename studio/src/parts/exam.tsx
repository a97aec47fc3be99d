/**
 * Exam: the score of each arm as a bar with its 95 % interval, and what that means in a sentence.
 * Knows nothing of how the exam was sat.
 */
import type { ModelView } from '../api.ts'
import { percentNumber } from '../format.ts'
import { told, useWords } from '../language.ts'
import { compare } from '../story.ts'
import { studioWords } from '../words.ts'
import { Term } from './term.tsx'

type Arm = ModelView['exam']['arms'][number]

export function Exam({ model }: { model: ModelView | null }) {
  const words = useWords(studioWords)
  const exam = model?.exam ?? null
  const metric = exam ? metricOf(exam.metric) : null
  return (
    <section className="flex min-w-0 flex-col">
      <h3 className="text-large font-semibold">
        <Term term={words.exam.sealedTerm} explanation={words.exam.sealed}>
          {words.exam.heading}
        </Term>
      </h3>
      {!exam || !metric || exam.arms.length === 0 ? (
        <p className="mt-3 flex min-h-52 flex-1 items-center justify-center rounded-lg bg-sunken p-6 text-center text-small text-soft">{words.exam.none}</p>
      ) : (
        <>
          <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-small text-soft">
            <span>{words.exam.n(exam.n)}</span>
            <Term term={metric.name} explanation={metric.what}>
              {metric.name}
            </Term>
            <Term term={words.exam.intervalTerm} explanation={words.exam.interval}>
              {words.exam.intervalTerm}
            </Term>
          </p>
          <ul className="mt-4 space-y-4">
            {exam.arms.map((arm) => (
              <Bar key={arm.name} arm={arm} />
            ))}
          </ul>
          <div aria-hidden="true" className="mt-2 flex justify-between border-t border-line pt-1 text-tiny text-soft tabular-nums">
            <span>0</span>
            <span>50</span>
            <span>100 %</span>
          </div>
          {/* A server from before there was a gate says nothing of a standing; then the intervals speak. */}
          {model?.standing ? (
            <Standing model={model} standing={model.standing} why={exam.verdict?.why} />
          ) : (
            <p className="mt-4 border-l-2 border-river pl-3 text-small">{verdict(exam.arms)}</p>
          )}
        </>
      )}
    </section>
  )
}

/** The gate's verdict as the listing carries it, its reason, and the way to the whole card. */
function Standing({ model, standing, why }: { model: ModelView; standing: NonNullable<ModelView['standing']>; why: string | undefined }) {
  const words = useWords(studioWords)
  const { name, what } = words.exam.standings[standing]
  const trouble = standing === 'worse' || standing === 'unverified'
  return (
    <div className={`mt-4 border-l-2 pl-3 text-small ${trouble ? 'border-alarm' : 'border-river'}`}>
      <p>
        <Term term={name} explanation={what}>
          <span className={`font-semibold ${trouble ? 'text-alarm' : standing === 'proven' ? 'text-gain' : ''}`}>{name}</span>
        </Term>
      </p>
      {why && <p className="mt-1 text-soft">{why}</p>}
      <p className="mt-1">
        <a href={`/models/${encodeURIComponent(model.name)}/card`} target="_blank" rel="noreferrer" className="text-river underline underline-offset-2">
          {words.exam.card}
        </a>
      </p>
    </div>
  )
}

function Bar({ arm }: { arm: Arm }) {
  const words = useWords(studioWords)
  const name = words.exam.arms[arm.name] ?? arm.name
  const [score, low, high] = [arm.score, arm.interval[0], arm.interval[1]].map((value) => Math.max(0, Math.min(1, Number.isFinite(value) ? value : 0))) as [
    number,
    number,
    number,
  ]
  const explanation = [words.exam.armTerms[arm.name], arm.what && words.exam.madeOf(arm.what)].filter(Boolean).join(' ')
  const at = (share: number): string => `${(share * 100).toFixed(2)}%`
  return (
    <li>
      <p className="flex flex-wrap items-baseline justify-between gap-x-3 text-small">
        <Term term={name} explanation={explanation}>
          <span className={arm.name === 'tuned' ? 'font-semibold' : ''}>{name}</span>
        </Term>
        <span className="tabular-nums">
          <span className="font-semibold">{percentNumber(score)} %</span>{' '}
          <span className="text-soft">{words.exam.range(percentNumber(low), percentNumber(high))}</span>
        </span>
      </p>
      <svg
        role="img"
        aria-label={words.exam.bar(name, percentNumber(score), percentNumber(low), percentNumber(high))}
        width="100%"
        height="24"
        className="mt-1 block overflow-visible"
      >
        <rect x="0" y="0" width="100%" height="12" rx="3" className="fill-sunken" />
        <rect x="0" y="0" width={at(score)} height="12" rx="3" className={arm.name === 'tuned' ? 'fill-river' : 'fill-muted-bar'} />
        {/* The interval stands under the bar, where it shows on any colour. */}
        <g className="stroke-ink" strokeWidth="1.5">
          <line x1={at(low)} x2={at(high)} y1="18.5" y2="18.5" />
          <line x1={at(low)} x2={at(low)} y1="15" y2="22" />
          <line x1={at(high)} x2={at(high)} y1="15" y2="22" />
        </g>
      </svg>
    </li>
  )
}

/** A metric's plain name, whatever spelling the report uses. */
function metricOf(metric: string): { name: string; what: string } {
  const words = told(studioWords)
  return words.exam.metrics[metric.toLowerCase().replace(/[^a-z0-9]/g, '')] ?? { name: metric, what: words.exam.otherMetric }
}

function verdict(arms: readonly Arm[]): string {
  const words = told(studioWords)
  const find = (name: string) => arms.find((arm) => arm.name === name)
  const [tuned, base, baseline] = [find('tuned'), find('base'), find('baseline')]
  if (!tuned || !base) return ''
  const overBase = compare(tuned, base)
  if (overBase !== 'better') return words.exam.verdicts[overBase]
  const overBaseline = baseline ? compare(tuned, baseline) : 'unclear'
  if (overBaseline === 'better') return words.exam.verdicts.better
  return overBaseline === 'worse' ? words.exam.verdicts.belowBaseline : words.exam.verdicts.betterThanBase
}
