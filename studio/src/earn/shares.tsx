/**
 * Whom a model pays: the builder alone, or several people by shares that nobody can change; set, looked at, and what has gathered sent on. Shown to
 * whoever may set it. Knows nothing of how it is divided.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { CitedView } from '../../../src/core/contributors.ts'
import type { SharesSent, SharesView } from '../../../src/core/shares.ts'
import type { StateView } from '../../../src/core/view.ts'
import { ask, get } from '../fetching.ts'
import { shortDecimal } from '../format.ts'
import { useNumber, useWords } from '../language.ts'
import { Hex } from '../parts/copy.tsx'
import { Trouble } from '../parts/fetched.tsx'
import { useOnce } from '../parts/once.ts'
import { Term } from '../parts/term.tsx'
import { openOf } from './spans.ts'

const sharesWords = {
  en: {
    heading: 'Share with others',
    term: 'shares',
    what: 'Who wrote or gave data with you can be paid with you. From then on everything the model earns gathers at a contract that sends it to all of you by these shares, which nobody can change, not even you; you can only choose others from then on.',
    model: 'Model',
    alone: 'You are paid whole and alone.',
    you: 'you',
    part: (percent: string) => `${percent} %`,
    yours: 'Your shares',
    address: (place: string) => `Address of person ${place}`,
    theirs: (place: string) => `Shares of person ${place}`,
    another: 'Another person',
    check: 'Look at each address twice: what goes to a wrong one is lost.',
    cite: 'Divide the rest by what the exam cites',
    cited: (quotes: string, files: string) => `By ${quotes} quotes of ${files} files. Look at it, then share.`,
    noneCited: 'Nobody else gave anything that was cited. Name them in a file CONTRIBUTORS.txt beside your files, and build again.',
    set: 'Share from now on',
    again: 'Pay me alone again',
    gathered: (open: string, currency: string) => `${open} ${currency} have gathered.`,
    send: 'Send it to everyone',
    done: (open: string, currency: string) => `${open} ${currency} went out.`,
  },
  es: {
    heading: 'Compartir con otros',
    term: 'participaciones',
    what: 'Quien escribió o aportó datos contigo puede cobrar contigo. Desde entonces todo lo que gana el modelo se reúne en un contrato que lo envía a todos según estas participaciones, que nadie puede cambiar, tampoco tú; solo puedes elegir otras a partir de entonces.',
    model: 'Modelo',
    alone: 'Cobras tú, entero y sin nadie más.',
    you: 'tú',
    part: (percent: string) => `${percent} %`,
    yours: 'Tus participaciones',
    address: (place: string) => `Dirección de la persona ${place}`,
    theirs: (place: string) => `Participaciones de la persona ${place}`,
    another: 'Otra persona',
    check: 'Mira dos veces cada dirección: lo que va a una equivocada se pierde.',
    cite: 'Repartir el resto según lo que cita el examen',
    cited: (quotes: string, files: string) => `Según ${quotes} citas de ${files} archivos. Míralo y después comparte.`,
    noneCited: 'Nadie más aportó nada de lo citado. Nómbralos en un archivo CONTRIBUTORS.txt junto a los tuyos y vuelve a construir.',
    set: 'Compartir desde ahora',
    again: 'Volver a cobrar yo solo',
    gathered: (open: string, currency: string) => `Se han reunido ${open} ${currency}.`,
    send: 'Enviarlo a todos',
    done: (open: string, currency: string) => `Salieron ${open} ${currency}.`,
  },
}
type Words = (typeof sharesWords)['en']
type Person = { recipient: string; shares: string }
const NOBODY: Person = { recipient: '', shares: '' }
const pathOf = (model: string) => `/api/shares/${encodeURIComponent(model)}`

export function Shares({ builder }: { builder: string }) {
  const words = useWords(sharesWords)
  const id = useId()
  const [chosen, choose] = useState<string>()
  const state = useQuery({ queryKey: ['state'], queryFn: ({ signal }) => get<StateView>('/api/state', signal) })
  const models = (state.data?.models ?? []).filter(({ modelId }) => modelId !== null).map(({ name }) => name)
  const model = chosen ?? models[0]
  const found = useQuery({
    queryKey: ['shares', model],
    queryFn: ({ signal }) => get<SharesView>(pathOf(model!), signal),
    enabled: model !== undefined,
    retry: false,
  })
  // Nothing is published, or it is somebody else's gateway.
  if (model === undefined || !found.data) return null
  return (
    <section className="panel text-small">
      <h2 className="text-large font-semibold">
        <Term term={words.term} explanation={words.what}>
          {words.heading}
        </Term>
      </h2>
      {models.length > 1 && (
        <p className="mt-3">
          <label htmlFor={id} className="block font-medium">
            {words.model}
          </label>
          <select id={id} value={model} onChange={(event) => choose(event.target.value)} className="field mt-1 min-h-11 max-w-full">
            {models.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </p>
      )}
      <Payout key={model} view={found.data} builder={builder} currency={state.data?.network.currency ?? 'OPEN'} words={words} />
    </section>
  )
}

function Payout({ view, builder, currency, words }: { view: SharesView; builder: string; currency: string; words: Words }) {
  const queries = useQueryClient()
  const number = useNumber()
  const [mine, setMine] = useState('70')
  const [others, setOthers] = useState<Person[]>([{ ...NOBODY, shares: '30' }])
  const path = pathOf(view.model)
  const changed = () => queries.invalidateQueries({ queryKey: ['shares', view.model] })
  const setting = useMutation({ mutationFn: (holders: Person[]) => ask<SharesView>('PUT', path, { holders }), onSuccess: changed })
  const sending = useMutation({ mutationFn: () => ask<SharesSent>('POST', `${path}/send`), onSuccess: changed })
  const citing = useMutation({
    mutationFn: (own: number) => get<CitedView>(`${path}/cited?own=${own}`),
    onSuccess: ({ holders }) => {
      if (holders.length === 0) return
      const isMine = ({ recipient }: Person) => recipient.toLowerCase() === builder.toLowerCase()
      setMine(holders.find(isMine)?.shares ?? '')
      setOthers(holders.filter((one) => !isMine(one)))
    },
  })
  const share = useOnce((holders: Person[]) => setting.mutateAsync(holders))
  const send = useOnce<void>(() => sending.mutateAsync())
  const shared = view.holders.length > 0
  const all = view.holders.reduce((sum, { shares }) => sum + BigInt(shares), 0n)
  const sent = sending.data?.sent.reduce((sum, { amount }) => sum + BigInt(amount.atomic), 0n) ?? 0n
  const whole = (text: string) => /^\d{1,28}$/.test(text.trim()) && BigInt(text) > 0n
  const ready = whole(mine) && others.every(({ recipient, shares }) => /^0x[0-9a-fA-F]{40}$/.test(recipient.trim()) && whole(shares))
  const change = (place: number, patch: Partial<Person>) => setOthers(others.map((one, index) => (index === place ? { ...one, ...patch } : one)))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const holders = [{ recipient: builder, shares: mine }, ...others].map(({ recipient, shares }) => ({ recipient: recipient.trim(), shares: shares.trim() }))
    if (ready) share(holders)
  }
  return (
    <>
      {shared ? (
        <ul className="mt-3 space-y-2">
          {view.holders.map(({ recipient, shares, yours }) => {
            const percent = Number((BigInt(shares) * 10_000n) / all) / 100
            return (
              <li key={recipient}>
                <span className="flex flex-wrap items-baseline justify-between gap-x-3">
                  <span className="min-w-0">
                    <Hex value={recipient} what={words.term} /> {yours && <strong className="font-semibold">{words.you}</strong>}
                  </span>
                  <span className="tabular-nums">{words.part(number(percent))}</span>
                </span>
                <svg width="100%" height="6" aria-hidden="true" className="block">
                  <rect width="100%" height="6" rx="3" className="fill-line" />
                  <rect width={`${percent}%`} height="6" rx="3" className="fill-river" />
                </svg>
              </li>
            )
          })}
        </ul>
      ) : (
        <form className="mt-3 space-y-3" onSubmit={submit}>
          <p>{words.alone}</p>
          <Field label={words.yours} value={mine} change={setMine} narrow />
          {others.map((one, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a person has no name but their place until their address is typed
            <div key={place} className="grid gap-3 sm:grid-cols-[minmax(0,1fr)_9rem]">
              <Field label={words.address(number(place + 1))} value={one.recipient} change={(recipient) => change(place, { recipient })} hint="0x" />
              <Field label={words.theirs(number(place + 1))} value={one.shares} change={(shares) => change(place, { shares })} narrow />
            </div>
          ))}
          <p className="text-soft">{words.check}</p>
          <div className="flex flex-wrap gap-3">
            <button type="submit" className="button" aria-disabled={!ready || setting.isPending}>
              {words.set}
            </button>
            <button type="button" className="button button-quiet" onClick={() => setOthers([...others, NOBODY])}>
              {words.another}
            </button>
            <button
              type="button"
              className="button button-quiet"
              aria-disabled={citing.isPending}
              onClick={() => citing.mutate(/^\d{1,2}$/.test(mine.trim()) ? Number(mine) : 0)}
            >
              {words.cite}
            </button>
          </div>
        </form>
      )}
      {view.gathered.atomic !== '0' && (
        <p className="mt-3 flex flex-wrap items-center gap-3">
          <span className="tabular-nums">{words.gathered(shortDecimal(view.gathered.open), currency)}</span>
          <button type="button" className="button" aria-disabled={sending.isPending} onClick={() => send()}>
            {words.send}
          </button>
        </p>
      )}
      {shared && (
        <button type="button" className="button button-quiet mt-3" aria-disabled={setting.isPending} onClick={() => share([])}>
          {words.again}
        </button>
      )}
      {(setting.error ?? sending.error ?? citing.error) && <Trouble error={(setting.error ?? sending.error ?? citing.error)!} />}
      <p role="status" className="mt-2 text-gain empty:sr-only">
        {sending.isSuccess && words.done(shortDecimal(openOf(sent)), currency)}
        {citing.data && (citing.data.holders.length > 0 ? words.cited(number(citing.data.quotes), number(citing.data.files.length)) : words.noneCited)}
      </p>
    </>
  )
}

type FieldParts = { label: string; value: string; change: (value: string) => void; narrow?: true; hint?: string }
function Field({ label, value, change, narrow, hint }: FieldParts) {
  const id = useId()
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="block font-medium">
        {label}
      </label>
      <input
        id={id}
        inputMode={narrow ? 'numeric' : 'text'}
        autoComplete="off"
        spellCheck={false}
        placeholder={hint}
        value={value}
        onChange={(event) => change(event.target.value)}
        className={`field mt-1 min-h-11 ${narrow ? 'w-36 max-w-full tabular-nums' : 'w-full'}`}
      />
    </div>
  )
}
