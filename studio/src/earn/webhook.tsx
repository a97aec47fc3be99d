/**
 * Telling another program of every payment: the address is set, tried and taken away, and what is wrong with it is said. Shown to whoever may set
 * it. Knows nothing of what is told.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { WebhookView } from '../../../src/core/webhook.ts'
import { ask, get } from '../fetching.ts'
import { useNumber, useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'
import { Term } from '../parts/term.tsx'

const webhookWords = {
  en: {
    heading: 'Tell another program',
    term: 'webhook',
    what: 'Each payment is sent, as soon as it is final, to an address of yours: a bookkeeping service, a chat, a lamp. Messages are signed by this gateway, and one that is not taken is sent again until it is.',
    address: 'Its address',
    set: 'Tell it',
    test: 'Try it',
    off: 'Stop telling',
    took: 'It took the test message.',
    state: (url: string, told: string, waiting: string) => `${url} took ${told}; ${waiting} waiting.`,
    failing: (why: string) => `The last message was not taken: ${why}.`,
  },
  es: {
    heading: 'Avisar a otro programa',
    term: 'webhook',
    what: 'Cada pago se envía, en cuanto es definitivo, a una dirección tuya: un servicio de contabilidad, un chat, una lámpara. Los mensajes van firmados por este servidor, y el que no se acepta se vuelve a enviar hasta que se acepte.',
    address: 'Su dirección',
    set: 'Avisarla',
    test: 'Probarla',
    off: 'Dejar de avisar',
    took: 'Aceptó el mensaje de prueba.',
    state: (url: string, told: string, waiting: string) => `${url} aceptó ${told}; ${waiting} en espera.`,
    failing: (why: string) => `El último mensaje no se aceptó: ${why}.`,
  },
}

export function Webhook() {
  const words = useWords(webhookWords)
  const number = useNumber()
  const id = useId()
  const queries = useQueryClient()
  const [url, setUrl] = useState('')
  const found = useQuery({ queryKey: ['webhook'], queryFn: ({ signal }) => get<WebhookView>('/api/webhook', signal), retry: false })
  const testing = useMutation({ mutationFn: () => ask<{ status: number }>('POST', '/api/webhook/test') })
  const changed = (view: WebhookView) => {
    // What was tried was another address.
    testing.reset()
    queries.setQueryData(['webhook'], view)
  }
  const setting = useMutation({ mutationFn: () => ask<WebhookView>('PUT', '/api/webhook', { url: url.trim() }), onSuccess: changed })
  const ending = useMutation({ mutationFn: () => ask<WebhookView>('DELETE', '/api/webhook'), onSuccess: changed })
  // Somebody else's gateway: nothing here is theirs to set.
  if (!found.data) return null
  const { url: told, failing } = found.data
  const error = told === null ? setting.error : (testing.error ?? ending.error)
  return (
    <section className="panel text-small">
      <h2 className="text-large font-semibold">
        <Term term={words.term} explanation={words.what}>
          {words.heading}
        </Term>
      </h2>
      {told === null ? (
        <form
          className="mt-3 flex flex-wrap items-end gap-3"
          onSubmit={(event: FormEvent) => {
            event.preventDefault()
            if (url.trim() && !setting.isPending) setting.mutate()
          }}
        >
          <div className="min-w-0 grow">
            <label htmlFor={id} className="block font-medium">
              {words.address}
            </label>
            <input
              id={id}
              type="url"
              inputMode="url"
              autoComplete="off"
              placeholder="https://"
              value={url}
              onChange={(event) => setUrl(event.target.value)}
              className="field mt-1 min-h-11 w-full max-w-md"
            />
          </div>
          <button type="submit" className="button" aria-disabled={setting.isPending || !url.trim()}>
            {words.set}
          </button>
        </form>
      ) : (
        <>
          <p className="mt-2 max-w-prose wrap-anywhere tabular-nums">{words.state(told, number(found.data.told), number(found.data.waiting))}</p>
          {failing && <p className="mt-1 text-alarm wrap-anywhere">{words.failing(failing.why)}</p>}
          <div className="mt-3 flex flex-wrap gap-3">
            <button type="button" className="button button-quiet" aria-disabled={testing.isPending} onClick={() => !testing.isPending && testing.mutate()}>
              {words.test}
            </button>
            <button type="button" className="button button-quiet" aria-disabled={ending.isPending} onClick={() => !ending.isPending && ending.mutate()}>
              {words.off}
            </button>
          </div>
        </>
      )}
      {error && <Trouble error={error} />}
      <p role="status" className="mt-2 text-gain empty:sr-only">
        {told !== null && testing.isSuccess && words.took}
      </p>
    </section>
  )
}
