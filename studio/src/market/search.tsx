/**
 * Search of the market: a need in words, filters with counts, and for each model why it stands where it stands. What is asked for stands in
 * the page's address, so that it can be shared and the back button works. Knows nothing of how a place is computed.
 */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { StateView } from '../../../src/core/view.ts'
import { get } from '../fetching.ts'
import { useLanguageNames, useWords } from '../language.ts'
import { Fetched, Page } from '../parts/fetched.tsx'
import { Go } from '../parts/go.tsx'
import { auditionWords } from './audition-words.ts'
import { ExamBar, Price, taskName, Use, Verdict } from './bits.tsx'
import { MOST_COMPARED, toggleCompared, useCompared } from './chosen.ts'
import { FACETS, type Found, type Hit, type Search, search } from './market-api.ts'
import { type MarketWords, marketWords } from './words.ts'

/** Currency and addresses of the chain this server is on; they never change while it runs. */
export const useChain = () =>
  useQuery({
    queryKey: ['chain'],
    queryFn: () => get<StateView>('/api/state'),
    select: ({ network, contracts }) => ({ network, contracts }),
    staleTime: 60_000,
  })

const NAMES = ['q', ...FACETS, 'maxPrice', 'minQuality', 'sort'] as const

function read(): Search {
  const parameters = new URLSearchParams(window.location.search)
  return Object.fromEntries(NAMES.flatMap((name) => (parameters.get(name) ? [[name, parameters.get(name)!]] : [])))
}

export function Market() {
  const words = useWords(marketWords)
  const audition = useWords(auditionWords)
  const [query, setQuery] = useState<Search>(read)
  const change = (next: Search) => {
    const parameters = new URLSearchParams(Object.entries(next).filter((entry): entry is [string, string] => Boolean(entry[1])))
    // Replaced, not pushed: the page's router owns the history, and the address is for sharing and coming back.
    window.history.replaceState(window.history.state, '', `${window.location.pathname}${parameters.size ? `?${parameters}` : ''}`)
    setQuery(next)
  }
  const found = useInfiniteQuery({
    queryKey: ['market', query],
    queryFn: ({ pageParam, signal }) => search(query, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  })
  const compared = useCompared()
  return (
    <Page title={words.title} lead={words.lead}>
      <SearchBox query={query} change={change} words={words} />
      <Fetched found={found}>
        {({ pages }) => {
          const [first] = pages as [Found, ...Found[]]
          const hits = pages.flatMap((page) => page.hits)
          return (
            <div className="grid gap-5 lg:grid-cols-[16rem_minmax(0,1fr)]">
              <Filters query={query} change={change} found={first} words={words} />
              <section className="min-w-0 space-y-4" aria-label={words.title}>
                <div className="flex flex-wrap items-center justify-between gap-3">
                  <p role="status" className="font-semibold">
                    {words.found(first.total, first.more)}
                  </p>
                  {compared.length > 0 && (
                    <Go to="/market/compare" className="button button-quiet">
                      {words.compareCount(compared.length)}
                    </Go>
                  )}
                </div>
                {first.total > 1 && (
                  <p className="text-small">
                    <Go
                      to={`/market/audition${query.q ? `?q=${encodeURIComponent(query.q)}` : ''}`}
                      className="font-medium text-river underline underline-offset-4"
                    >
                      {audition.offer}
                    </Go>
                  </p>
                )}
                {first.local && <p className="text-small text-soft">{words.localOnly}</p>}
                {first.corrected.map(({ from, to }) => (
                  <p key={from} className="text-small text-soft">
                    {words.corrected(from, to)}
                  </p>
                ))}
                {hits.length === 0 ? (
                  <Nothing asked={Object.keys(query).length > 0} words={words} />
                ) : (
                  <ol className="space-y-4">
                    {hits.map((hit) => (
                      <li key={hit.modelId}>
                        <HitCard hit={hit} compared={compared} words={words} />
                      </li>
                    ))}
                  </ol>
                )}
                {found.hasNextPage && (
                  <button type="button" className="button button-quiet" onClick={() => void found.fetchNextPage()} disabled={found.isFetchingNextPage}>
                    {words.more}
                  </button>
                )}
              </section>
            </div>
          )
        }}
      </Fetched>
    </Page>
  )
}

function SearchBox({ query, change, words }: Asking) {
  const id = useId()
  const [text, setText] = useState(query.q ?? '')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const { q: _, ...rest } = query
    change(text.trim() ? { ...rest, q: text.trim() } : rest)
  }
  return (
    <search>
      <form onSubmit={submit} className="panel">
        <label htmlFor={id} className="font-semibold">
          {words.search}
        </label>
        <div className="mt-2 flex flex-wrap gap-3">
          <input
            id={id}
            type="search"
            value={text}
            maxLength={2000}
            onChange={(event) => setText(event.target.value)}
            placeholder={words.searchHint}
            className="field min-h-11 min-w-0 flex-1 basis-60"
          />
          <button type="submit" className="button">
            {words.find}
          </button>
        </div>
      </form>
    </search>
  )
}

