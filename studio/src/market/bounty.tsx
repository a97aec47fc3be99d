/**
 * Money for a need, on the board: what is offered and until when, who tried, who won; and for the owner of the gateway offering it, entering a model and
 * taking it back. Sealed cases are typed here and shown nowhere. Knows nothing of contracts.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { BountiesView, BountyView } from '../../../src/core/bounty.ts'
import { isRefusal } from '../../../src/core/errors.ts'
import type { StateView } from '../../../src/core/view.ts'
import { parseCases } from '../../../src/core/written-cases.ts'
import { ask, get } from '../fetching.ts'
import { shortDecimal } from '../format.ts'
import { useLanguage, useNumber, useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'
import { useOnce } from '../parts/once.ts'
import { Term } from '../parts/term.tsx'

const bountyWords = {
  en: {
    term: 'bounty',
    what: 'The money is held by a contract that can do two things with it: pay it whole to the builder of the first model that passes cases nobody has seen, or give it back to whoever offered it, after its time, who then has to show the cases if anybody tried.',
    offered: (open: string, currency: string) => `${open} ${currency}`,
    forFirst: (cases: string, pass: string) => `for the first model that gets ${pass} of ${cases} sealed cases right`,
    until: (day: string) => `until ${day}`,
    since: (day: string) => `its time was over on ${day}`,
    wonBy: (model: string) => `Won by ${model}, and paid whole to its builder.`,
    back: 'Nobody won it, and it went back.',
    tried: (model: string, score: string) => `${model} got ${score}`,
    passed: 'passed',
    opened: 'The cases, as they were opened',
    enter: 'Enter a model of yours',
    examine: 'Have it examined',
    entering: 'It is asked the cases now',
    noModel: 'Publish a model first; then it can be entered here.',
    withdraw: 'Take the money back',
    offer: 'Offer money for it',
    sum: (currency: string) => `How much, in ${currency}`,
    days: 'For how many days',
    share: 'What share it must get right, in percent',
    sealed: 'Your sealed cases, at least five',
    sealedHow: 'One a line: text => right answer. Or paste two columns of a spreadsheet. Nobody sees them while the money is held, and no model learns them.',
    count: (cases: string) => `${cases} cases`,
    hold: 'Have it held',
    leaves: 'The money leaves your wallet now. If nobody passes, you can take it back after that time; if somebody tried, the cases become public by it.',
  },
  es: {
    term: 'recompensa',
    what: 'El dinero lo guarda un contrato que solo puede hacer dos cosas con él: pagarlo entero a quien construyó el primer modelo que supera casos que nadie ha visto, o devolverlo a quien lo ofreció, pasado el plazo, que entonces debe mostrar los casos si alguien lo intentó.',
    offered: (open: string, currency: string) => `${open} ${currency}`,
    forFirst: (cases: string, pass: string) => `para el primer modelo que acierte ${pass} de ${cases} casos sellados`,
    until: (day: string) => `hasta el ${day}`,
    since: (day: string) => `su plazo terminó el ${day}`,
    wonBy: (model: string) => `La ganó ${model}, y se pagó entera a quien lo construyó.`,
    back: 'No la ganó nadie, y fue devuelta.',
    tried: (model: string, score: string) => `${model} acertó ${score}`,
    passed: 'superada',
    opened: 'Los casos, tal como se abrieron',
    enter: 'Presentar un modelo tuyo',
    examine: 'Que lo examinen',
    entering: 'Se le preguntan los casos ahora',
    noModel: 'Publica primero un modelo; después se puede presentar aquí.',
    withdraw: 'Recuperar el dinero',
    offer: 'Ofrecer dinero por él',
    sum: (currency: string) => `Cuánto, en ${currency}`,
    days: 'Durante cuántos días',
    share: 'Qué parte debe acertar, en tanto por ciento',
    sealed: 'Tus casos sellados, al menos cinco',
    sealedHow:
      'Uno por línea: texto => respuesta correcta. O pega dos columnas de una hoja de cálculo. Nadie los ve mientras se guarda el dinero, y ningún modelo los aprende.',
    count: (cases: string) => `${cases} casos`,
    hold: 'Que se guarde',
    leaves:
      'El dinero sale ahora de tu cartera. Si nadie los supera, puedes recuperarlo pasado ese plazo; si alguien lo intentó, los casos se hacen públicos con ello.',
  },
}
type Words = (typeof bountyWords)['en']
const FEWEST = 5

const useGateway = () => useQuery({ queryKey: ['state'], queryFn: ({ signal }) => get<StateView>('/api/state', signal) })

/** All that is offered for one need; and, where nothing is and the gateway is one's own, offering it. */
export function Bounties({ wantedId }: { wantedId: string }) {
  const words = useWords(bountyWords)
  const found = useQuery({ queryKey: ['bounties'], queryFn: ({ signal }) => get<BountiesView>('/api/market/bounties', signal), retry: false })
  if (!found.data) return null
  const own = found.data.bounties.filter((one) => one.wantedId === wantedId)
  const isHeld = own.some(({ status }) => status === 'open' || status === 'over')
  return (
    <>
      {own.map((one) => (
        <Held key={one.bountyId} bounty={one} yours={found.data.yours} words={words} />
      ))}
      {found.data.yours && !isHeld && <Offer wantedId={wantedId} words={words} />}
    </>
  )
}

