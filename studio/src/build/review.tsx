/**
 * Review: every example of a model with its source, to be found, corrected, removed and added, and the documents that may be quoted. Changes show
 * at once, can be undone, and are kept together. Only the rows in sight are drawn and only their pages fetched; what stands in a file is outside
 * data and only ever text. Knows nothing of training.
 */
import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type FormEvent, useDeferredValue, useId, useMemo, useRef, useState } from 'react'
import { useNumber, useWords } from '../language.ts'
import { Fetched, Page, Trouble } from '../parts/fetched.tsx'
import { Go } from '../parts/go.tsx'
import { useOnce } from '../parts/once.ts'
import { type Change, type Example, examples, keep, PAGE, type Part, rebuild } from './improve-api.ts'
import { improveWords } from './improve-words.ts'
import { Quotations } from './quotations.tsx'

const PARTS: readonly Part[] = ['training', 'practice', 'exam']
/** A row before it is measured. */
const ROW_PIXELS = 104

export function Review({ name }: { name: string }) {
  const words = useWords(improveWords)
  const router = useRouter()
  const queries = useQueryClient()
  const number = useNumber()
  const [part, setPart] = useState<Part>('training')
  const [text, setText] = useState('')
  const find = useDeferredValue(text.trim())
  const [changes, setChanges] = useState<readonly Change[]>([])
  const first = useQuery({ queryKey: ['examples', name, part, find, 0], queryFn: ({ signal }) => examples(name, part, find, 0, signal) })
  const keeping = useMutation({
    mutationFn: () => keep(name, changes),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['examples', name] })
      setChanges([])
    },
  })
  const building = useMutation({
    mutationFn: () => rebuild(name),
    onSuccess: () => router.history.push(`/#${encodeURIComponent(name)}`),
  })
  const begin = useOnce<void>(() => keeping.mutateAsync())
  const again = useOnce<void>(() => building.mutateAsync())
  const kept = first.data?.corrections ?? 0
  return (
    <Page title={words.reviewTitle(name)} lead={words.reviewLead}>
      <p className="text-small">
        <Go to={`/#${encodeURIComponent(name)}`} className="font-medium text-river underline underline-offset-4">
          {words.back}
        </Go>
      </p>
      <div className="panel min-w-0">
        <div className="flex flex-wrap items-end gap-4">
          <fieldset className="flex flex-wrap gap-2">
            <legend className="sr-only">{words.reviewTitle(name)}</legend>
            {PARTS.map((one) => (
              <label
                key={one}
                className={`flex min-h-11 cursor-pointer items-center rounded-lg border px-3 text-small has-focus-visible:outline-2 ${one === part ? 'border-river bg-river-wash font-semibold' : 'border-line-strong'}`}
              >
                <input type="radio" name="part" checked={one === part} onChange={() => setPart(one)} className="sr-only" />
                {words.parts[one]}
              </label>
            ))}
          </fieldset>
          <label className="min-w-0 flex-1 basis-60 text-small font-medium">
            {words.find}
            <input type="search" value={text} onChange={(event) => setText(event.target.value)} dir="auto" className="field mt-1 min-h-11" />
          </label>
        </div>
        {part === 'exam' && <p className="mt-3 text-small text-soft">{words.examNote}</p>}
        <div className="mt-4">
          <Fetched found={first}>
            {(view) => (
              <>
                <p role="status" className="text-small text-soft">
                  {view.total === 0 ? words.none : words.total(number(view.total))}
                </p>
                <Rows
                  key={`${part} ${find}`}
                  name={name}
                  part={part}
                  find={find}
                  total={view.total}
                  task={view.task}
                  changes={changes}
                  onChanges={setChanges}
                />
              </>
            )}
          </Fetched>
        </div>
        <Add onAdd={(change) => setChanges([...changes, change])} />
      </div>
      {(changes.length > 0 || kept > 0) && (
        <div className="panel sticky bottom-2 z-10 flex flex-wrap items-center gap-3 text-small shadow-lg">
          <p role="status" className="me-auto">
            {changes.length > 0 ? words.changed(number(changes.length), changes.length === 1) : words.kept(number(kept), kept === 1)}
          </p>
          {changes.length > 0 ? (
            <>
              <button type="button" className="button button-quiet" onClick={() => setChanges(changes.slice(0, -1))}>
                {words.undo}
              </button>
              <button type="button" className="button" aria-disabled={keeping.isPending} onClick={() => begin()}>
                {keeping.isPending ? words.keeping : words.keep}
              </button>
            </>
          ) : (
            <button type="button" className="button" aria-disabled={building.isPending} onClick={() => again()}>
              {words.rebuild}
            </button>
          )}
          {(keeping.error ?? building.error) && <Trouble error={(keeping.error ?? building.error)!} />}
        </div>
      )}
      <Quotations name={name} />
    </Page>
  )
}

