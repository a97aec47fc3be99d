/**
 * Small parts that the market's pages share: verdict, exam with its interval, price, use. Knows nothing of any one page.
 */
import { shortDecimal } from '../format.ts'
import { useNumber, useWords } from '../language.ts'
import { Term } from '../parts/term.tsx'
import type { Hit } from './market-api.ts'
import { marketWords } from './words.ts'

const own = (table: Record<string, string>, key: string): string => (Object.hasOwn(table, key) ? table[key]! : key)

export function Verdict({ verdict }: { verdict: string }) {
  const words = useWords(marketWords)
  const tone = verdict === 'proven' ? 'text-gain' : verdict === 'unproven' ? 'text-soft' : 'text-alarm'
  const name = own(words.verdicts, verdict)
  return (
    <Term term={name} explanation={own(words.verdictWhat, verdict)}>
      <span className={`font-semibold ${tone}`}>{name}</span>
    </Term>
  )
}

const hundred = (share: number): string => (100 * share).toFixed(0)

export function ExamBar({ exam, name }: { exam: NonNullable<Hit['exam']>; name: string }) {
  const words = useWords(marketWords)
  const at = (share: number): string => `${(100 * Math.max(0, Math.min(1, share))).toFixed(1)}%`
  const [low, high] = exam.interval
  const says = words.examIs(hundred(exam.score), hundred(low), hundred(high))
  return (
    <div className="min-w-0">
      <p className="text-small">
        <Term term={words.exam} explanation={words.examWhat}>
          {says}
        </Term>
      </p>
      <svg role="img" aria-label={`${name}: ${says}`} width="100%" height="20" className="mt-1 block max-w-sm overflow-visible">
        <rect width="100%" height="8" rx="3" className="fill-sunken" />
        <rect width={at(exam.score)} height="8" rx="3" className="fill-river" />
        <g className="stroke-ink" strokeWidth="1.5">
          <line x1={at(low)} x2={at(high)} y1="14.5" y2="14.5" />
          <line x1={at(low)} x2={at(low)} y1="11" y2="18" />
          <line x1={at(high)} x2={at(high)} y1="11" y2="18" />
        </g>
      </svg>
    </div>
  )
}

export function Price({ price, currency }: { price: Hit['price']; currency: string }) {
  const words = useWords(marketWords)
  return (
    <span className="whitespace-nowrap tabular-nums">
      <strong className="font-semibold">{shortDecimal(price.open, 18)}</strong> {currency} <span className="text-soft">{words.perQuestion}</span>
    </span>
  )
}

export function Use({ paid }: { paid: Hit['paid'] }) {
  const words = useWords(marketWords)
  const number = useNumber()
  return (
    <span className="text-small text-soft">
      {words.paid(paid.queries)},{' '}
      <Term term={words.organicTerm} explanation={words.organicWhat}>
        {words.organic(number(Math.round(paid.organic * 10) / 10))}
      </Term>
    </span>
  )
}

export const taskName = (task: string, words: { tasks: Record<string, string> }): string => own(words.tasks, task)
