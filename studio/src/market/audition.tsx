/**
 * Blind audition: own cases, answers by letter, one choice, its payment, and then who was who. What models say is outside data and only ever text.
 * Knows nothing of how models are found.
 */
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { AuditionView } from '../../../src/core/market.ts'
import { ask } from '../fetching.ts'
import { shortDecimal } from '../format.ts'
import { useNumber, useWords } from '../language.ts'
import { Page, Trouble } from '../parts/fetched.tsx'
import { Go } from '../parts/go.tsx'
import { useOnce } from '../parts/once.ts'
import { auditionWords } from './audition-words.ts'
import { wallet } from './market-api.ts'

const MOST_CASES = 20

export function Audition() {
  const words = useWords(auditionWords)
  const number = useNumber()
  const id = useId()
  const [need, setNeed] = useState(() => new URLSearchParams(window.location.search).get('q') ?? '')
  const [text, setText] = useState('')
  const [missing, setMissing] = useState('')
  const [view, setView] = useState<AuditionView | null>(null)
  const beginning = useMutation({
    mutationFn: (cases: string[]) => ask<AuditionView>('POST', '/api/wallet/auditions', { need: need.trim(), cases }),
    onSuccess: setView,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (beginning.isPending) return
    const cases = text.split('\n').flatMap((line) => line.trim() || [])
    const wrong = need.trim().length < 3 ? words.noNeed : !cases.length ? words.noCases : cases.length > MOST_CASES ? words.tooMany(number(cases.length)) : ''
    setMissing(wrong)
    if (!wrong) beginning.mutate(cases)
  }
  return (
    <Page title={words.title} lead={words.lead}>
      {view ? (
        <Answers
          view={view}
          onView={setView}
          onAgain={() => {
            setView(null)
            setText('')
          }}
        />
      ) : (
        <form onSubmit={submit} className="panel grid max-w-3xl gap-4">
          <div>
            <label htmlFor={`${id}need`} className="text-small font-medium">
              {words.need}
            </label>
            <input
              id={`${id}need`}
              value={need}
              dir="auto"
              maxLength={4000}
              onChange={(event) => setNeed(event.target.value)}
              className="field mt-1 min-h-11"
            />
          </div>
          <div>
            <label htmlFor={`${id}cases`} className="text-small font-medium">
              {words.cases}
            </label>
            <textarea
              id={`${id}cases`}
              rows={6}
              value={text}
              dir="auto"
              placeholder={words.casesHint}
              onChange={(event) => setText(event.target.value)}
              className="field mt-1 resize-y font-serif"
            />
          </div>
          <div role="alert" className="text-small font-medium text-alarm empty:hidden">
            {missing}
          </div>
          {beginning.error && <Trouble error={beginning.error} />}
          <button type="submit" className="button justify-self-start" aria-disabled={beginning.isPending}>
            {beginning.isPending ? words.asking : words.begin}
          </button>
        </form>
      )}
    </Page>
  )
}

function Answers({ view, onView, onAgain }: { view: AuditionView; onView: (view: AuditionView) => void; onAgain: () => void }) {
  const words = useWords(auditionWords)
  const number = useNumber()
  const held = useQuery({ queryKey: ['wallet'], queryFn: ({ signal }) => wallet(signal) })
  const currency = held.data?.currency ?? 'OPEN'
  const picking = useMutation({
    mutationFn: (letter: string) => ask<AuditionView>('POST', `/api/wallet/auditions/${view.id}/pick`, { letter }),
    onSuccess: onView,
  })
  const pick = useOnce<string>((letter) => picking.mutateAsync(letter))
  const { contestants, picked, settled } = view
  return (
    <>
      <section className="panel min-w-0">
        <ol className="space-y-6">
          {view.cases.map((one, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the same case may be brought twice, and none is ever moved
            <li key={index}>
              <h2 className="text-small text-soft">
                {words.case} {number(index + 1)}
              </h2>
              <p className="font-serif text-large wrap-anywhere" dir="auto">
                {one}
              </p>
              <dl className="mt-2 grid gap-3 md:grid-cols-3">
                {contestants.map(({ letter, answers }) => (
                  <div key={letter} className={`min-w-0 rounded-lg p-3 ${letter === picked ? 'bg-river-wash' : 'bg-sunken'}`}>
                    <dt className="text-small font-semibold">{words.answerOf(letter)}</dt>
                    <dd className="mt-1 max-h-60 overflow-y-auto text-small wrap-anywhere" dir="auto">
                      {answers[index] || words.nothing}
                    </dd>
                  </div>
                ))}
              </dl>
            </li>
          ))}
        </ol>
      </section>
      <section className="panel min-w-0 text-small">
        {settled ? (
          <div role="status">
            <p className="text-large font-semibold">{words.over(picked!)}</p>
            <ul className="mt-2 space-y-1">
              {contestants.map(({ letter, model }) => (
                <li key={letter} className="wrap-anywhere">
                  <Go to={`/market/${model!.modelId}`} className="font-medium text-river underline underline-offset-2">
                    {words.was(letter, model!.name, `${shortDecimal(model!.price.open, 18)} ${currency}`)}
                  </Go>
                  {letter === picked && <span className="text-gain">, {words.paid(number(view.paid))}</span>}
                </li>
              ))}
            </ul>
            <p className="mt-3 max-w-prose text-soft">{words.counts}</p>
            <button type="button" className="button button-quiet mt-3" onClick={onAgain}>
              {words.again}
            </button>
          </div>
        ) : (
          <>
            <p className="max-w-prose">
              {picked === null ? words.cost(shortDecimal(view.most.open, 18), currency) : words.unpaid(number(view.paid), number(view.cases.length))}
            </p>
            <div className="mt-3 flex flex-wrap gap-3">
              {contestants
                .filter(({ letter }) => picked === null || letter === picked)
                .map(({ letter }) => (
                  <button key={letter} type="button" className="button" aria-disabled={picking.isPending} onClick={() => pick(letter)}>
                    {picking.isPending && picking.variables === letter ? words.paying : picked === null ? words.choose(letter) : words.goOn}
                  </button>
                ))}
            </div>
            {picking.error && <Trouble error={picking.error} />}
          </>
        )}
      </section>
    </>
  )
}
