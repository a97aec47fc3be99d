/**
 * Trying a listing: a question, what it costs, and who pays: the machine's budget wallet, a wallet in this browser, or nobody where the asker
 * built the model. What comes back is shown as text. Knows nothing of how a payment is made.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { explain, openClient, PayError } from '../../../src/apps/client/client.ts'
import type { Amount } from '../../../src/core/royalty.ts'
import type { StateView } from '../../../src/core/view.ts'
import { ask, Failed } from '../fetching.ts'
import { shortDecimal, webLink } from '../format.ts'
import { useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'
import { useOnce } from '../parts/once.ts'
import { Term } from '../parts/term.tsx'
import { connectWallet, hasWallet, WalletProblem } from './browser-wallet.ts'
import { freeOf, type Hit, wallet } from './market-api.ts'
import { type MarketWords, marketWords } from './words.ts'

export type Chain = Pick<StateView, 'network' | 'contracts'>
export type Completion = {
  choices: { message: { content: string } }[]
  modelfactory: {
    sources?: { quote: string; title: string; heading: string; file: string; url?: string; probability: number }[]
    label?: string | null
    scores?: { label: string; probability: number }[] | null
    receipt: { tx: string; amount: Amount; requestHash: string } | null
    free: string | null
  }
}
type Payer = 'budget' | 'browser'

/** Keeps what a browser's wallet spent and what is under way, one book for each payer. */
const bookOf = (address: string) => {
  const key = `modelfactory-spending-${address.toLowerCase()}`
  return { load: () => localStorage.getItem(key), save: (text: string) => localStorage.setItem(key, text) }
}

/** One question, paid by `payer`, or one that the builder gives away; with `store` its builder may read it when it has no answer. @throws {Failed} or {WalletProblem} */
export async function askPaid(
  payer: Payer | 'nobody',
  { network, contracts }: Chain,
  hit: Pick<Hit, 'name' | 'price'>,
  text: string,
  store: boolean,
): Promise<Completion> {
  const request = { model: hit.name, messages: [{ role: 'user', content: text }], ...(store && { store }) }
  if (payer === 'nobody') return ask<Completion>('POST', '/v1/chat/completions', request)
  if (payer === 'budget') return ask<Completion>('POST', '/api/wallet/ask', { model: hit.name, text, store })
  const account = await connectWallet(network.chainId)
  const url = window.location.origin
  const client = await openClient({
    ...{ url, account: account as Parameters<typeof openClient>[0]['account'], network: network.caip2, asset: contracts.token as `0x${string}` },
    // What the page said it costs, and not a unit more.
    ...{ maximum: BigInt(hit.price.atomic), keep: bookOf(account.address) },
  })
  try {
    const body = JSON.stringify(request)
    const reply = await client.fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const refused = await explain(reply)
    if (refused) throw new Failed(refused.message, refused.hint, refused.code)
    return (await reply.json()) as Completion
  } catch (error) {
    throw error instanceof PayError ? new Failed(error.refusal.message, error.refusal.hint, error.refusal.code) : error
  }
}

export function Try({ hit, chain }: { hit: Hit; chain: Chain }) {
  const words = useWords(marketWords)
  const id = useId()
  const queries = useQueryClient()
  const [text, setText] = useState('')
  const [readable, setReadable] = useState(false)
  const budget = useQuery({ queryKey: ['wallet'], queryFn: ({ signal }) => wallet(signal), retry: false })
  const mayBudget = budget.data !== undefined
  // Until it is known who may pay, nobody is chosen: a choice must not change by itself under whoever looks at it.
  const known = !budget.isPending
  const [wish, setWish] = useState<Payer | null>(null)
  const payer: Payer | null = wish ?? (!known ? null : mayBudget ? 'budget' : 'browser')
  const asking = useMutation({
    mutationFn: ({ question, from }: { question: string; from: Payer | 'nobody' }) => askPaid(from, chain, hit, question, readable),
    onSettled: () => Promise.all([queries.invalidateQueries({ queryKey: ['wallet'] }), queries.invalidateQueries({ queryKey: ['free', hit.name] })]),
  })
  const once = useOnce(asking.mutateAsync)
  // A model of another gateway has none here.
  const free = useQuery({ queryKey: ['free', hit.name], queryFn: ({ signal }) => freeOf(hit.name, signal), retry: false })
  const left = free.data?.left ?? 0
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (text.trim() && payer) once({ question: text.trim(), from: payer })
  }
  return (
    <section className="panel min-w-0">
      <h2 className="text-large font-semibold">{words.try}</h2>
      <form onSubmit={submit} className="mt-3 space-y-3">
        <label htmlFor={id} className="block text-small font-medium">
          {words.yourQuestion}
        </label>
        <textarea id={id} rows={3} dir="auto" value={text} onChange={(event) => setText(event.target.value)} className="field" />
        <PayWith payer={payer} choose={setWish} mayBudget={mayBudget} known={known} words={words} id={id} />
        <label className="flex min-h-11 items-center gap-2 text-small text-soft">
          <input type="checkbox" className="size-5" checked={readable} onChange={(event) => setReadable(event.target.checked)} />
          {words.readable}
        </label>
        {left > 0 && (
          <button
            type="button"
            className="button button-quiet me-3"
            aria-disabled={asking.isPending || !text.trim()}
            onClick={() => text.trim() && once({ question: text.trim(), from: 'nobody' })}
          >
            {words.askFreeLeft(left)}
          </button>
        )}
        <button type="submit" className="button" aria-disabled={asking.isPending || !text.trim() || !payer}>
          {asking.isPending ? words.asking : words.askPaid(shortDecimal(hit.price.open, 18), chain.network.currency)}
        </button>
      </form>
      <div aria-live="polite" className="mt-4">
        {asking.error && <Trouble error={walletWords(asking.error, words)} />}
        {asking.data && <Reply reply={asking.data} currency={chain.network.currency} />}
      </div>
    </section>
  )
}