type RowsProps = {
  name: string
  part: Part
  find: string
  total: number
  task: string
  changes: readonly Change[]
  onChanges: (changes: readonly Change[]) => void
}

function Rows({ name, part, find, total, task, changes, onChanges }: RowsProps) {
  const words = useWords(improveWords)
  const list = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({ count: total, getScrollElement: () => scroller.current, estimateSize: () => ROW_PIXELS, overscan: 6 })
  const items = rows.getVirtualItems()
  const pages = [...new Set(items.map(({ index }) => Math.floor(index / PAGE)))]
  const fetched = useQueries({
    queries: pages.map((page) => ({
      queryKey: ['examples', name, part, find, page * PAGE],
      queryFn: ({ signal }: { signal: AbortSignal }) => examples(name, part, find, page * PAGE, signal),
    })),
  })
  const at = (index: number): Example | undefined => fetched[pages.indexOf(Math.floor(index / PAGE))]?.data?.examples[index % PAGE]
  const latest = useMemo(() => {
    const byId = new Map<string, Change>()
    for (const change of changes) if (!('add' in change)) byId.set('remove' in change ? change.remove : change.replace, change)
    return byId
  }, [changes])
  const kinds = task === 'classify' ? [...new Set(fetched.flatMap(({ data }) => data?.examples.map(({ outcome }) => outcome) ?? []))].sort() : []
  if (total === 0) return null
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section ref={scroller} tabIndex={0} aria-label={words.parts[part]} className="mt-2 h-[32rem] overflow-y-auto rounded-lg border border-line">
      <datalist id={list}>
        {kinds.map((kind) => (
          <option key={kind} value={kind} />
        ))}
      </datalist>
      <ul className="relative" style={{ height: rows.getTotalSize() }}>
        {items.map(({ index, key, start }) => {
          const example = at(index)
          return (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              aria-setsize={total}
              aria-posinset={index + 1}
              className="absolute inset-x-0 top-0 border-b border-line px-4 py-3"
              style={{ transform: `translateY(${start}px)` }}
            >
              {example ? (
                <Row
                  key={example.id}
                  example={example}
                  change={latest.get(example.id)}
                  list={kinds.length ? list : undefined}
                  onChange={(change) => onChanges([...changes, change])}
                  onUndo={() => onChanges(changes.filter((one) => 'add' in one || ('remove' in one ? one.remove : one.replace) !== example.id))}
                />
              ) : (
                <p className="h-20 text-small text-soft">{words.noExample}</p>
              )}
            </li>
          )
        })}
      </ul>
    </section>
  )
}

type RowProps = { example: Example; change: Change | undefined; list: string | undefined; onChange: (change: Change) => void; onUndo: () => void }

