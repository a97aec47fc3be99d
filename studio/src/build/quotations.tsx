/**
 * Consent: what strangers will see quoted of each document, and which documents are kept out. Knows nothing of models that quote nothing, for
 * which it shows nothing.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNumber, useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'
import { quotations, withhold } from './improve-api.ts'
import { improveWords } from './improve-words.ts'

export function Quotations({ name }: { name: string }) {
  const words = useWords(improveWords)
  const number = useNumber()
  const queries = useQueryClient()
  const key = ['quotations', name]
  const found = useQuery({ queryKey: key, queryFn: ({ signal }) => quotations(name, signal) })
  const choosing = useMutation({
    mutationFn: (files: readonly string[]) => withhold(name, files),
    // Seen at once; put back where the server refuses.
    onMutate: (files) => {
      const before = found.data
      if (before) queries.setQueryData(key, { ...before, documents: before.documents.map((one) => ({ ...one, withheld: files.includes(one.file) })) })
      return before
    },
    onError: (_error, _files, before) => queries.setQueryData(key, before),
    onSuccess: (view) => queries.setQueryData(key, view),
  })
  const documents = found.data?.documents ?? []
  if (!documents.length) return null
  const withheld = documents.filter((one) => one.withheld).map(({ file }) => file)
  return (
    <section className="panel min-w-0">
      <h2 className="text-title font-semibold">{words.quotes}</h2>
      <p className="mt-1 max-w-prose text-small text-soft">{words.quotesLead}</p>
      {choosing.error && <Trouble error={choosing.error} />}
      <ul className="mt-3 max-h-96 space-y-3 overflow-y-auto text-small">
        {documents.map((one) => (
          <li key={one.file}>
            <label className="flex min-h-9 items-center gap-3">
              <input
                type="checkbox"
                checked={!one.withheld}
                onChange={(event) => choosing.mutate(event.target.checked ? withheld.filter((file) => file !== one.file) : [...withheld, one.file])}
                className="size-5 accent-river"
              />
              <span className="min-w-0 font-medium wrap-anywhere">{one.file}</span>
              <span className="ms-auto whitespace-nowrap text-soft tabular-nums">{words.passages(number(one.passages))}</span>
            </label>
            {one.shown[0] && (
              <p dir="auto" className="line-clamp-2 ps-8 font-serif wrap-anywhere text-soft">
                {one.shown[0]}
              </p>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
