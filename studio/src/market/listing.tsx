/**
 * One listing: what it does, how it did on its exam, what it costs, who uses it, how to use it, trying it, and what payers said. Every text of
 * its builder is shown as text. Knows nothing of how any of it is computed.
 */
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { ask, Failed } from '../fetching.ts'
import { shortDecimal } from '../format.ts'
import { useLanguage, useLanguageNames, useNumber, useWords } from '../language.ts'
import { Hex } from '../parts/copy.tsx'
import { Fact, Fetched, Page, Trouble } from '../parts/fetched.tsx'
import { Go } from '../parts/go.tsx'
import { ExamBar, Price, taskName, Use, Verdict } from './bits.tsx'
import { BuilderPanel } from './builder.tsx'
import { type ListingView, listing } from './market-api.ts'
import { ReviewForm } from './review-form.tsx'
import { useChain } from './search.tsx'
import { Snippets } from './snippets.tsx'
import { Try } from './try.tsx'
import { type MarketWords, marketWords } from './words.ts'

/** How often a listing that is not there yet is looked for. */
const YOUNG_LOOKS = 15

export function Listing({ id }: { id: string }) {
  const words = useWords(marketWords)
  const found = useQuery({
    queryKey: ['listing', id],
    queryFn: ({ signal }) => listing(id, signal),
    // Published a moment ago, it is on the chain before the market has read its package.
    refetchInterval: ({ state: { data, error, dataUpdateCount, errorUpdateCount } }) => {
      const young = (error instanceof Failed && error.code === 'listing_unknown') || (data && data.facts === null)
      return young && dataUpdateCount + errorUpdateCount < YOUNG_LOOKS ? 2000 : false
    },
  })
  return (
    <Page title={found.data?.name ?? words.title}>
      <p>
        <Go to="/market" className="text-river underline underline-offset-4">
          ← {words.back}
        </Go>
      </p>
      <Fetched found={found}>{(view) => (view === null || view.retired ? <p className="panel">{words.gone}</p> : <Whole view={view} words={words} />)}</Fetched>
    </Page>
  )
}

function Whole({ view, words }: { view: ListingView; words: MarketWords }) {
  const chain = useChain()
  const currency = chain.data?.network.currency ?? ''
  return (
    <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <div className="min-w-0 space-y-5">
        <section className="panel min-w-0">
          <p dir="auto" className="max-w-prose font-serif text-large wrap-anywhere">
            {view.words}
          </p>
          <p className="mt-3 text-large">
            <Price price={view.price} currency={currency} />
          </p>
          <p className="mt-2 text-small">
            <Verdict verdict={view.verdict} /> <span className="text-soft">· {taskName(view.task, words)}</span>
          </p>
          <div className="mt-3">{view.exam ? <ExamBar exam={view.exam} name={view.name} /> : words.noExam}</div>
          {view.exams.map(({ examRoot, attempts }) => (
            <p key={examRoot} className="mt-1 text-small text-soft">
              {words.attempts(attempts)}
            </p>
          ))}
          <p className="mt-2 text-small">
            <a href={`/models/${encodeURIComponent(view.name)}/card`} target="_blank" rel="noreferrer" className="text-river underline underline-offset-2">
              {words.card}
            </a>
          </p>
          {view.why.length > 0 && (
            <details className="mt-2 text-small">
              <summary className="min-h-9 content-center text-soft">{words.why}</summary>
              <ul className="list-disc ps-5">
                {view.why.map((reason) => (
                  <li key={reason} className="wrap-anywhere">
                    {reason}
                  </li>
                ))}
              </ul>
            </details>
          )}
        </section>
        {chain.data && <Try hit={view} chain={chain.data} />}
        {chain.data && (
          <Snippets
            model={view.name}
            price={view.price.atomic}
            place={{ url: window.location.origin, network: chain.data.network, token: chain.data.contracts.token }}
          />
        )}
        <Reviews view={view} words={words} />
        <ReviewForm view={view} />
      </div>
      <aside className="min-w-0 space-y-5">
        <Facts view={view} currency={currency} words={words} />
        {view.builder && <BuilderPanel builder={view.builder} modelId={view.modelId} />}
        <Report view={view} words={words} />
      </aside>
    </div>
  )
}

