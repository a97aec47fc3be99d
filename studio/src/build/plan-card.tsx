/**
 * The plan as a card in plain words: what the model will do and will not, what it learns from, minutes and price; changed by talking or by
 * clicking an answer, and each change can be undone. Sentences of the planner are shown as they came. Knows nothing of how a plan is made.
 */
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { useLanguage, useNumber, useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'
import { type Ready, refined, type Spec } from './build-api.ts'
import { buildWords } from './words.ts'

const KINDS_SHOWN = 8
const FILES_SHOWN = 4

export function PlanCard({ spec, ready, onSpec }: { spec: Spec; ready: Ready | undefined; onSpec: (spec: Spec) => void }) {
  const { plan: words } = useWords(buildWords)
  const number = useNumber()
  const id = useId()
  const [said, say] = useState('')
  const [before, setBefore] = useState<Spec[]>([])
  const changing = useMutation({
    mutationFn: (change: string) => refined(spec, change),
    onSuccess: ({ spec: next }) => {
      setBefore((all) => [...all, spec])
      say('')
      onSpec(next)
    },
  })
  const change = (text: string) => text.trim() && !changing.isPending && changing.mutate(text.trim())
  const undo = () => {
    const last = before.at(-1)
    if (!last) return
    setBefore(before.slice(0, -1))
    changing.reset()
    onSpec(last)
  }
  const { will, wont } = useSentences(spec)
  const used = spec.files.filter(({ use }) => use !== 'ignored')
  // What is taken for granted until a question is answered stands with that question.
  const asked = spec.clarify.map((one) => (typeof one === 'string' ? '' : one.assumed))
  const assumptions = spec.assumptions.filter((one) => !asked.includes(one))
  const minutes = ready ? Math.max(1, Math.round(ready.seconds / 60)) : null
  return (
    <section className="panel min-w-0" aria-labelledby={id}>
      <h2 id={id} className="text-title font-semibold">
        {words.heading}
      </h2>
      {spec.decline ? (
        <div role="alert" className="mt-3 rounded-lg border border-alarm bg-alarm-wash p-4">
          <p className="font-medium">{words.declined}</p>
          <p className="mt-1">{spec.decline.reason}</p>
          <p className="mt-2 text-small">
            {words.instead}: {spec.decline.alternative}
          </p>
        </div>
      ) : (
        <div className="mt-4 grid gap-6 sm:grid-cols-2">
          <Lines heading={words.will} lines={will} mark="✓" tone="text-gain" />
          <Lines heading={words.wont} lines={wont} mark="×" tone="text-soft" />
        </div>
      )}
      <dl className="mt-6 grid gap-x-8 gap-y-4 border-t border-line pt-4 text-small sm:grid-cols-3">
        <div className="min-w-0">
          <dt className="text-soft">{words.needs}</dt>
          <dd className="wrap-anywhere">
            {used
              .slice(0, FILES_SHOWN)
              .map(({ name }) => name)
              .join(', ')}
            {used.length > FILES_SHOWN && ` ${words.more(number(used.length - FILES_SHOWN))}`}
          </dd>
        </div>
        <div>
          <dt className="text-soft">{words.takes}</dt>
          <dd>{minutes === null ? words.estimating : words.minutes(number(minutes), minutes === 1)}</dd>
        </div>
        <div>
          <dt className="text-soft">{words.price}</dt>
          <dd>{spec.pricePerQuery ? words.priceMost(`${spec.pricePerQuery} OPEN`) : words.priceOpen}</dd>
        </div>
      </dl>
      {assumptions.length > 0 && (
        <ul className="mt-4 space-y-1 text-small text-soft">
          {assumptions.map((assumption) => (
            <li key={assumption} className="wrap-anywhere">
              {words.assumed}: {assumption}
            </li>
          ))}
        </ul>
      )}
      {spec.clarify.map((one) => {
        const { question, options, assumed } = typeof one === 'string' ? { question: one, options: [], assumed: '' } : one
        return (
          <div key={question} className="mt-4 rounded-lg bg-river-wash p-4 text-small">
            <p className="font-medium">
              {words.question}: {question}
            </p>
            {options.length > 0 && (
              <div className="mt-2 flex flex-wrap gap-2">
                {options
                  .filter((option) => option.words)
                  .map((option) => (
                    <button
                      key={option.label}
                      type="button"
                      className="button button-quiet bg-surface"
                      aria-disabled={changing.isPending}
                      onClick={() => change(option.words)}
                    >
                      {option.label}
                    </button>
                  ))}
              </div>
            )}
            {assumed && <p className="mt-2">{words.leave(assumed)}</p>}
          </div>
        )
      })}
      <form
        className="mt-5"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          change(said)
        }}
      >
        <label htmlFor={`${id}said`} className="text-small font-medium">
          {words.talk}
        </label>
        <div className="mt-1 flex flex-wrap gap-3">
          <input
            id={`${id}said`}
            value={said}
            onChange={(event) => say(event.target.value)}
            placeholder={words.talkHint}
            dir="auto"
            className="field min-h-11 min-w-0 flex-1 basis-60"
          />
          <button type="submit" className="button button-quiet" aria-disabled={changing.isPending || !said.trim()}>
            {changing.isPending ? words.changing : words.change}
          </button>
        </div>
      </form>
      <div role="status" className="mt-2 text-small">
        {changing.data && (
          <p className="wrap-anywhere">{changing.data.changes.length ? `${words.changed}: ${changing.data.changes.join(' ')}` : words.unchanged}</p>
        )}
      </div>
      {before.length > 0 && (
        <button type="button" className="min-h-9 text-small font-medium text-river underline underline-offset-4" onClick={undo}>
          {words.undo}
        </button>
      )}
      {changing.error && <Trouble error={changing.error} />}
    </section>
  )
}

