/**
 * Try box: asks a model for free and shows what it says, quoted sentences with their sources or the kinds with their
 * probabilities. What a model says is outside data: it is only ever text. Knows nothing of payment.
 */
import { type FormEvent, type KeyboardEvent, useId, useState } from 'react'
import { type Answer, ask, isProblem, type ModelView, type Problem } from '../api.ts'
import { Judge } from '../build/fix.tsx'
import { percent, webLink } from '../format.ts'
import { useWords } from '../language.ts'
import { studioWords } from '../words.ts'
import { ProblemNote } from './problem.tsx'

const LABELS_SHOWN = 6

/** `onFixing`: a correction of an answer is being tried. */
export function TryBox({ model, onFixing }: { model: ModelView; onFixing: () => void }) {
  const words = useWords(studioWords)
  const id = useId()
  const [text, setText] = useState('')
  const [asking, setAsking] = useState(false)
  const [answered, setAnswered] = useState<{ question: string; answer: Answer; turn: number } | null>(null)
  const [problem, setProblem] = useState<Pick<Problem, 'message' | 'hint'> | null>(null)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (asking) return
    if (!text.trim()) return setProblem(words.tryIt.empty)
    setAsking(true)
    setProblem(null)
    const result = await ask(model.name, text)
    setAsking(false)
    if (isProblem(result)) return setProblem(result)
    setAnswered({ question: text, answer: result, turn: (answered?.turn ?? 0) + 1 })
  }
  const submitOnEnter = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.form?.requestSubmit()
  }

  return (
    <section>
      <h3 className="text-large font-semibold">{words.tryIt.heading}</h3>
      <p className="text-small text-soft">{words.tryIt.free}</p>
      <form onSubmit={submit} className="mt-3 flex flex-col items-start gap-3">
        <label htmlFor={id} className="block text-small font-medium">
          {model.task === 'classify' ? words.tryIt.label.classify : words.tryIt.label.other}
        </label>
        <textarea
          id={id}
          rows={3}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={submitOnEnter}
          dir="auto"
          className="field block resize-y font-serif"
        />
        <button type="submit" className="button min-w-28" aria-disabled={asking}>
          {asking ? words.tryIt.asking : words.tryIt.ask}
        </button>
        <ProblemNote problem={problem} />
      </form>
      <div aria-live="polite" aria-busy={asking} className={`mt-4 empty:sr-only ${asking ? 'opacity-50' : ''}`}>
        {answered && <Said answer={answered.answer} />}
      </div>
      {answered && !asking && <Judge key={answered.turn} model={model} question={answered.question} answer={answered.answer} onFixing={onFixing} />}
    </section>
  )
}

function Said({ answer }: { answer: Answer }) {
  const words = useWords(studioWords)
  const citations = answer.citations ?? []
  if (answer.abstained)
    return (
      <div className="rounded-lg bg-sunken p-4">
        <p className="font-medium">{words.tryIt.abstained}</p>
        {answer.text && (
          <p className="mt-1 font-serif text-soft" dir="auto">
            {answer.text}
          </p>
        )}
      </div>
    )
  if (answer.scores && answer.scores.length > 0) return <Kinds label={answer.label} scores={answer.scores} />
  if (citations.length === 0)
    return (
      <p className="rounded-lg bg-sunken p-4 font-serif" dir="auto">
        {answer.text}
      </p>
    )
  return (
    <div>
      <h4 className="text-small font-medium text-soft">{words.tryIt.quoted}</h4>
      <ul className="mt-2 space-y-4">
        {citations.map((citation, index) => {
          const link = webLink(citation.url)
          const where = [citation.title, citation.heading].filter((part, at, parts) => part && parts.indexOf(part) === at).join(' › ')
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: an answer is replaced whole, never reordered, and a quote may come twice
            <li key={index}>
              <blockquote className="border-l-2 border-river pl-3 font-serif text-large" dir="auto">
                {citation.quote}
              </blockquote>
              <p className="mt-1 flex flex-wrap gap-x-3 pl-3.5 text-small text-soft">
                {link ? (
                  <a href={link} target="_blank" rel="noopener noreferrer" className="text-river underline underline-offset-4">
                    {where || citation.file}
                  </a>
                ) : (
                  <span>{where || citation.file}</span>
                )}
                {where && <span>{citation.file}</span>}
                <span className="tabular-nums">{words.tryIt.sure(percent(citation.probability))}</span>
              </p>
            </li>
          )
        })}
      </ul>
    </div>
  )
}

function Kinds({ label, scores }: { label: string | undefined; scores: NonNullable<Answer['scores']> }) {
  const words = useWords(studioWords)
  const shown = scores.slice(0, LABELS_SHOWN)
  return (
    <div>
      <p className="text-small text-soft">{words.tryIt.label2}</p>
      <p className="text-title font-semibold" dir="auto">
        {label ?? shown[0]?.label}
      </p>
      <ul className="mt-3 space-y-2 text-small">
        {shown.map((score) => (
          <li key={score.label} className="grid grid-cols-[minmax(0,12rem)_1fr_3rem] items-center gap-3">
            <span className="truncate" title={score.label} dir="auto">
              {score.label}
            </span>
            <svg aria-hidden="true" width="100%" height="10">
              <rect width="100%" height="10" rx="3" className="fill-sunken" />
              <rect
                width={`${Math.max(0, Math.min(100, score.probability * 100)).toFixed(2)}%`}
                height="10"
                rx="3"
                className={score.label === label ? 'fill-river' : 'fill-muted-bar'}
              />
            </svg>
            <span className="text-right tabular-nums">{percent(score.probability)}</span>
          </li>
        ))}
      </ul>
      {scores.length > shown.length && <p className="mt-2 text-small text-soft">{words.tryIt.more(scores.length - shown.length)}</p>}
    </div>
  )
}
