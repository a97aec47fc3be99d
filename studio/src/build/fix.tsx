/**
 * One answer put right: said what was right, tried on a copy of the model, shown what else would change, then kept or dropped. What models say
 * is outside data and only ever text. Knows nothing of how a model learns.
 */
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useEffect, useId, useState } from 'react'
import type { Answer, BuildView, ModelView } from '../api.ts'
import { Failed } from '../fetching.ts'
import { timeLeft } from '../format.ts'
import { useNumber, useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'
import { useOnce } from '../parts/once.ts'
import { acceptFix, dropFix, type FixView, fix, fixed, keep, rightAsSaid } from './improve-api.ts'
import { improveWords } from './improve-words.ts'

/** Under an answer: it was right, or what would have been right. */
export function Judge({ model, question, answer, onFixing }: { model: ModelView; question: string; answer: Answer; onFixing: () => void }) {
  const words = useWords(improveWords)
  const id = useId()
  const [open, setOpen] = useState(false)
  const [right, setRight] = useState(answer.entities ? rightAsSaid(answer) : '')
  const agreeing = useMutation({ mutationFn: () => keep(model.name, [{ add: question, to: rightAsSaid(answer) }]) })
  const fixing = useMutation({ mutationFn: () => fix(model.name, question, right), onSuccess: onFixing })
  const agree = useOnce<void>(() => agreeing.mutateAsync())
  const begin = useOnce<void>(() => fixing.mutateAsync())
  const kinds = answer.labels ? null : model.labels
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!kinds || right) begin()
  }
  return (
    <div className="mt-4 border-t border-line pt-3 text-small">
      <div className="flex flex-wrap gap-3">
        <button type="button" className="button button-quiet" aria-disabled={agreeing.isPending || agreeing.isSuccess} onClick={() => agree()}>
          <span aria-hidden="true" className="me-2">
            ✓
          </span>
          {words.right}
        </button>
        <button type="button" className="button button-quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          <span aria-hidden="true" className="me-2">
            ✎
          </span>
          {words.fix}
        </button>
      </div>
      <p role="status" className="mt-2 text-gain empty:hidden">
        {agreeing.isSuccess && words.rightKept}
      </p>
      {agreeing.error && <Trouble error={agreeing.error} />}
      {open && (
        <form onSubmit={submit} className="mt-3 flex flex-col items-start gap-2">
          <p className="max-w-prose text-soft">{words.fixWhat}</p>
          <label htmlFor={id} className="font-medium">
            {answer.entities ? words.fixEntities : words.fixLabel}
          </label>
          {kinds ? (
            <select id={id} value={right} onChange={(event) => setRight(event.target.value)} className="field min-h-11 max-w-md">
              <option value="">{words.choose}</option>
              {kinds.map((kind) => (
                <option key={kind}>{kind}</option>
              ))}
            </select>
          ) : (
            <textarea id={id} rows={3} dir="auto" value={right} onChange={(event) => setRight(event.target.value)} className="field resize-y font-serif" />
          )}
          {model.task === 'answer' && <p className="text-soft">{words.fixEmpty}</p>}
          <button type="submit" className="button" aria-disabled={fixing.isPending || (kinds !== null && !right)}>
            {fixing.isPending ? words.trying : words.tryFix}
          </button>
          {fixing.error && <Trouble error={fixing.error} />}
        </form>
      )}
    </div>
  )
}

