/**
 * Taking earnings out: OPEN, which payments are made in, becomes the coin of the chain again. Knows nothing of contracts.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { EarningsView } from '../../../src/core/view.ts'
import { ask, get } from '../fetching.ts'
import { shortDecimal, shortHex } from '../format.ts'
import { useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'
import { useOnce } from '../parts/once.ts'
import { Term } from '../parts/term.tsx'

const unwrapWords = {
  en: {
    heading: 'Take it out',
    what: 'Payments arrive as OPEN, a token that stands for the coin of the chain one for one. Taken out, it is that coin: it pays for gas and can be sent anywhere.',
    held: (sum: string) => `You hold ${sum}.`,
    amount: 'How much',
    all: 'All of it',
    go: 'Take out',
    going: 'Taking out',
    done: (tx: string) => `Taken out, transaction ${tx}.`,
  },
  es: {
    heading: 'Retirarlo',
    what: 'Los pagos llegan en OPEN, un token que representa la moneda de la cadena uno a uno. Al retirarlo es esa moneda: paga el gas y se puede enviar a cualquier parte.',
    held: (sum: string) => `Tienes ${sum}.`,
    amount: 'Cuánto',
    all: 'Todo',
    go: 'Retirar',
    going: 'Retirando',
    done: (tx: string) => `Retirado, transacción ${tx}.`,
  },
}

export function Unwrap({ currency }: { currency: string }) {
  const words = useWords(unwrapWords)
  const id = useId()
  const queries = useQueryClient()
  const [sum, setSum] = useState('')
  const held = useQuery({ queryKey: ['earnings', 'held'], queryFn: ({ signal }) => get<EarningsView>('/api/earnings', signal) })
  const taking = useMutation({
    mutationFn: () => ask<{ tx: string }>('POST', '/api/wallet/unwrap', { amount: sum.trim() }),
    onSuccess: async () => {
      setSum('')
      await queries.invalidateQueries({ queryKey: ['earnings'] })
    },
  })
  const take = useOnce<void>(() => taking.mutateAsync())
  const balance = held.data?.balance
  if (!balance || balance.atomic === '0') return null
  return (
    <section className="panel text-small">
      <h2 className="text-large font-semibold">
        <Term term={words.heading} explanation={words.what}>
          {words.heading}
        </Term>
      </h2>
      <p className="mt-1 text-soft tabular-nums">{words.held(`${shortDecimal(balance.open)} ${currency}`)}</p>
      <form
        className="mt-3 flex flex-wrap items-end gap-3"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          if (sum.trim()) take()
        }}
      >
        <div>
          <label htmlFor={id} className="block font-medium">
            {words.amount}
          </label>
          <input
            id={id}
            inputMode="decimal"
            autoComplete="off"
            value={sum}
            onChange={(event) => setSum(event.target.value)}
            className="field mt-1 min-h-11 max-w-48 tabular-nums"
          />
        </div>
        <button type="button" className="button button-quiet" onClick={() => setSum(balance.open)}>
          {words.all}
        </button>
        <button type="submit" className="button" aria-disabled={taking.isPending || !sum.trim()}>
          {taking.isPending ? words.going : words.go}
        </button>
      </form>
      {taking.error && <Trouble error={taking.error} />}
      <p role="status" className="mt-2 text-gain empty:sr-only">
        {taking.data && words.done(shortHex(taking.data.tx))}
      </p>
    </section>
  )
}
