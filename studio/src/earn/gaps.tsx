/**
 * What the owner's models had no answer to, by model and topic: questions whose callers said that their builder may read them. Shown to whoever owns the
 * gateway. Knows nothing of how they are kept.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { GapsView } from '../../../src/core/gaps.ts'
import { ask, get } from '../fetching.ts'
import { useNumber, useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'
import { useOnce } from '../parts/once.ts'
import { Term } from '../parts/term.tsx'

const gapWords = {
  en: {
    heading: 'What your models could not answer',
    what: 'Questions that a model said it has no answer to. They stand here only when whoever asked allowed it. Add pages or examples that answer them, and build it again.',
    other: 'Other topics',
    times: (count: number, shown: string) => `${shown} ${count === 1 ? 'time' : 'times'}`,
    forget: (model: string) => `Forget those of ${model}`,
    more: (shown: string) => `and ${shown} more`,
  },
  es: {
    heading: 'Lo que tus modelos no pudieron responder',
    what: 'Preguntas a las que un modelo dijo no tener respuesta. Solo están aquí si quien preguntó lo permitió. Añade páginas o ejemplos que las respondan y vuelve a construirlo.',
    other: 'Otros temas',
    times: (count: number, shown: string) => `${shown} ${count === 1 ? 'vez' : 'veces'}`,
    forget: (model: string) => `Olvidar las de ${model}`,
    more: (shown: string) => `y ${shown} más`,
  },
}
const SHOWN = 8

export function Gaps() {
  const words = useWords(gapWords)
  const number = useNumber()
  const queries = useQueryClient()
  const found = useQuery({ queryKey: ['gaps'], queryFn: ({ signal }) => get<GapsView>('/api/gaps', signal), retry: false })
  const forgetting = useMutation({
    mutationFn: (model: string) => ask<GapsView>('DELETE', `/api/gaps/${encodeURIComponent(model)}`),
    onSuccess: (view) => queries.setQueryData(['gaps'], view),
  })
  const forget = useOnce(forgetting.mutateAsync)
  if (!found.data?.models.length) return null
  return (
    <section className="panel min-w-0">
      <h2 className="text-large font-semibold">
        <Term term={words.heading} explanation={words.what}>
          {words.heading}
        </Term>
      </h2>
      {found.data.models.map(({ model, topics }) => {
        const most = topics[0]!.times
        return (
          <div key={model} className="mt-4">
            <h3 className="font-medium wrap-anywhere">{model}</h3>
            {topics.map(({ topic, times, questions }) => (
              <div key={topic ?? ''} className="mt-3 text-small">
                <p className="flex justify-between gap-3">
                  <span className="wrap-anywhere">{topic ?? words.other}</span>
                  <span className="shrink-0 text-soft tabular-nums">{words.times(times, number(times))}</span>
                </p>
                <svg width="100%" height="6" aria-hidden="true" className="block">
                  <rect width="100%" height="6" rx="3" className="fill-line" />
                  <rect width={`${(times / most) * 100}%`} height="6" rx="3" className="fill-practice" />
                </svg>
                <ul className="mt-1 space-y-1">
                  {questions.slice(0, SHOWN).map(({ question, times: often }) => (
                    <li key={question} dir="auto" className="font-serif wrap-anywhere">
                      {question} {often > 1 && <span className="font-sans text-soft">{words.times(often, number(often))}</span>}
                    </li>
                  ))}
                  {questions.length > SHOWN && <li className="text-soft">{words.more(number(questions.length - SHOWN))}</li>}
                </ul>
              </div>
            ))}
            <button type="button" className="button button-quiet mt-3" aria-disabled={forgetting.isPending} onClick={() => forget(model)}>
              {words.forget(model)}
            </button>
          </div>
        )
      })}
      {forgetting.error && <Trouble error={forgetting.error} />}
    </section>
  )
}
