/**
 * A page of its own and what it fetched: heading, skeleton while it waits, a problem with a way on, and facts as name and value. Knows nothing
 * of what is fetched.
 */
import type { UseQueryResult } from '@tanstack/react-query'
import { type ReactNode, useEffect } from 'react'
import { Failed } from '../fetching.ts'
import { useWords } from '../language.ts'

const kit = {
  en: { loading: 'Loading', again: 'Try again', stale: 'What you see is the last known state.' },
  es: { loading: 'Cargando', again: 'Intentar de nuevo', stale: 'Lo que ves es el último estado conocido.' },
}

export function Page({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · ModelFactory`
  }, [title])
  return (
    <div className="min-w-0 space-y-5">
      <header>
        <h1 className="font-serif text-title font-semibold text-balance sm:text-figure">{title}</h1>
        {lead && <p className="mt-2 max-w-prose text-soft">{lead}</p>}
      </header>
      {children}
    </div>
  )
}

/** What was fetched, or the skeleton, or what went wrong with a button to try again. An old value stays in sight while a new one fails. */
export function Fetched<T>({ found, children }: { found: UseQueryResult<T>; children: (value: T) => ReactNode }) {
  const words = useWords(kit)
  const { data, error, refetch } = found
  return (
    <>
      {error && <Trouble error={error} again={() => void refetch()} stale={data !== undefined ? words.stale : ''} />}
      {data !== undefined ? (
        children(data)
      ) : error ? null : (
        <div role="status" className="space-y-5">
          <span className="sr-only">{words.loading}</span>
          {[9, 16].map((height) => (
            <div key={height} aria-hidden="true" className="panel pulse" style={{ height: `${height}rem` }} />
          ))}
        </div>
      )}
    </>
  )
}

/** A problem with its hint; `again` offers to try once more. */
export function Trouble({ error, again, stale = '' }: { error: Error; again?: (() => void) | undefined; stale?: string }) {
  const words = useWords(kit)
  return (
    <div role="alert" className="rounded-xl border border-alarm bg-alarm-wash p-4 text-small">
      <p className="font-medium wrap-anywhere">{error.message}</p>
      {error instanceof Failed && error.hint && <p className="mt-1 wrap-anywhere">{error.hint}</p>}
      {stale && <p className="mt-1">{stale}</p>}
      {again && (
        <button type="button" onClick={again} className="button button-quiet mt-3">
          {words.again}
        </button>
      )}
    </div>
  )
}

/** One fact of a `dl` that is a container: name above value where the list is narrow, beside it elsewhere. */
export function Fact({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <div className="grid gap-x-4 @md:grid-cols-[14rem_minmax(0,1fr)]">
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </div>
  )
}
