/**
 * Up to four listings side by side, and the same question put to all of them. Knows nothing of how they were chosen.
 */
import { useMutation, useQueries, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { formatOpen } from '../../../src/core/royalty.ts'
import { useLanguageNames, useNumber, useWords } from '../language.ts'
import { Page, Trouble } from '../parts/fetched.tsx'
import { Go } from '../parts/go.tsx'
import { useOnce } from '../parts/once.ts'
import { ExamBar, Price, taskName, Use, Verdict } from './bits.tsx'
import { toggleCompared, useCompared } from './chosen.ts'
import { type ListingView, listing } from './market-api.ts'
import { listingPath, useChain } from './search.tsx'
import { askPaid, type Chain, type Completion, Reply, walletWords } from './try.tsx'
import { type MarketWords, marketWords } from './words.ts'

export function Compare() {
  const words = useWords(marketWords)
  const ids = useCompared()
  const chain = useChain()
  const found = useQueries({ queries: ids.map((id) => ({ queryKey: ['listing', id], queryFn: () => listing(id) })) })
  const views = found.flatMap(({ data }) => (data && !data.retired ? [data] : []))
  return (
    <Page title={words.compareTitle}>
      <p>
        <Go to="/market" className="text-river underline underline-offset-4">
          ← {words.back}
        </Go>
      </p>
      {found.map(({ error }, place) => error && <Trouble key={ids[place]} error={error} />)}
      {ids.length === 0 ? <p className="panel text-soft">{words.compareNone}</p> : chain.data && <SideBySide views={views} chain={chain.data} words={words} />}
    </Page>
  )
}

type Replies = Record<string, Completion | Error>

function SideBySide({ views, chain, words }: { views: ListingView[]; chain: Chain; words: MarketWords }) {
  const number = useNumber()
  const names = useLanguageNames()
  const id = useId()
  const queries = useQueryClient()
  const [text, setText] = useState('')
  const asking = useMutation({
    // One after the other: each is a payment of its own, and one that fails leaves the others theirs.
    async mutationFn(question: string) {
      const replies: Replies = {}
      for (const view of views)
        replies[view.modelId] = await askPaid('budget', chain, view, question, false).catch((error: unknown) =>
          error instanceof Error ? error : new Error(String(error)),
        )
      return replies
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ['wallet'] }),
  })
  const { currency } = chain.network
  const sum = formatOpen(views.reduce((total, { price }) => total + BigInt(price.atomic), 0n))
  const once = useOnce(asking.mutateAsync)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (text.trim() && views.length) once(text.trim())
  }
  const rows: { name: string; cell: (view: ListingView) => React.ReactNode }[] = [
    { name: words.rows.price, cell: (view) => <Price price={view.price} currency={currency} /> },
    { name: words.rows.exam, cell: (view) => (view.exam ? <ExamBar exam={view.exam} name={view.name} /> : words.noExam) },
    { name: words.rows.verdict, cell: (view) => <Verdict verdict={view.verdict} /> },
    { name: words.rows.task, cell: (view) => taskName(view.task, words) },
    { name: words.rows.languages, cell: (view) => names(view.languages) || '–' },
    { name: words.rows.speed, cell: (view) => (view.latencyMs === null ? '–' : words.ms(number(Math.round(view.latencyMs)))) },
    { name: words.rows.use, cell: (view) => <Use paid={view.paid} /> },
    { name: words.rows.base, cell: (view) => view.base || '–' },
    { name: words.rows.licence, cell: (view) => view.licences.join(', ') || '–' },
  ]
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="panel overflow-x-auto" tabIndex={0} aria-label={words.compareTitle}>
        <table className="w-full text-small">
          <thead>
            <tr className="align-top">
              <td />
              {views.map((view) => (
                <th key={view.modelId} scope="col" className="min-w-52 p-2 text-left">
                  <Go to={listingPath(view.modelId)} className="text-base font-semibold text-river underline underline-offset-4 wrap-anywhere">
                    {view.name}
                  </Go>
                  <button
                    type="button"
                    onClick={() => toggleCompared(view.modelId)}
                    aria-label={words.remove(view.name)}
                    className="ms-2 min-h-6 min-w-6 rounded text-soft hover:text-alarm"
                  >
                    ✕
                  </button>
                  <p dir="auto" className="mt-1 line-clamp-3 font-serif font-normal wrap-anywhere">
                    {view.words}
                  </p>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, cell }) => (
              <tr key={name} className="border-t border-line align-top">
                <th scope="row" className="min-w-28 p-2 text-left font-medium text-soft">
                  {name}
                </th>
                {views.map((view) => (
                  <td key={view.modelId} className="p-2 wrap-anywhere">
                    {cell(view)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section className="panel min-w-0">
        <h2 className="text-large font-semibold">{words.askAll}</h2>
        <form onSubmit={submit} className="mt-3 space-y-3">
          <label htmlFor={id} className="block text-small font-medium">
            {words.yourQuestion}
          </label>
          <textarea id={id} rows={2} dir="auto" value={text} onChange={(event) => setText(event.target.value)} className="field" />
          <button type="submit" className="button" aria-disabled={asking.isPending || !text.trim()}>
            {asking.isPending ? words.asking : words.askPaid(sum, currency)}
          </button>
          <p className="text-small text-soft">
            {words.payWith}: {words.budgetWallet}
          </p>
        </form>
        <div aria-live="polite" className="mt-4 grid gap-5 md:grid-cols-2">
          {asking.data &&
            views.map((view) => {
              const reply = asking.data[view.modelId]
              if (!reply) return null
              return (
                <div key={view.modelId} className="min-w-0">
                  <h3 className="mb-2 font-semibold wrap-anywhere">{view.name}</h3>
                  {reply instanceof Error ? <Trouble error={walletWords(reply, words)} /> : <Reply reply={reply} currency={currency} />}
                </div>
              )
            })}
        </div>
      </section>
    </>
  )
}