function Facts({ view, currency, words }: { view: ListingView; currency: string; words: MarketWords }) {
  const language = useLanguage()
  const number = useNumber()
  const names = useLanguageNames()
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' })
  return (
    <section className="panel min-w-0">
      <h2 className="sr-only">{view.name}</h2>
      <dl className="@container space-y-3 text-small">
        <Fact name={words.rows.use}>
          <Use paid={view.paid} />
          <span className="block text-soft">
            {shortDecimal(view.usage.open.open)} {currency}
          </span>
        </Fact>
        {view.health && view.health.answered + view.health.failed > 0 && <HealthFact health={view.health} words={words} />}
        {view.languages.length > 0 && <Fact name={words.rows.languages}>{names(view.languages)}</Fact>}
        {view.base && <Fact name={words.rows.base}>{view.base}</Fact>}
        {view.latencyMs !== null && <Fact name={words.rows.speed}>{words.ms(number(Math.round(view.latencyMs)))}</Fact>}
        {view.licences.length > 0 && <Fact name={words.rows.licence}>{view.licences.join(', ')}</Fact>}
        {view.registeredAt > 0 && <Fact name={words.listed}>{day.format(view.registeredAt * 1000)}</Fact>}
        {view.version > 0 && <Fact name={words.version}>{number(view.version)}</Fact>}
        {view.payout && (
          <Fact name={words.builtBy}>
            <Hex value={view.payout} what={words.builtBy} />
          </Fact>
        )}
        {view.prices.length > 1 && (
          <Fact name={words.prices}>
            {view.prices.map(({ at, price }) => (
              <span key={at} className="block">
                {day.format(at * 1000)}: {price.open}
              </span>
            ))}
          </Fact>
        )}
        {view.versions.length > 1 && (
          <Fact name={words.versions}>
            {view.versions.map(({ at, version, exam, worse }) => (
              <span key={version} className="block">
                {version}: {day.format(at * 1000)}
                {exam && <span className="tabular-nums"> · {number(Math.round(exam.score * 1000) / 1000)}</span>}
                {worse && <strong className="block font-semibold text-alarm">{words.worse}</strong>}
              </span>
            ))}
          </Fact>
        )}
        {view.sample && (
          <Fact name={words.passportTerm}>
            <a
              href={`/api/receipts/${view.sample.tx}/passport?request=${view.sample.requestHash}`}
              download
              className="text-river underline underline-offset-2"
            >
              {words.samplePassport}
            </a>
          </Fact>
        )}
      </dl>
    </section>
  )
}

/** How it answered of late at this gateway, with what got no answer drawn as what is missing of the whole. */
function HealthFact({ health, words }: { health: NonNullable<ListingView['health']>; words: MarketWords }) {
  const number = useNumber()
  const { days, answered, failed, halfMs, mostMs, up } = health
  const share = answered / (answered + failed)
  return (
    <Fact name={words.rows.health}>
      <svg width="100%" height="6" aria-hidden="true" className="my-1 block">
        <rect width="100%" height="6" rx="3" className="fill-alarm" />
        <rect width={`${share * 100}%`} height="6" rx="3" className="fill-gain" />
      </svg>
      <span className="block">{words.answered(number(answered), number(answered + failed), number(days))}</span>
      {halfMs !== null && mostMs !== null && <span className="block text-soft">{words.began(number(halfMs), number(mostMs))}</span>}
      {up !== null && <span className="block text-soft">{words.up(`${number(Math.round(up * 1000) / 10)}\u00a0%`)}</span>}
    </Fact>
  )
}

function Reviews({ view, words }: { view: ListingView; words: MarketWords }) {
  return (
    <section className="panel min-w-0">
      <h2 className="text-large font-semibold">{words.reviews}</h2>
      {view.reviews.length === 0 ? (
        <p className="mt-1 text-small text-soft">{words.noReviews}</p>
      ) : (
        <ul className="mt-3 space-y-4">
          {view.reviews.map(({ id, stars, text, tx, reply }) => (
            <li key={id}>
              <p className="text-small">
                <span role="img" aria-label={words.stars(stars)} className="tracking-widest text-practice">
                  {'★'.repeat(stars)}
                  {'☆'.repeat(5 - stars)}
                </span>{' '}
                <Hex value={tx} what={words.transaction} />
              </p>
              <p dir="auto" className="mt-1 max-w-prose font-serif wrap-anywhere">
                {text}
              </p>
              {reply && (
                <p dir="auto" className="mt-1 border-s-2 border-line-strong ps-3 text-small wrap-anywhere">
                  <strong className="font-semibold">{words.reply}:</strong> {reply.text}
                </p>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** Telling the owner of the gateway that something is wrong with a listing. */
function Report({ view, words }: { view: ListingView; words: MarketWords }) {
  const id = useId()
  const [reason, setReason] = useState('')
  const telling = useMutation({
    mutationFn: () => ask<unknown>('POST', `/api/market/listings/${encodeURIComponent(view.modelId)}/report`, { reason: reason.trim() }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (reason.trim().length >= 3 && !telling.isPending && !telling.isSuccess) telling.mutate()
  }
  return (
    <details className="panel text-small">
      <summary className="min-h-9 content-center text-soft">{words.report}</summary>
      <form onSubmit={submit} className="mt-2 space-y-2">
        <label htmlFor={id} className="block">
          {words.reportWhy}
        </label>
        <textarea id={id} rows={3} maxLength={2000} value={reason} onChange={(event) => setReason(event.target.value)} className="field" />
        <button type="submit" className="button button-quiet" aria-disabled={telling.isPending || telling.isSuccess || reason.trim().length < 3}>
          {words.reportSend}
        </button>
        <p role="status" className="text-gain empty:hidden">
          {telling.isSuccess ? words.reported : ''}
        </p>
        {telling.error && <Trouble error={telling.error} />}
      </form>
    </details>
  )
}
