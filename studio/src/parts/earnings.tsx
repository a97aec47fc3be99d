/**
 * Earnings: the one large figure of the page, what the builder has been paid so far. Knows nothing of how it moves.
 */
import type { StateView } from '../api.ts'
import { shortDecimal } from '../format.ts'
import { useWords } from '../language.ts'
import { studioWords } from '../words.ts'
import { Hex } from './copy.tsx'
import { Term } from './term.tsx'

export function Earnings({ state }: { state: StateView | null }) {
  const words = useWords(studioWords)
  const earnings = state?.earnings
  const currency = state?.network.currency ?? ''
  const queries = earnings?.models.reduce((sum, model) => sum + model.queries, 0) ?? 0
  return (
    <section aria-labelledby="earned" className="panel min-w-0">
      <h2 id="earned" className="text-small font-medium text-soft">
        {words.earnings.heading}
      </h2>
      <p className="mt-1 flex min-h-10 flex-wrap items-baseline gap-x-2">
        {earnings && state && (
          <>
            {/* The key makes each new sum light up once. */}
            <span
              key={earnings.total.atomic}
              className="arrived -mx-1 rounded px-1 text-figure font-semibold text-gain tabular-nums"
              title={`${earnings.total.open} ${currency}`}
            >
              {shortDecimal(earnings.total.open)}
            </span>
            <Term term={currency} explanation={words.earnings.currency(currency, state.network.test)}>
              <span className="text-soft">{currency}</span>
            </Term>
          </>
        )}
      </p>
      <p className="min-h-[1.3125rem] text-small text-soft">{earnings && (queries > 0 ? words.earnings.from(queries) : words.earnings.none)}</p>
      <p className="mt-2 flex min-h-[1.3125rem] flex-wrap gap-x-4 text-small text-soft">
        {earnings && (
          <>
            <span title={`${earnings.balance.open} ${currency}`}>
              {words.earnings.balance} <span className="text-ink tabular-nums">{shortDecimal(earnings.balance.open)}</span>
            </span>
            <span>
              {words.earnings.builder} <Hex value={earnings.builder} what={words.receipts.address} />
            </span>
            {queries > 0 && (
              <a href="/api/earnings/export.csv" download className="text-river underline underline-offset-2">
                {words.earnings.export}
              </a>
            )}
          </>
        )}
      </p>
    </section>
  )
}