function Lines({ heading, lines, mark, tone }: { heading: string; lines: readonly string[]; mark: string; tone: string }) {
  return (
    <div className="min-w-0">
      <h3 className="text-small text-soft">{heading}</h3>
      <ul className="mt-1 space-y-1.5">
        {lines.map((line) => (
          <li key={line} className="flex gap-2">
            <span aria-hidden="true" className={tone}>
              {mark}
            </span>
            <span className="min-w-0 wrap-anywhere">{line}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** A plan's fields as what it will do and what it will not. */
function useSentences(spec: Spec): { will: string[]; wont: string[] } {
  const { plan: words } = useWords(buildWords)
  const language = useLanguage()
  const number = useNumber()
  const named = (all: readonly string[] | null) =>
    `${(all ?? []).slice(0, KINDS_SHOWN).join(', ')}${(all?.length ?? 0) > KINDS_SHOWN ? ` ${words.more(number(all!.length - KINDS_SHOWN))}` : ''}`
  const names = new Intl.DisplayNames([language], { type: 'language', fallback: 'code' })
  const languages = spec.language.map((tag) => {
    try {
      return names.of(tag) ?? tag
    } catch {
      return tag
    }
  })
  const task =
    spec.task === 'classify'
      ? words.tasks.classify(named(spec.labels))
      : spec.task === 'extract'
        ? words.tasks.extract(named(spec.fields))
        : words.tasks[spec.task]
  return {
    will: [
      task,
      words.reads(new Intl.ListFormat(language).format(languages)),
      ...(spec.mustCite ? [words.cites] : []),
      ...(spec.multiLabel ? [words.several] : []),
      ...(spec.privacy === 'local' ? [words.local] : []),
    ],
    wont: [
      ...(spec.refuseOutsideScope ? [words.guess] : []),
      ...(spec.task === 'answer' ? [words.outside] : []),
      ...(spec.task === 'classify' ? [words.otherKinds] : []),
      ...(spec.avoid?.length ? [words.avoid(spec.avoid.join(', '))] : []),
      words.decide,
    ],
  }
}
