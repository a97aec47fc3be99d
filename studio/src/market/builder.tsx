/**
 * Who built a model, in the builder's own words, which nobody has checked, and what else they sell. Knows nothing of how any of it is kept.
 */
import { useQuery } from '@tanstack/react-query'
import type { Builder, BuilderView } from '../../../src/core/market.ts'
import { get } from '../fetching.ts'
import { useWords } from '../language.ts'
import { Go } from '../parts/go.tsx'
import { Term } from '../parts/term.tsx'

const builderWords = {
  en: {
    heading: 'Its builder',
    term: 'in their own words',
    what: 'The builder wrote this. Nobody has checked it: follow the links, and look at the exam, which anybody can recompute.',
    more: 'Also by them',
  },
  es: {
    heading: 'Quién lo hizo',
    term: 'en sus propias palabras',
    what: 'Lo escribió quien construyó el modelo. Nadie lo ha comprobado: sigue los enlaces y mira el examen, que cualquiera puede volver a calcular.',
    more: 'También suyos',
  },
}

/** `modelId` is the model beside which it stands, and is not named again. */
export function BuilderPanel({ builder, modelId }: { builder: Builder; modelId: string }) {
  const words = useWords(builderWords)
  const path = `/api/market/builders/${builder.address}`
  const found = useQuery({ queryKey: ['builder', builder.address], queryFn: ({ signal }) => get<BuilderView>(path, signal), retry: false })
  const others = found.data?.models.filter((one) => one.modelId !== modelId) ?? []
  return (
    <section className="panel min-w-0 space-y-2 text-small">
      <h2 className="text-large font-semibold">{words.heading}</h2>
      <p dir="auto" className="font-medium wrap-anywhere">
        {builder.name}
      </p>
      {builder.about && (
        <p dir="auto" className="wrap-anywhere">
          {builder.about}
        </p>
      )}
      {builder.credentials.length > 0 && (
        <ul className="list-disc ps-5">
          {builder.credentials.map(({ title, url }) => (
            <li key={`${title} ${url}`} dir="auto" className="wrap-anywhere">
              {url ? (
                <a href={url} target="_blank" rel="noreferrer nofollow ugc" className="text-river underline underline-offset-2">
                  {title}
                </a>
              ) : (
                title
              )}
            </li>
          ))}
        </ul>
      )}
      <p className="text-soft">
        <Term term={words.term} explanation={words.what}>
          {words.term}
        </Term>
      </p>
      {others.length > 0 && (
        <p>
          {words.more}:{' '}
          {others.map((one, index) => (
            <span key={one.modelId}>
              {index > 0 && ', '}
              <Go to={`/market/${one.modelId}`} className="text-river underline underline-offset-2">
                {one.name}
              </Go>
            </span>
          ))}
        </p>
      )}
    </section>
  )
}