/** A correction under way or waiting to be kept. `copy` is the latest build of the copy. */
export function Fix({ model, copy, onSettled }: { model: ModelView; copy: BuildView; onSettled: (said: string) => void }) {
  const words = useWords(improveWords)
  const underWay = copy.state === 'queued' || copy.state === 'running'
  const found = useQuery({
    queryKey: ['fix', model.name, copy.id, copy.state],
    queryFn: ({ signal }) => fixed(model.name, signal),
    enabled: !underWay,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const accepting = useMutation({ mutationFn: () => acceptFix(model.name), onSuccess: () => onSettled(words.accepted) })
  const dropping = useMutation({ mutationFn: () => dropFix(model.name), onSuccess: () => onSettled('') })
  const accept = useOnce<void>(() => accepting.mutateAsync())
  const drop = useOnce<void>(() => dropping.mutateAsync())
  // Kept or dropped in another window, or long ago.
  // Whether a correction is waiting is told at once; what it changes takes a while, and only then is there something to say.
  const [patient, setPatient] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setPatient(true), 1000)
    return () => clearTimeout(timer)
  }, [])
  const refused = found.error instanceof Failed ? found.error.code : ''
  if (refused === 'no_fix' || (found.isPending && !underWay && !(patient && copy.state === 'done'))) return null
  return (
    <section className="panel">
      <h3 className="text-large font-semibold">{words.preview}</h3>
      {underWay && (
        <div role="status" className="mt-2 text-small text-soft">
          <p>{words.learning}</p>
          <p className="mt-1 tabular-nums">{copy.training ? timeLeft(copy.training.secondsLeft) : (copy.events.at(-1)?.text ?? '')}</p>
        </div>
      )}
      {!underWay && copy.state !== 'done' && <p className="mt-2 text-small text-alarm">{`${words.stopped} ${copy.events.at(-1)?.text ?? ''}`}</p>}
      {copy.state === 'done' && found.isPending && (
        <p role="status" className="mt-2 text-small text-soft">
          {words.comparing}
        </p>
      )}
      {found.error && refused !== 'fix_not_ready' && <Trouble error={found.error} again={() => void found.refetch()} />}
      {found.data && <Changes view={found.data} />}
      <div className="mt-4 flex flex-wrap gap-3">
        {found.data && (
          <button type="button" className="button" aria-disabled={accepting.isPending} onClick={() => accept()}>
            {words.accept}
          </button>
        )}
        <button type="button" className="button button-quiet" aria-disabled={dropping.isPending} onClick={() => drop()}>
          {words.drop}
        </button>
      </div>
      {(accepting.error ?? dropping.error) && <Trouble error={(accepting.error ?? dropping.error)!} />}
    </section>
  )
}

function Changes({ view }: { view: FixView }) {
  const words = useWords(improveWords)
  const number = useNumber()
  const count = (kind: FixView['flips'][number]['change']) => view.flips.filter(({ change }) => change === kind).length
  return (
    <>
      <dl className="@container mt-3 grid gap-3 text-small @lg:grid-cols-2">
        <div className="min-w-0 @lg:col-span-2">
          <dt className="text-soft">{words.question}</dt>
          <dd className="font-serif wrap-anywhere" dir="auto">
            {view.question}
          </dd>
        </div>
        {(['before', 'after'] as const).map((when) => (
          <div key={when} className="min-w-0">
            <dt className="text-soft">{words[when]}</dt>
            <dd className={`wrap-anywhere ${when === 'after' ? 'font-semibold' : ''}`} dir="auto">
              {view[when] || words.nothing}
            </dd>
          </div>
        ))}
      </dl>
      {view.after === view.before && <p className="mt-3 text-small font-medium">{words.notHeld}</p>}
      <p className="mt-3 text-small">{words.flips(view.flips.length, number(view.practice), number(count('better')), number(count('worse')))}</p>
      {view.flips.length > 0 && (
        <ul className="mt-2 max-h-72 space-y-3 overflow-y-auto text-small">
          {view.flips.map((flip) => (
            <li
              key={flip.input}
              className={`border-s-2 ps-3 ${flip.change === 'worse' ? 'border-alarm' : flip.change === 'better' ? 'border-gain' : 'border-line-strong'}`}
            >
              <p className="line-clamp-2 font-serif wrap-anywhere" dir="auto">
                {flip.input}
              </p>
              <p className="wrap-anywhere text-soft">
                <span className={`font-medium ${flip.change === 'worse' ? 'text-alarm' : flip.change === 'better' ? 'text-gain' : ''}`}>
                  {words.kinds[flip.change]}
                </span>
                {`: ${flip.before || words.nothing} → ${flip.after || words.nothing}; ${words.rightIs} ${flip.right || words.nothing}`}
              </p>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
