/**
 * Publishing: a price by sliding or typing, what similar models earn, what the chain will do in words, and one signature. The server decides
 * what a valid price is; its refusal is shown. Knows nothing of contracts.
 */
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { ModelView, StateView } from '../api.ts'
import { ask } from '../fetching.ts'
import { shortDecimal, shortHex } from '../format.ts'
import { useNumber, useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'
import { Go } from '../parts/go.tsx'
import { useOnce } from '../parts/once.ts'
import { studioWords } from '../words.ts'
import { similar } from './improve-api.ts'
import { improveWords } from './improve-words.ts'

/** Prices that the slider stops at, in OPEN: one, two, five of each power of ten. */
const STOPS = ['0.0001', '0.0002', '0.0005', '0.001', '0.002', '0.005', '0.01', '0.02', '0.05', '0.1', '0.2', '0.5', '1', '2', '5']
const FIRST = '0.01'
/** Questions a day that a builder may give each visitor before the first is paid. */
const GIFTS = [0, 1, 3, 10]
const SIMILAR_SHOWN = 3
/** Questions that the example of earnings is made of. */
const QUESTIONS = 1000

export function Publish({ model, network }: { model: ModelView; network: StateView['network'] }) {
  const words = useWords(improveWords)
  const { sell } = useWords(studioWords)
  const number = useNumber()
  const id = useId()
  const [price, setPrice] = useState(FIRST)
  const [free, setFree] = useState(0)
  const others = useQuery({
    queryKey: ['similar', model.name],
    queryFn: ({ signal }) => similar(model.words, model.task, signal),
    staleTime: 60_000,
  })
  const publishing = useMutation({
    mutationFn: () => ask<{ tx: string }>('POST', `/api/models/${encodeURIComponent(model.name)}/publish`, { price: price.trim(), free }),
  })
  const begin = useOnce<void>(() => publishing.mutateAsync())
  const { currency } = network
  const shown = others.data?.hits.filter(({ name }) => name !== model.name).slice(0, SIMILAR_SHOWN) ?? []
  const sum = times(price.trim(), QUESTIONS)
  return (
    <section className="min-w-0">
      <h3 className="text-large font-semibold">{sell.publishHeading}</h3>
      <form
        className="mt-3 flex flex-col gap-3"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          begin()
        }}
      >
        <div className="flex flex-wrap items-end gap-x-4 gap-y-2">
          <div>
            <label htmlFor={id} className="block text-small font-medium">
              {words.price(currency)}
            </label>
            <input
              id={id}
              inputMode="decimal"
              autoComplete="off"
              value={price}
              onChange={(event) => setPrice(event.target.value)}
              className="field mt-1 min-h-11 max-w-40 tabular-nums"
            />
          </div>
          <input
            type="range"
            aria-label={words.slide}
            aria-valuetext={`${price} ${currency}`}
            min={0}
            max={STOPS.length - 1}
            step={1}
            value={nearest(price)}
            onChange={(event) => setPrice(STOPS[Number(event.target.value)]!)}
            className="min-h-11 min-w-40 flex-1 accent-river"
          />
        </div>
        {sum !== null && <p className="text-small text-soft tabular-nums">{words.wouldEarn(number(QUESTIONS), `${shortDecimal(sum)} ${currency}`)}</p>}
        <div className="text-small">
          <h4 className="font-medium">{words.similar}</h4>
          {others.data && shown.length === 0 && <p className="text-soft">{words.similarNone}</p>}
          <ul className="mt-1 space-y-1">
            {shown.map((hit) => (
              <li key={hit.modelId} className="wrap-anywhere">
                <Go to={`/market/${hit.modelId}`} className="font-medium text-river underline underline-offset-2">
                  {hit.name}
                </Go>{' '}
                <span className="text-soft tabular-nums">
                  {words.similarRow(
                    `${shortDecimal(hit.price.open, 18)} ${currency}`,
                    number(hit.paid.queries),
                    `${shortDecimal(times(hit.price.open, hit.paid.queries) ?? '0')} ${currency}`,
                  )}
                </span>
              </li>
            ))}
          </ul>
        </div>
        <div className="text-small">
          <label htmlFor={`${id}free`} className="block font-medium">
            {words.free}
          </label>
          <select id={`${id}free`} value={free} onChange={(event) => setFree(Number(event.target.value))} className="field mt-1 min-h-11 max-w-40">
            {GIFTS.map((count) => (
              <option key={count} value={count}>
                {count === 0 ? words.freeNone : number(count)}
              </option>
            ))}
          </select>
        </div>
        <details className="text-small">
          <summary className="min-h-9 content-center font-medium text-river">{words.chain}</summary>
          <ol className="list-decimal space-y-1 ps-5 text-soft">
            {(model.task === 'answer' ? words.chainSteps : words.chainStepsNoQuote).map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </details>
        <button type="submit" className="button min-w-32 self-start" aria-disabled={publishing.isPending || publishing.isSuccess}>
          {publishing.isPending ? words.publishing : words.publish}
        </button>
        <p className="text-tiny text-soft">{words.signed}</p>
        {publishing.error && <Trouble error={publishing.error} />}
        <p role="status" className="text-small text-gain empty:sr-only">
          {publishing.data && sell.publishedNow(shortHex(publishing.data.tx))}
        </p>
      </form>
    </section>
  )
}

/** The stop nearest to a typed price, by ratio; where it is no number, the first. */
function nearest(price: string): number {
  const value = Number(price)
  if (!(value > 0)) return STOPS.indexOf(FIRST)
  const away = STOPS.map((stop) => Math.abs(Math.log(Number(stop) / value)))
  return away.indexOf(Math.min(...away))
}

/** A decimal times a whole number, exactly; null where it is no decimal. */
export function times(decimal: string, factor: number): string | null {
  const match = /^(\d{1,30})(?:\.(\d{1,18}))?$/.exec(decimal)
  if (!match) return null
  const fraction = match[2] ?? ''
  const product = (BigInt(match[1]! + fraction) * BigInt(factor)).toString().padStart(fraction.length + 1, '0')
  const whole = product.slice(0, product.length - fraction.length)
  const rest = product.slice(product.length - fraction.length).replace(/0+$/, '')
  return rest ? `${whole}.${rest}` : whole
}
