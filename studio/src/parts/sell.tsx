/**
 * Selling: what a published model costs and has earned, or the control that publishes it at a price.
 * The server decides what a valid price is; its refusal is shown. Knows nothing of contracts.
 */
import { type FormEvent, useId, useState } from 'react'
import { isProblem, type ModelView, type Problem, publish, type StateView } from '../api.ts'
import { count, shortDecimal, shortHex } from '../format.ts'
import { useWords } from '../language.ts'
import { studioWords } from '../words.ts'
import { Hex } from './copy.tsx'
import { ProblemNote } from './problem.tsx'

export function Sell({ model, network }: { model: ModelView; network: StateView['network'] }) {
  const words = useWords(studioWords)
  if (model.modelId === null) return <Publish model={model} currency={network.currency} />
  return (
    <section>
      <h3 className="text-large font-semibold">{words.sell.heading}</h3>
      <dl className="mt-3 grid grid-cols-[auto_1fr] items-baseline gap-x-6 gap-y-2 text-small">
        <dt className="text-soft">{words.sell.earned}</dt>
        <dd className="text-title font-semibold text-gain tabular-nums" title={`${model.earned.open} ${network.currency}`}>
          {shortDecimal(model.earned.open)} <span className="text-small font-normal text-soft">{network.currency}</span>
        </dd>
        <dt className="text-soft">{words.sell.price}</dt>
        <dd className="tabular-nums">{model.price ? `${shortDecimal(model.price.open, 18)} ${network.currency}` : '–'}</dd>
        <dt className="text-soft">{words.sell.asked}</dt>
        <dd className="tabular-nums">{count(model.queries)}</dd>
        {model.payout && (
          <>
            <dt className="text-soft">{words.sell.payout}</dt>
            <dd>
              <Hex value={model.payout} what={words.receipts.address} />
            </dd>
          </>
        )}
        <dt className="text-soft">{words.sell.listing}</dt>
        <dd>
          <Hex value={model.modelId} what={words.sell.listing} />
        </dd>
      </dl>
    </section>
  )
}

function Publish({ model, currency }: { model: ModelView; currency: string }) {
  const words = useWords(studioWords)
  const id = useId()
  const [price, setPrice] = useState('0.01')
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [done, setDone] = useState<string | null>(null)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    // A second press while the first is on its way must not publish twice.
    if (sending) return
    setSending(true)
    setProblem(null)
    const result = await publish(model.name, price.trim())
    setSending(false)
    if (isProblem(result)) return setProblem(result)
    setDone(words.sell.publishedNow(shortHex(result.tx)))
  }

  return (
    <section>
      <h3 className="text-large font-semibold">{words.sell.publishHeading}</h3>
      <p className="mt-1 text-small text-soft">{words.sell.publishText}</p>
      <form onSubmit={submit} className="mt-3 flex flex-col gap-3">
        <label htmlFor={id} className="block text-small font-medium">
          {words.sell.priceLabel(currency)}
        </label>
        <div className="flex flex-wrap gap-3">
          <input
            id={id}
            inputMode="decimal"
            autoComplete="off"
            value={price}
            onChange={(event) => setPrice(event.target.value)}
            className="field min-h-11 max-w-40 tabular-nums"
          />
          <button type="submit" className="button min-w-32" aria-disabled={sending}>
            {sending ? words.sell.publishing : words.sell.publish}
          </button>
        </div>
        <ProblemNote problem={problem} />
        <p role="status" className="text-small text-gain empty:sr-only">
          {done}
        </p>
      </form>
    </section>
  )
}