/** A wallet's trouble in the page's own words. */
export function walletWords(error: Error, words: MarketWords): Error {
  if (!(error instanceof WalletProblem)) return error
  const { message, hint } = words.walletProblems[error.code]
  return new Failed(message, hint, error.code)
}

function PayWith({
  payer,
  choose,
  mayBudget,
  known,
  words,
  id,
}: {
  payer: Payer | null
  choose: (payer: Payer) => void
  mayBudget: boolean
  known: boolean
  words: MarketWords
  id: string
}) {
  const options = [
    { value: 'budget' as const, name: words.budgetWallet, may: mayBudget, why: words.ownerOnly },
    { value: 'browser' as const, name: words.browserWallet, may: known && hasWallet(), why: words.noBrowserWallet },
  ]
  return (
    <fieldset>
      <legend className="text-small font-medium">
        <Term term={words.browserWallet} explanation={words.browserWalletWhat}>
          {words.payWith}
        </Term>
      </legend>
      <div className="mt-1 space-y-1">
        {options.map(({ value, name, may, why }) => (
          <div key={value} className="text-small">
            <label className="flex min-h-9 items-center gap-2">
              <input
                type="radio"
                name={`${id}payer`}
                checked={payer === value}
                disabled={!may}
                onChange={() => choose(value)}
                className="size-4 accent-river"
              />
              <span className={may ? '' : 'text-soft'}>{name}</span>
            </label>
            {known && !may && <p className="ps-6 text-soft">{why}</p>}
          </div>
        ))}
      </div>
    </fieldset>
  )
}

/** What came back, as text and nothing else, with what it cost and its proof. */
export function Reply({ reply, currency }: { reply: Completion; currency: string }) {
  const words = useWords(marketWords)
  const { sources = [], receipt, free, scores } = reply.modelfactory
  return (
    <div className="space-y-3">
      <p dir="auto" className="border-s-4 border-river ps-3 font-serif whitespace-pre-wrap wrap-anywhere">
        {reply.choices[0]?.message.content}
      </p>
      {scores && scores.length > 0 && (
        <p className="text-small text-soft">
          {scores
            .slice(0, 3)
            .map(({ label, probability }) => `${label} ${(100 * probability).toFixed(0)} %`)
            .join(' · ')}
        </p>
      )}
      {sources.length > 0 && (
        <details className="text-small">
          <summary className="min-h-9 content-center text-soft">{words.sources}</summary>
          <ul className="space-y-2">
            {sources.map(({ quote, title, file, url }) => (
              <li key={`${file} ${quote}`}>
                <q dir="auto" className="font-serif wrap-anywhere">
                  {quote}
                </q>{' '}
                <span className="text-soft">
                  {webLink(url) ? (
                    <a href={webLink(url)} target="_blank" rel="noreferrer" className="underline">
                      {title || file}
                    </a>
                  ) : (
                    title || file
                  )}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
      <p className="text-small">
        {receipt ? (
          <>
            <span className="text-gain">{words.wasPaid(shortDecimal(receipt.amount.open, 18), currency)}</span>{' '}
            <Term term={words.passportTerm} explanation={words.passportWhat}>
              <a href={`/api/receipts/${receipt.tx}/passport?request=${receipt.requestHash}`} download className="text-river underline underline-offset-2">
                {words.passport}
              </a>
            </Term>
          </>
        ) : (
          <span className="text-soft">{words.notCharged(free ?? words.notCovered)}</span>
        )}
      </p>
    </div>
  )
}
