/**
 * The budget wallet: what it holds, what it may spend, what it bought and the proofs. Knows nothing of keys.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { clock, shortDecimal } from '../format.ts'
import { useLanguage, useWords } from '../language.ts'
import { Hex } from '../parts/copy.tsx'
import { Fact, Fetched, Page, Trouble } from '../parts/fetched.tsx'
import { useOnce } from '../parts/once.ts'
import { Term } from '../parts/term.tsx'
import { fund, setLimits, type WalletView, wallet } from './market-api.ts'
import { type MarketWords, marketWords } from './words.ts'

export function Wallet() {
  const words = useWords(marketWords)
  const found = useQuery({ queryKey: ['wallet'], queryFn: ({ signal }) => wallet(signal), retry: false })
  return (
    <Page title={words.wallet} lead={words.walletLead}>
      <Fetched found={found}>
        {(view) => (
          <div className="grid gap-5 lg:grid-cols-2">
            <Holds view={view} words={words} />
            <Limits view={view} words={words} />
            <Receipts view={view} words={words} />
          </div>
        )}
      </Fetched>
    </Page>
  )
}

type Seen = { view: WalletView; words: MarketWords }

function Holds({ view, words }: Seen) {
  const queries = useQueryClient()
  const giving = useMutation({ mutationFn: fund, onSuccess: () => queries.invalidateQueries({ queryKey: ['wallet'] }) })
  const once = useOnce<void>(() => giving.mutateAsync())
  return (
    <section className="panel min-w-0">
      <h2 className="sr-only">{words.wallet}</h2>
      <p className="text-figure font-semibold tabular-nums">
        {shortDecimal(view.balance.open)} <span className="text-base font-normal text-soft">{view.currency}</span>
      </p>
      <dl className="@container mt-3 space-y-2 text-small">
        <Fact name={words.address}>
          <Hex value={view.address} what={words.address} />
        </Fact>
        <Fact name={words.today}>
          {shortDecimal(view.today.total.open)} {view.currency}
        </Fact>
        {Object.entries(view.today.models).map(([name, spent]) => (
          <Fact key={name} name={name}>
            {shortDecimal(spent.open)} {view.currency}
          </Fact>
        ))}
      </dl>
      {view.test && (
        <button type="button" className="button button-quiet mt-4" aria-disabled={giving.isPending} onClick={() => once(undefined)}>
          {words.gift}
        </button>
      )}
      <p role="status" className="mt-2 text-small text-gain empty:hidden">
        {giving.isSuccess ? words.given : ''}
      </p>
      {giving.error && <Trouble error={giving.error} />}
    </section>
  )
}

function Limits({ view, words }: Seen) {
  const id = useId()
  const queries = useQueryClient()
  const { limits } = view
  const [perQuery, setPerQuery] = useState(limits.perQuery.open)
  const [perDay, setPerDay] = useState(limits.perDay.open)
  const [perModel, setPerModel] = useState(limits.perModelPerDay?.open ?? '')
  const keeping = useMutation({
    mutationFn: () => setLimits({ perQuery: perQuery.trim(), perDay: perDay.trim(), perModelPerDay: perModel.trim() === '' ? null : perModel.trim() }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['wallet'] }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!keeping.isPending) keeping.mutate()
  }
  const fields = [
    { key: 'query', name: words.perQuery, value: perQuery, set: setPerQuery },
    { key: 'day', name: words.perDay, value: perDay, set: setPerDay },
    { key: 'model', name: words.perModel, value: perModel, set: setPerModel },
  ]
  return (
    <section className="panel min-w-0">
      <h2 className="text-large font-semibold">{words.limits}</h2>
      <p className="mt-1 text-small text-soft">{words.limitsText}</p>
      <form onSubmit={submit} className="mt-3 space-y-3">
        {fields.map(({ key, name, value, set }) => (
          <div key={key}>
            <label htmlFor={`${id}${key}`} className="text-small font-medium">
              {name} <span className="font-normal text-soft">({view.currency})</span>
            </label>
            <input
              id={`${id}${key}`}
              inputMode="decimal"
              autoComplete="off"
              value={value}
              onChange={(event) => set(event.target.value)}
              className="field min-h-11 max-w-56 block"
            />
          </div>
        ))}
        <button type="submit" className="button" aria-disabled={keeping.isPending}>
          {words.save}
        </button>
        <p role="status" className="text-small text-gain empty:hidden">
          {keeping.isSuccess ? words.saved : ''}
        </p>
        {keeping.error && <Trouble error={keeping.error} />}
      </form>
    </section>
  )
}

function Receipts({ view, words }: Seen) {
  const language = useLanguage()
  const columns = words.receiptColumns
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' })
  return (
    <section className="panel min-w-0 lg:col-span-2">
      <h2 id="receipts" className="text-large font-semibold">
        {words.receipts}
      </h2>
      {view.paid.length === 0 ? (
        <p className="mt-1 text-small text-soft">{words.noReceipts}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className="mt-3 overflow-x-auto" tabIndex={0} aria-labelledby="receipts">
          {/* Four columns are more than a phone is wide: there each receipt is two lines. */}
          <table className="w-full text-small max-sm:block">
            <thead className="max-sm:sr-only">
              <tr className="border-b border-line text-left text-soft">
                {Object.values(columns).map((name) => (
                  <th key={name} scope="col" className="py-2 pr-4 font-medium">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="max-sm:block">
              {view.paid.map((receipt) => (
                <tr
                  key={receipt.id}
                  className="border-b border-line last:border-0 max-sm:grid max-sm:grid-cols-[minmax(0,1fr)_auto] max-sm:items-baseline max-sm:py-2 max-sm:*:py-1 max-sm:*:pr-0"
                >
                  <td className="py-2 pr-4 whitespace-nowrap">
                    {day.format(receipt.at)} {clock(receipt.at)}
                  </td>
                  <td className="py-2 pr-4 wrap-anywhere max-sm:text-end">{receipt.model}</td>
                  <td className="py-2 pr-4 whitespace-nowrap tabular-nums">
                    {shortDecimal(receipt.amount.open)} {view.currency}
                  </td>
                  <td className="py-2 whitespace-nowrap">
                    <Hex value={receipt.tx} what={words.transaction} />{' '}
                    <Term term={words.passportTerm} explanation={words.passportWhat}>
                      <a href={`/api/receipts/${receipt.tx}/passport`} download className="text-river underline underline-offset-2">
                        {words.passportTerm}
                      </a>
                    </Term>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  )
}
