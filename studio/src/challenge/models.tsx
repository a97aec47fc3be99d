/**
 * The models of this server, each with the way to its expert mode. Knows nothing of what is shown there.
 */
import { useQuery } from '@tanstack/react-query'
import type { StateView } from '../../../src/core/view.ts'
import { get } from '../fetching.ts'
import { useWords } from '../language.ts'
import { Go } from '../parts/go.tsx'
import { expertWords } from './expert-words.ts'

export function OwnModels() {
  const words = useWords(expertWords)
  const models = useQuery({ queryKey: ['models'], queryFn: () => get<StateView>('/api/state'), select: (state) => state.models.map(({ name }) => name) })
  if (!models.data?.length) return null
  return (
    <section className="panel min-w-0">
      <h2 className="text-large font-semibold">{words.models}</h2>
      <p className="mt-1 text-small text-soft">{words.modelsText}</p>
      <ul className="mt-2 flex flex-wrap gap-2">
        {models.data.map((name) => (
          <li key={name}>
            <Go to={`/expert/${encodeURIComponent(name)}`} className="button button-quiet wrap-anywhere">
              {name}
            </Go>
          </li>
        ))}
      </ul>
    </section>
  )
}
