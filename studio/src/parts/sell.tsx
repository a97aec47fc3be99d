/**
 * Selling: what a published model costs and has earned, and the page to share; or the way to publish it. Knows nothing of contracts.
 */
import type { ModelView, StateView } from '../api.ts'
import { improveWords } from '../build/improve-words.ts'
import { Publish } from '../build/publish.tsx'
import { count, shortDecimal } from '../format.ts'
import { useWords } from '../language.ts'
import { studioWords } from '../words.ts'
import { Command, Hex } from './copy.tsx'
import { Go } from './go.tsx'

export function Sell({ model, network }: { model: ModelView; network: StateView['network'] }) {
  const words = useWords(studioWords)
  const { share, shareWhat } = useWords(improveWords)
  if (model.modelId === null) return <Publish model={model} network={network} />
  const page = `/market/${model.modelId}`
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
      <p className="mt-4 text-small">
        <Go to={page} className="font-medium text-river underline underline-offset-4">
          {share}
        </Go>
      </p>
      <Command text={window.location.origin + page} what={shareWhat} />
    </section>
  )
}
