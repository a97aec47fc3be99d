/**
 * A review by a wallet that paid for an answer: the wallet of this machine, or the one somebody is signed in with. Where neither paid for this model
 * nothing is shown. Knows nothing of how a payment is proved.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { ReceiptView } from '../../../src/core/view.ts'
import { ask, get } from '../fetching.ts'
import { useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'
import { useOnce } from '../parts/once.ts'
import { useSession } from '../shell/session.ts'
import { type ListingView, wallet } from './market-api.ts'

const reviewWords = {
  en: {
    heading: 'Your review',
    lead: 'You paid for an answer of this model. Others see your stars and words with the transaction that proves it.',
    stars: (count: number) => `${count} ${count === 1 ? 'star' : 'stars'}`,
    text: 'What was it like?',
    send: 'Publish the review',
    sent: 'Published.',
  },
  es: {
    heading: 'Tu reseña',
    lead: 'Pagaste una respuesta de este modelo. Los demás ven tus estrellas y tus palabras con la transacción que lo demuestra.',
    stars: (count: number) => `${count} ${count === 1 ? 'estrella' : 'estrellas'}`,
    text: '¿Qué tal fue?',
    send: 'Publicar la reseña',
    sent: 'Publicada.',
  },
}

export function ReviewForm({ view }: { view: ListingView }) {
  const words = useWords(reviewWords)
  const id = useId()
  const queries = useQueryClient()
  const session = useSession()
  const budget = useQuery({ queryKey: ['wallet'], queryFn: ({ signal }) => wallet(signal), retry: false })
  const receipts = useQuery({ queryKey: ['receipts'], queryFn: ({ signal }) => get<ReceiptView[]>('/api/receipts?limit=1000', signal), retry: false })
  const [stars, setStars] = useState(0)
  const [text, setText] = useState('')
  const own = (payer: string | undefined, list: readonly ReceiptView[] | undefined) =>
    payer === undefined ? undefined : list?.find((receipt) => receipt.modelId === view.modelId && receipt.payer.toLowerCase() === payer.toLowerCase())
  const byBudget = own(budget.data?.address, budget.data?.paid)
  const bySession = own(session.data?.kind === 'wallet' ? session.data.id : undefined, receipts.data)
  const sending = useMutation({
    mutationFn: () => {
      const post = { stars, text: text.trim() }
      return bySession
        ? ask<unknown>('POST', `/api/market/listings/${view.modelId}/reviews`, { ...post, tx: bySession.tx })
        : ask<unknown>('POST', '/api/wallet/reviews', { ...post, modelId: view.modelId, tx: byBudget?.tx })
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ['listing'] }),
  })
  const send = useOnce<void>(() => sending.mutateAsync())
  if (!byBudget && !bySession) return null
  return (
    <section className="panel min-w-0 text-small">
      <h2 className="text-large font-semibold">{words.heading}</h2>
      <p className="mt-1 max-w-prose text-soft">{words.lead}</p>
      <form
        className="mt-3 grid max-w-2xl gap-3"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          if (stars) send()
        }}
      >
        <fieldset className="flex flex-wrap gap-1">
          <legend className="sr-only">{words.heading}</legend>
          {[1, 2, 3, 4, 5].map((count) => (
            <label
              key={count}
              className="flex size-11 cursor-pointer items-center justify-center rounded-lg text-title text-practice has-focus-visible:outline-2"
            >
              <input
                type="radio"
                name={`${id}stars`}
                checked={stars === count}
                onChange={() => setStars(count)}
                className="sr-only"
                aria-label={words.stars(count)}
              />
              <span aria-hidden="true">{count <= stars ? '★' : '☆'}</span>
            </label>
          ))}
        </fieldset>
        <label htmlFor={`${id}text`} className="font-medium">
          {words.text}
        </label>
        <textarea
          id={`${id}text`}
          rows={3}
          dir="auto"
          maxLength={4000}
          value={text}
          onChange={(event) => setText(event.target.value)}
          className="field resize-y font-serif"
        />
        <button type="submit" className="button justify-self-start" aria-disabled={!stars || sending.isPending}>
          {words.send}
        </button>
        {sending.error && <Trouble error={sending.error} />}
        <p role="status" className="text-gain empty:sr-only">
          {sending.isSuccess && words.sent}
        </p>
      </form>
    </section>
  )
}