type Asking = { query: Search; change: (next: Search) => void; words: MarketWords }

function Filters({ query, change, found, words }: Asking & { found: Found }) {
  const id = useId()
  const set = (name: keyof Search, value: string) => {
    const { [name]: _, ...rest } = query
    change(value ? { ...rest, [name]: value } : rest)
  }
  const filtered = Object.keys(query).some((name) => name !== 'q')
  const wide = typeof window !== 'undefined' && window.innerWidth >= 1024
  return (
    <details open={wide || filtered} className="panel self-start">
      <summary className="min-h-9 content-center font-semibold">{words.filters}</summary>
      <div className="mt-3 space-y-3">
        {FACETS.map((facet) => {
          const values = found.facets[facet]
          const chosen = query[facet]
          if (!values.length && !chosen) return null
          const shown = chosen && !values.some(({ value }) => value === chosen) ? [{ value: chosen, count: 0 }, ...values] : values
          return (
            <div key={facet}>
              <label htmlFor={`${id}${facet}`} className="text-small text-soft">
                {words.facets[facet]}
              </label>
              <select id={`${id}${facet}`} value={chosen ?? ''} onChange={(event) => set(facet, event.target.value)} className="field min-h-11 text-small">
                <option value="">{words.any}</option>
                {shown.map(({ value, count }) => (
                  <option key={value} value={value}>
                    {facet === 'task' ? taskName(value, words) : facet === 'verdict' ? (words.verdicts[value] ?? value) : value} ({count})
                  </option>
                ))}
              </select>
            </div>
          )
        })}
        <div>
          <label htmlFor={`${id}price`} className="text-small text-soft">
            {words.maxPrice}
          </label>
          <Later
            id={`${id}price`}
            value={query.maxPrice ?? ''}
            fits={(text) => /^(\d{1,20}(\.\d{1,18})?)?$/.test(text)}
            change={(text) => set('maxPrice', text)}
          />
        </div>
        <div>
          <label htmlFor={`${id}quality`} className="text-small text-soft">
            {words.minQuality}
          </label>
          <select
            id={`${id}quality`}
            value={query.minQuality ?? ''}
            onChange={(event) => set('minQuality', event.target.value)}
            className="field min-h-11 text-small"
          >
            <option value="">{words.any}</option>
            {['0.5', '0.6', '0.7', '0.8', '0.9'].map((value) => (
              <option key={value} value={value}>
                {100 * Number(value)}
              </option>
            ))}
          </select>
        </div>
        <div>
          <label htmlFor={`${id}sort`} className="text-small text-soft">
            {words.sort}
          </label>
          <select
            id={`${id}sort`}
            value={query.sort ?? 'best'}
            onChange={(event) => set('sort', event.target.value === 'best' ? '' : event.target.value)}
            className="field min-h-11 text-small"
          >
            {Object.entries(words.sorts).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </div>
        {filtered && (
          <button type="button" className="button button-quiet w-full" onClick={() => change(query.q ? { q: query.q } : {})}>
            {words.clear}
          </button>
        )}
      </div>
    </details>
  )
}

/** A field that is taken when it is left or Enter is pressed, and only when it fits. */
function Later({ id, value, fits, change }: { id: string; value: string; fits: (text: string) => boolean; change: (text: string) => void }) {
  const [text, setText] = useState(value)
  const wrong = !fits(text.trim())
  const take = () => {
    if (!wrong && text.trim() !== value) change(text.trim())
  }
  return (
    <input
      id={id}
      inputMode="decimal"
      autoComplete="off"
      value={text}
      aria-invalid={wrong}
      onChange={(event) => setText(event.target.value)}
      onBlur={take}
      onKeyDown={(event) => event.key === 'Enter' && take()}
      className="field min-h-11 text-small aria-invalid:border-alarm"
    />
  )
}

function Nothing({ asked, words }: { asked: boolean; words: MarketWords }) {
  return (
    <div className="panel">
      <p className="font-semibold">{asked ? words.nothing : words.nothingAtAll}</p>
      {asked && <p className="mt-1 text-small text-soft">{words.nothingMore}</p>}
    </div>
  )
}

/** Where a listing's page is. */
export const listingPath = (id: string): string => `/market/${encodeURIComponent(id)}`

function HitCard({ hit, compared, words }: { hit: Hit; compared: string[]; words: MarketWords }) {
  const chain = useChain()
  const names = useLanguageNames()
  const chosen = compared.includes(hit.modelId)
  return (
    <article className="panel min-w-0">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <h2 className="text-large font-semibold wrap-anywhere">
          <Go to={listingPath(hit.modelId)} className="text-river underline decoration-1 underline-offset-4">
            {hit.name}
          </Go>
        </h2>
        <Price price={hit.price} currency={chain.data?.network.currency ?? ''} />
      </div>
      <p dir="auto" className="mt-1 line-clamp-3 max-w-prose font-serif wrap-anywhere">
        {hit.words}
      </p>
      <div className="mt-3 grid gap-3 sm:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
        <div>
          <p className="text-small">
            <Verdict verdict={hit.verdict} /> <span className="text-soft">· {taskName(hit.task, words)}</span>
            {hit.languages.length > 0 && <span className="text-soft"> · {names(hit.languages)}</span>}
          </p>
          <p className="mt-1">
            <Use paid={hit.paid} />
          </p>
          {hit.synthetic && <p className="text-small text-alarm">{words.synthetic}</p>}
        </div>
        {hit.exam ? <ExamBar exam={hit.exam} name={hit.name} /> : <p className="text-small text-soft">{words.noExam}</p>}
      </div>
      <div className="mt-3 flex flex-wrap items-start justify-between gap-3">
        <details className="min-w-0 flex-1 text-small">
          <summary className="min-h-9 content-center text-soft">{words.why}</summary>
          <ul className="list-disc space-y-1 py-1 ps-5">
            {(hit.why.length ? hit.why : [words.noWhy]).map((reason) => (
              <li key={reason} className="wrap-anywhere">
                {reason}
              </li>
            ))}
            {hit.newcomer && <li>{words.newcomer}</li>}
          </ul>
        </details>
        <button
          type="button"
          aria-pressed={chosen}
          aria-label={words.compareThis(hit.name)}
          title={!chosen && compared.length >= MOST_COMPARED ? words.compareFull : undefined}
          disabled={!chosen && compared.length >= MOST_COMPARED}
          onClick={() => toggleCompared(hit.modelId)}
          className={`min-h-9 rounded-lg border px-3 text-small ${chosen ? 'border-river bg-river-wash font-semibold' : 'border-line-strong'}`}
        >
          {chosen ? '✓ ' : ''}
          {words.compare}
        </button>
      </div>
    </article>
  )
}
