/**
 * Earn: what was paid today, in a week and in all, day by day and model by model, each payment with its proof; live, by the server's events.
 * Knows nothing of how a payment is made.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { EarningsExport } from '../../../src/core/earnings.ts'
import type { Demand } from '../../../src/core/market.ts'
import type { StateView } from '../../../src/core/view.ts'
import { get } from '../fetching.ts'
import { isoTime, shortDecimal } from '../format.ts'
import { useLanguage, useNumber, useWords } from '../language.ts'
import { Hex } from '../parts/copy.tsx'
import { Fetched, Page } from '../parts/fetched.tsx'
import { Go } from '../parts/go.tsx'
import { Term } from '../parts/term.tsx'
import { Gaps } from './gaps.tsx'
import { Profile } from './profile.tsx'
import { Shares } from './shares.tsx'
import { byModel, daily, openOf, type Span, sumOf, within } from './spans.ts'
import { Unwrap } from './unwrap.tsx'
import { Webhook } from './webhook.tsx'
import { type EarnWords, earnWords } from './words.ts'

type Found = EarningsExport & { currency: string }
const SPANS: readonly Span[] = ['today', 'week', 'all']
const DAYS = 30
const SHOWN = 25

async function fetched(signal: AbortSignal): Promise<Found> {
  const [earnings, state] = await Promise.all([get<EarningsExport>('/api/earnings/export.json', signal), get<StateView>('/api/state', signal)])
  return { ...earnings, currency: state.network.currency }
}

export function Earn() {
  const words = useWords(earnWords)
  const queries = useQueryClient()
  const found = useQuery({ queryKey: ['earnings'], queryFn: ({ signal }) => fetched(signal) })
  useEffect(() => {
    const events = new EventSource('/api/events')
    const anew = () => {
      void queries.invalidateQueries({ queryKey: ['earnings'] })
      void queries.invalidateQueries({ queryKey: ['shares'] })
    }
    events.addEventListener('receipt', anew)
    // After a pause something may have been missed.
    events.addEventListener('open', anew)
    return () => events.close()
  }, [queries])
  return (
    <Page title={words.title} lead={words.lead}>
      <Fetched found={found}>{(earnings) => <Earnings earnings={earnings} words={words} />}</Fetched>
      <Unwrap currency={found.data?.currency ?? 'OPEN'} />
      {found.data && <Shares builder={found.data.builder} />}
      <Profile />
      <Webhook />
      <Gaps />
      <Improve words={words} />
    </Page>
  )
}

function Earnings({ earnings, words }: { earnings: Found; words: EarnWords }) {
  const now = Date.now()
  const number = useNumber()
  const { payments, currency } = earnings
  return (
    <>
      <section aria-live="polite" className="grid gap-5 sm:grid-cols-3">
        {SPANS.map((span) => {
          const some = within(payments, span, now)
          return (
            <div key={span} className="panel">
              <h2 className="text-small text-soft">
                {span === 'all' ? (
                  words.spans.all
                ) : (
                  <Term term={words.spans[span]} explanation={words.spansWhat}>
                    {words.spans[span]}
                  </Term>
                )}
              </h2>
              <p className="mt-1 wrap-anywhere">
                <strong className="text-title font-semibold text-gain tabular-nums">{shortDecimal(openOf(sumOf(some)))}</strong>{' '}
                <span className="text-soft">{currency}</span>
              </p>
              <p className="text-small text-soft">{words.questions(some.length, number(some.length))}</p>
            </div>
          )
        })}
      </section>
      {payments.length === 0 ? (
        <section className="panel">
          <p className="max-w-prose">{words.none}</p>
        </section>
      ) : (
        <>
          <Chart payments={payments} currency={currency} now={now} words={words} />
          <Models payments={payments} currency={currency} words={words} />
          <Payments payments={payments} currency={currency} words={words} />
        </>
      )}
    </>
  )
}

type Part = { payments: Found['payments']; currency: string; words: EarnWords }

function Chart({ payments, currency, now, words }: Part & { now: number }) {
  const days = daily(payments, DAYS, now)
  const width = 100 / DAYS
  const ends = [days[0]!.day, days.at(-1)!.day]
  return (
    <section className="panel">
      <h2 className="text-large font-semibold">{words.chart}</h2>
      <svg
        role="img"
        aria-label={`${words.chart}: ${days
          .filter(({ sum }) => sum > 0n)
          .map(({ day, sum }) => words.chartDay(day, openOf(sum), currency))
          .join('; ')}`}
        width="100%"
        height="120"
        className="mt-4 block"
      >
        {days.map(({ day, sum, share }, index) => (
          <rect
            key={day}
            x={`${index * width + width * 0.15}%`}
            width={`${width * 0.7}%`}
            y={`${100 - 100 * share}%`}
            height={`${Math.max(100 * share, sum > 0n ? 2 : 0)}%`}
            rx="2"
            className="fill-river"
          >
            <title>{words.chartDay(day, openOf(sum), currency)}</title>
          </rect>
        ))}
        <line x1="0" x2="100%" y1="119.5" y2="119.5" className="stroke-line-strong" />
      </svg>
      <p className="mt-1 flex justify-between text-small text-soft tabular-nums" aria-hidden="true">
        {ends.map((day) => (
          <span key={day}>{day}</span>
        ))}
      </p>
    </section>
  )
}

function Models({ payments, currency, words }: Part) {
  const number = useNumber()
  return (
    <section className="panel">
      <h2 className="text-large font-semibold">{words.models}</h2>
      <table className="mt-3 w-full text-start">
        <thead>
          <tr className="border-b border-line text-small text-soft">
            <th scope="col" className="py-2 text-start font-normal">
              {words.model}
            </th>
            <th scope="col" className="py-2 text-end font-normal">
              {words.paid}
            </th>
            <th scope="col" className="py-2 text-end font-normal">
              {words.earned}
            </th>
          </tr>
        </thead>
        <tbody>
          {byModel(payments).map(({ model, modelId, queries, sum }) => (
            <tr key={modelId} className="border-b border-line last:border-0">
              <th scope="row" className="py-2 pe-3 text-start font-medium wrap-anywhere">
                <Go to={`/market/${encodeURIComponent(modelId)}`} className="text-river underline underline-offset-4">
                  {model}
                </Go>
              </th>
              <td className="py-2 text-end tabular-nums">{number(queries)}</td>
              <td className="py-2 text-end whitespace-nowrap tabular-nums">
                {shortDecimal(openOf(sum))} <span className="text-soft max-sm:hidden">{currency}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Payments({ payments, currency, words }: Part) {
  const [shown, setShown] = useState(SHOWN)
  const language = useLanguage()
  const number = useNumber()
  const newest = [...payments].reverse()
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' })
  return (
    <section className="panel">
      <div className="flex flex-wrap items-baseline justify-between gap-3">
        <h2 className="text-large font-semibold">
          <Term term={words.proof} explanation={words.proofWhat}>
            {words.payments}
          </Term>
        </h2>
        <p className="text-small">
          {words.exports}:{' '}
          <a href="/api/earnings/export.csv" download className="text-river underline underline-offset-4">
            CSV
          </a>
          ,{' '}
          <a href="/api/earnings/export.json" download className="text-river underline underline-offset-4">
            JSON
          </a>
        </p>
      </div>
      <ul className="mt-3">
        {newest.slice(0, shown).map(({ at, model, amount, yours, payer, tx, passport, block }) => (
          <li
            key={`${tx} ${block} ${passport} ${payer}`}
            className="grid gap-x-4 gap-y-1 border-b border-line py-3 last:border-0 sm:grid-cols-[11rem_minmax(0,1fr)_auto]"
          >
            <span className="text-small text-soft tabular-nums">{at === null ? words.unknownTime : <time dateTime={isoTime(at)}>{time.format(at)}</time>}</span>
            <span className="min-w-0">
              <span className="font-medium wrap-anywhere">{model}</span>
              <span className="block text-small text-soft">
                {words.payer} <Hex value={payer} what={words.payer} /> · {words.transaction} <Hex value={tx} what={words.transaction} />
              </span>
            </span>
            <span className="sm:text-end">
              <strong className="font-semibold text-gain tabular-nums">+{shortDecimal(yours.open)}</strong> <span className="text-soft">{currency}</span>
              {yours.atomic !== amount.atomic && <span className="block text-small text-soft">{words.partOf(shortDecimal(amount.open), currency)}</span>}
              <span className="block text-small">
                {passport ? (
                  <a href={passport} download className="text-river underline underline-offset-4" aria-label={`${words.proofOf}, ${tx}`}>
                    {words.proof}
                  </a>
                ) : (
                  <span className="text-soft">{words.noProof}</span>
                )}
              </span>
            </span>
          </li>
        ))}
      </ul>
      {newest.length > shown && (
        <button type="button" className="button button-quiet mt-3" onClick={() => setShown(shown + 4 * SHOWN)}>
          {words.more(number(Math.min(4 * SHOWN, newest.length - shown)))}
        </button>
      )}
    </section>
  )
}

function Improve({ words }: { words: EarnWords }) {
  const number = useNumber()
  const found = useQuery({ queryKey: ['demand'], queryFn: ({ signal }) => get<{ demand: Demand[] }>('/api/market/demand', signal) })
  return (
    <section className="panel">
      <h2 className="text-large font-semibold">
        <Term term={words.improve} explanation={words.improveWhat}>
          {words.improve}
        </Term>
      </h2>
      <Fetched found={found}>
        {({ demand }) =>
          demand.length === 0 ? (
            <p className="mt-2 text-soft">{words.improveNone}</p>
          ) : (
            <ul className="mt-3 space-y-2">
              {demand.slice(0, 8).map(({ words: sought, tags, searches }) => (
                <li key={`${tags.join()} ${sought}`} className="wrap-anywhere">
                  “{sought}” <span className="text-small text-soft">{words.searches(searches, number(searches))}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Fetched>
    </section>
  )
}
