/**
 * The board of wanted models: what people need and nobody built, and posting a need. Texts of strangers are shown as text. Knows nothing of
 * who builds.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { Demand, Wanted as Post } from '../../../src/core/market.ts'
import { ask, get } from '../fetching.ts'
import { useLanguage, useWords } from '../language.ts'
import { Fetched, Page, Trouble } from '../parts/fetched.tsx'
import { Go } from '../parts/go.tsx'
import { useOnce } from '../parts/once.ts'
import { Bounties } from './bounty.tsx'
import { type MarketWords, marketWords } from './words.ts'

export function Wanted() {
  const words = useWords(marketWords)
  const language = useLanguage()
  const found = useQuery({ queryKey: ['wanted'], queryFn: ({ signal }) => get<{ wanted: Post[] }>('/api/market/wanted', signal), retry: false })
  const demand = useQuery({ queryKey: ['demand'], queryFn: ({ signal }) => get<{ demand: Demand[] }>('/api/market/demand', signal), retry: false })
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' })
  return (
    <Page title={words.wanted} lead={words.wantedLead}>
      <Fetched found={found}>
        {({ wanted }) => (
          <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_24rem]">
            <section className="min-w-0 space-y-4" aria-label={words.wanted}>
              {wanted.length === 0 && <p className="panel text-soft">{words.noWanted}</p>}
              {wanted.map(({ id, need, cases, contact, at }) => (
                <article key={id} className="panel min-w-0">
                  <p dir="auto" className="font-serif wrap-anywhere">
                    {need}
                  </p>
                  {cases.map(({ input, output }) => (
                    <p key={`${input} ${output}`} dir="auto" className="mt-2 rounded-lg bg-sunken p-2 text-small wrap-anywhere">
                      {input} → <strong className="font-semibold">{output}</strong>
                    </p>
                  ))}
                  <p className="mt-2 text-small text-soft wrap-anywhere">
                    {day.format(at * 1000)} {contact}
                  </p>
                  <Bounties wantedId={id} />
                </article>
              ))}
              {demand.data && demand.data.demand.length > 0 && (
                <section className="panel min-w-0">
                  <h2 className="text-large font-semibold">{words.demand}</h2>
                  <ul className="mt-2 space-y-1 text-small">
                    {demand.data.demand.map((one) => (
                      <li key={one.words} className="wrap-anywhere">
                        <Go to={`/market?q=${encodeURIComponent(one.words)}`} className="text-river underline underline-offset-2">
                          {one.words}
                        </Go>{' '}
                        <span className="text-soft">{words.searches(one.searches)}</span>
                      </li>
                    ))}
                  </ul>
                </section>
              )}
            </section>
            <PostNeed words={words} />
          </div>
        )}
      </Fetched>
    </Page>
  )
}

function PostNeed({ words }: { words: MarketWords }) {
  const id = useId()
  const queries = useQueryClient()
  const empty = { need: '', input: '', output: '', contact: '' }
  const [draft, setDraft] = useState(empty)
  const posting = useMutation({
    mutationFn: ({ need, input, output, contact }: typeof empty) =>
      ask<Post>('POST', '/api/market/wanted', {
        need: need.trim(),
        cases: input.trim() ? [{ input: input.trim(), output: output.trim() }] : [],
        contact: contact.trim(),
      }),
    onSuccess: () => {
      setDraft(empty)
      void queries.invalidateQueries({ queryKey: ['wanted'] })
    },
  })
  const once = useOnce(posting.mutateAsync)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    once(draft)
  }
  const field = (name: keyof typeof empty) => ({
    id: `${id}${name}`,
    value: draft[name],
    onChange: (event: { target: { value: string } }) => setDraft({ ...draft, [name]: event.target.value }),
    className: 'field mt-1 block',
  })
  return (
    <form onSubmit={submit} className="panel space-y-3 self-start text-small">
      <h2 className="text-large font-semibold">{words.post}</h2>
      <label htmlFor={`${id}need`} className="block font-medium">
        {words.need}
      </label>
      <textarea rows={4} maxLength={4000} required minLength={10} {...field('need')} />
      <fieldset className="space-y-2">
        <legend className="font-medium">{words.cases}</legend>
        <label htmlFor={`${id}input`} className="block">
          {words.caseIn}
        </label>
        <textarea rows={2} maxLength={4000} {...field('input')} />
        <label htmlFor={`${id}output`} className="block">
          {words.caseOut}
        </label>
        <input maxLength={4000} {...field('output')} />
      </fieldset>
      <label htmlFor={`${id}contact`} className="block font-medium">
        {words.contact}
      </label>
      <input maxLength={200} {...field('contact')} />
      <button type="submit" className="button" aria-disabled={posting.isPending}>
        {words.post}
      </button>
      <p role="status" className="text-gain empty:hidden">
        {posting.isSuccess ? words.posted : ''}
      </p>
      {posting.error && <Trouble error={posting.error} />}
    </form>
  )
}