function Row({ example, change, list, onChange, onUndo }: RowProps) {
  const words = useWords(improveWords)
  const number = useNumber()
  const [open, setOpen] = useState(false)
  const gone = change !== undefined && 'remove' in change
  const now = change && 'replace' in change ? change.to : example.outcome
  const [written, write] = useState(now)
  const short = example.input.slice(0, 60)
  const { file, row, page, heading } = example.source
  const where = [file, heading, page === undefined ? '' : words.page(number(page)), row === undefined ? '' : words.row(number(row))].filter(Boolean).join(', ')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setOpen(false)
    if (written.trim() !== now) onChange({ replace: example.id, to: written.trim() })
  }
  return (
    <div className={gone ? 'opacity-60' : ''}>
      <p dir="auto" className={`line-clamp-3 font-serif wrap-anywhere ${gone ? 'line-through' : ''}`}>
        {example.input}
      </p>
      {open ? (
        <form onSubmit={submit} className="mt-2 flex flex-wrap gap-2">
          <input
            // biome-ignore lint/a11y/noAutofocus: it opens where somebody pressed to write
            autoFocus
            aria-label={words.edit(short)}
            list={list}
            value={written}
            onChange={(event) => write(event.target.value)}
            onKeyDown={(event) => event.key === 'Escape' && setOpen(false)}
            dir="auto"
            className="field min-h-11 min-w-0 flex-1 basis-60"
          />
          <button type="submit" className="button">
            {words.keep}
          </button>
        </form>
      ) : (
        <p className="mt-1 flex flex-wrap items-baseline gap-x-4 gap-y-1 text-small">
          <span className={`wrap-anywhere ${change ? 'font-semibold text-river' : 'font-medium'}`} dir="auto">
            {gone ? words.removed : now || '–'}
          </span>
          <span className="min-w-0 wrap-anywhere text-soft">
            {words.source} {where}
            {example.made && `, ${words.made}`}
          </span>
          <span className="ms-auto flex gap-1">
            {change ? (
              <button type="button" className="min-h-9 px-2 font-medium text-river underline underline-offset-4" onClick={onUndo}>
                {words.undo}
              </button>
            ) : (
              <>
                <button type="button" className="size-9 rounded hover:bg-sunken" aria-label={words.edit(short)} onClick={() => setOpen(true)}>
                  <span aria-hidden="true">✎</span>
                </button>
                <button
                  type="button"
                  className="size-9 rounded text-soft hover:text-alarm"
                  aria-label={words.remove(short)}
                  onClick={() => onChange({ remove: example.id })}
                >
                  <span aria-hidden="true">×</span>
                </button>
              </>
            )}
          </span>
        </p>
      )}
      {example.passage && (
        <details className="text-small text-soft">
          <summary className="min-h-9 content-center">{words.passage}</summary>
          <p className="font-serif wrap-anywhere" dir="auto">
            {example.passage}
          </p>
        </details>
      )}
    </div>
  )
}

function Add({ onAdd }: { onAdd: (change: Change) => void }) {
  const words = useWords(improveWords)
  const id = useId()
  const [text, setText] = useState('')
  const [right, setRight] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!text.trim()) return
    onAdd({ add: text.trim(), to: right.trim() })
    setText('')
    setRight('')
  }
  return (
    <details className="mt-4 text-small">
      <summary className="min-h-9 content-center font-medium text-river">{words.add}</summary>
      <form onSubmit={submit} className="mt-2 grid max-w-2xl gap-3">
        <label htmlFor={`${id}text`} className="font-medium">
          {words.addText}
        </label>
        <textarea id={`${id}text`} rows={2} dir="auto" value={text} onChange={(event) => setText(event.target.value)} className="field resize-y font-serif" />
        <label htmlFor={`${id}right`} className="font-medium">
          {words.addRight}
        </label>
        <input id={`${id}right`} dir="auto" value={right} onChange={(event) => setRight(event.target.value)} className="field min-h-11" />
        <button type="submit" className="button button-quiet justify-self-start" aria-disabled={!text.trim()}>
          {words.addIt}
        </button>
      </form>
    </details>
  )
}