function Held({ bounty, yours, words }: { bounty: BountyView; yours: boolean; words: Words }) {
  const { bountyId, amount, cases, pass, deadline, status, entries, won, opened } = bounty
  const number = useNumber()
  const language = useLanguage()
  const queries = useQueryClient()
  const state = useGateway()
  const id = useId()
  const [chosen, choose] = useState<string>()
  const models = (state.data?.models ?? []).filter(({ modelId }) => modelId !== null).map(({ name }) => name)
  const model = chosen ?? models[0]
  const changed = () => Promise.all([queries.invalidateQueries({ queryKey: ['bounties'] }), queries.invalidateQueries({ queryKey: ['state'] })])
  const entering = useMutation({ mutationFn: () => ask<BountyView>('POST', `/api/market/bounties/${bountyId}/entries`, { model }), onSettled: changed })
  const returning = useMutation({ mutationFn: () => ask<BountyView>('POST', `/api/market/bounties/${bountyId}/withdraw`, {}), onSettled: changed })
  const enter = useOnce<void>(() => entering.mutateAsync())
  const takeBack = useOnce<void>(() => returning.mutateAsync())
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(deadline * 1000)
  const percent = (share: number) => `${number(Math.round(share * 1000) / 10)}\u00a0%`
  return (
    <section className="mt-3 rounded-lg border border-line p-3 text-small">
      <p className="flex flex-wrap items-baseline gap-x-2">
        <strong className="text-large font-semibold tabular-nums">{words.offered(shortDecimal(amount.open), state.data?.network.currency ?? 'OPEN')}</strong>
        <Term term={words.term} explanation={words.what}>
          {words.forFirst(number(cases), percent(pass))}
        </Term>
        <span className="text-soft">{status === 'open' ? words.until(day) : status === 'over' ? words.since(day) : ''}</span>
      </p>
      {entries.length > 0 && (
        <ul className="mt-2 space-y-1">
          {entries.map((one) => (
            <li key={`${one.modelId} ${one.packageId}`}>
              <span className="wrap-anywhere">{words.tried(one.model, percent(one.score))}</span>{' '}
              {one.passed && <strong className="font-semibold text-gain">{words.passed}</strong>}
              <svg width="100%" height="6" aria-hidden="true" className="block">
                <rect width="100%" height="6" rx="3" className="fill-line" />
                <rect width={`${one.score * 100}%`} height="6" rx="3" className={one.passed ? 'fill-gain' : 'fill-river'} />
                <rect x={`${pass * 100}%`} width="2" height="6" className="fill-ink" />
              </svg>
            </li>
          ))}
        </ul>
      )}
      {won && <p className="mt-2 font-medium">{words.wonBy(won.model)}</p>}
      {status === 'withdrawn' && <p className="mt-2">{words.back}</p>}
      {opened && (
        <details className="mt-2">
          <summary className="cursor-pointer">{words.opened}</summary>
          <ul className="mt-1 space-y-1">
            {opened.map(({ input, output }) => (
              <li key={input} dir="auto" className="wrap-anywhere">
                {input} → <strong className="font-semibold">{output}</strong>
              </li>
            ))}
          </ul>
        </details>
      )}
      {yours && status === 'open' && models.length === 0 && <p className="mt-2 text-soft">{words.noModel}</p>}
      {yours && status === 'open' && model !== undefined && (
        <div className="mt-3 flex flex-wrap items-end gap-3">
          <div className="min-w-0">
            <label htmlFor={id} className="block font-medium">
              {words.enter}
            </label>
            <select id={id} value={model} onChange={(event) => choose(event.target.value)} className="field mt-1 min-h-11 max-w-full">
              {models.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </div>
          <button type="button" className="button" aria-disabled={entering.isPending} onClick={() => enter()}>
            {entering.isPending ? words.entering : words.examine}
          </button>
        </div>
      )}
      {yours && status === 'over' && (
        <button type="button" className="button mt-3" aria-disabled={returning.isPending} onClick={() => takeBack()}>
          {words.withdraw}
        </button>
      )}
      {(entering.error ?? returning.error) && <Trouble error={(entering.error ?? returning.error)!} />}
    </section>
  )
}

function Offer({ wantedId, words }: { wantedId: string; words: Words }) {
  const id = useId()
  const number = useNumber()
  const queries = useQueryClient()
  const state = useGateway()
  const empty = { amount: '', days: '30', pass: '90', sealed: '' }
  const [draft, setDraft] = useState(empty)
  const cases = parseCases(draft.sealed)
  const count = isRefusal(cases) ? 0 : cases.length
  const offering = useMutation({
    mutationFn: ({ amount, days, pass }: typeof empty) =>
      ask<BountyView>('POST', `/api/market/wanted/${wantedId}/bounty`, {
        ...{ amount: amount.trim().replace(',', '.'), days: Number(days), pass: Number(pass) / 100 },
        sealed: isRefusal(cases) ? [] : cases,
      }),
    onSuccess: () => {
      setDraft(empty)
      void queries.invalidateQueries({ queryKey: ['bounties'] })
    },
  })
  const once = useOnce(offering.mutateAsync)
  const ready = /^\d{1,20}([.,]\d{1,18})?$/.test(draft.amount.trim()) && count >= FEWEST
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready) once(draft)
  }
  const field = (name: keyof typeof empty) => ({
    id: `${id}${name}`,
    value: draft[name],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [name]: event.target.value }),
  })
  const small = (name: 'amount' | 'days' | 'pass', label: string) => (
    <div>
      <label htmlFor={`${id}${name}`} className="block font-medium">
        {label}
      </label>
      <input inputMode="decimal" autoComplete="off" {...field(name)} className="field mt-1 min-h-11 w-full tabular-nums" />
    </div>
  )
  return (
    <details className="mt-3 text-small">
      <summary className="min-h-11 cursor-pointer py-2 font-medium text-river">{words.offer}</summary>
      <form onSubmit={submit} className="mt-2 space-y-3 rounded-lg border border-line p-3">
        <div className="grid items-end gap-3 sm:grid-cols-3">
          {small('amount', words.sum(state.data?.network.currency ?? 'OPEN'))}
          {small('days', words.days)}
          {small('pass', words.share)}
        </div>
        <div>
          <label htmlFor={`${id}sealed`} className="block font-medium">
            {words.sealed}
          </label>
          <p id={`${id}how`} className="text-soft">
            {words.sealedHow}
          </p>
          <textarea rows={6} dir="auto" aria-describedby={`${id}how`} {...field('sealed')} className="field mt-1 block w-full" />
          <p className={isRefusal(cases) ? 'text-alarm' : 'text-soft'}>
            {isRefusal(cases) ? cases.message : draft.sealed.trim() && words.count(number(count))}
          </p>
        </div>
        <p>{words.leaves}</p>
        <button type="submit" className="button" aria-disabled={!ready || offering.isPending}>
          {words.hold}
        </button>
        {offering.error && <Trouble error={offering.error} />}
      </form>
    </details>
  )
}
