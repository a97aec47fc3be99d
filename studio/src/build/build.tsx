/**
 * Build: words and files become a plan, the plan is looked at and changed, and a build is started from exactly what was seen. Knows nothing of
 * what happens to the build.
 */
import { useMutation, useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { type ChosenFile, MAXIMUM_BYTES, MAXIMUM_FILE_BYTES, Unreadable, upload } from '../files.ts'
import { fileSize } from '../format.ts'
import { useWords } from '../language.ts'
import { Fetched, Page, Trouble } from '../parts/fetched.tsx'
import { useOnce } from '../parts/once.ts'
import { type ColumnChoice, planOf, readiness, type Sent, type Spec, start, understood } from './build-api.ts'
import { FileBox } from './file-box.tsx'
import { Material, Meter } from './material.tsx'
import { PlanCard } from './plan-card.tsx'
import { Tables } from './tables.tsx'
import { buildWords } from './words.ts'

const DRAFT = 'modelfactory-draft'
type Handed = Sent & { key: number }

function draft(words?: string): string {
  try {
    if (words !== undefined) localStorage.setItem(DRAFT, words)
    return localStorage.getItem(DRAFT) ?? ''
  } catch {
    return ''
  }
}

export function Build() {
  const words = useWords(buildWords)
  const [text, setText] = useState(draft)
  const [files, setFiles] = useState<ChosenFile[]>([])
  const [spec, setSpec] = useState<Spec | null>(null)
  const [sent, setSent] = useState<Handed | null>(null)
  const [missing, setMissing] = useState('')
  /** Bytes that the server holds of the files, while they are sent. */
  const [bytes, setBytes] = useState<number | null>(null)
  const [waiting, setWaiting] = useState(false)
  const plan = useRef<HTMLDivElement>(null)
  const planning = useMutation({
    mutationFn: async () => {
      const next = { words: text.trim(), files: await upload(files, { onSent: setBytes, onWaiting: setWaiting }), key: Date.now() }
      setBytes(null)
      return { next, spec: await planOf({ words: next.words, files: next.files }) }
    },
    onSuccess: (made) => {
      setSent(made.next)
      setSpec(made.spec)
    },
  })
  const planned = spec !== null && sent !== null
  useEffect(() => {
    if (planned) plan.current?.focus()
  }, [planned])

  const total = files.reduce((sum, { file }) => sum + file.size, 0)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (planning.isPending) return
    const large = files.find(({ file }) => file.size > MAXIMUM_FILE_BYTES)
    const wrong = !text.trim()
      ? words.noWords
      : files.length === 0
        ? words.noFiles
        : large
          ? words.oneTooLarge(large.name, fileSize(large.file.size), fileSize(MAXIMUM_FILE_BYTES))
          : total > MAXIMUM_BYTES
            ? words.tooLarge(fileSize(total), fileSize(MAXIMUM_BYTES))
            : ''
    setMissing(wrong)
    if (!wrong) planning.mutate()
  }
  const error = planning.error instanceof Unreadable ? new Error(words.unreadable(planning.error.file)) : planning.error

  if (planned)
    return (
      <Page title={words.title}>
        <div ref={plan} tabIndex={-1} className="space-y-5 outline-none">
          <blockquote dir="auto" className="max-w-prose border-s-2 border-river ps-4 font-serif text-large wrap-anywhere">
            {sent.words}
          </blockquote>
          <button type="button" className="button button-quiet" onClick={() => setSpec(null)}>
            {words.again}
          </button>
          <Planned key={sent.key} sent={sent} spec={spec} onSpec={setSpec} />
        </div>
      </Page>
    )
  return (
    <Page title={words.title} lead={words.lead}>
      <form onSubmit={submit} className="panel max-w-3xl space-y-5">
        <div>
          <label htmlFor="build-words" className="text-large font-semibold">
            {words.box}
          </label>
          <textarea
            id="build-words"
            rows={5}
            value={text}
            maxLength={20_000}
            dir="auto"
            placeholder={words.placeholder}
            onChange={(event) => {
              setText(event.target.value)
              draft(event.target.value)
            }}
            className="field mt-2 block resize-y font-serif text-large"
          />
          <p className="mt-1 text-small text-soft">{words.draft}</p>
          <div className="mt-3 flex flex-wrap items-center gap-2 text-small">
            <span className="text-soft">{words.likeThis}</span>
            {words.examples.map((example) => (
              <button
                key={example.who}
                type="button"
                className="min-h-9 rounded-full border border-line-strong px-3 hover:bg-sunken"
                onClick={() => {
                  setText(example.words)
                  draft(example.words)
                }}
              >
                {example.who}
              </button>
            ))}
          </div>
        </div>
        <FileBox files={files} onFiles={setFiles} />
        <div role="alert" className="text-small font-medium text-alarm empty:hidden">
          {missing}
        </div>
        {error && <Trouble error={error} />}
        <p role="status" className="text-small text-soft empty:hidden">
          {planning.isPending && waiting ? words.waiting : ''}
        </p>
        {planning.isPending && bytes !== null && (
          <div className="text-small text-soft tabular-nums">
            <progress aria-label={words.sending} max={total} value={bytes} className="block h-2 w-full accent-river" />
            {words.sent(fileSize(bytes), fileSize(total))}
          </div>
        )}
        <button type="submit" className="button" aria-disabled={planning.isPending}>
          {planning.isPending ? words.seeing : words.see}
        </button>
      </form>
    </Page>
  )
}

function Planned({ sent, spec, onSpec }: { sent: Handed; spec: Spec; onSpec: (spec: Spec) => void }) {
  const words = useWords(buildWords)
  const router = useRouter()
  const [mask, setMask] = useState(false)
  const [columns, setColumns] = useState<readonly ColumnChoice[]>([])
  const wish = { spec, mask, columns }
  const material = { words: sent.words, files: sent.files }
  const asked = JSON.stringify(spec)
  const possible = !spec.decline
  const data = useQuery({
    queryKey: ['dataset', sent.key, asked, mask, columns],
    queryFn: ({ signal }) => understood(material, wish, signal),
    enabled: possible,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const ready = useQuery({
    queryKey: ['readiness', sent.key, asked, mask, columns],
    queryFn: ({ signal }) => readiness(material, wish, signal),
    enabled: possible && data.isSuccess,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const starting = useMutation({
    mutationFn: () => start(material, wish, data.data?.exam.id),
    onSuccess: ({ name }) => {
      draft('')
      router.history.push(`/#${encodeURIComponent(name)}`)
    },
  })
  const begin = useOnce<void>(() => starting.mutateAsync())
  return (
    <>
      <PlanCard spec={spec} ready={ready.data} onSpec={onSpec} />
      {possible && (
        <>
          {data.isPending ? (
            <p role="status" className="text-small text-soft">
              {words.data.looking}
            </p>
          ) : (
            <Fetched found={data}>
              {(view) => (
                <>
                  <Tables
                    view={view}
                    onChoose={(choice) => setColumns([...columns.filter((one) => one.role !== choice.role || one.file !== choice.file), choice])}
                  />
                  <Material view={view} mask={mask} onMask={setMask} />
                </>
              )}
            </Fetched>
          )}
          {data.isSuccess && ready.isPending && (
            <p role="status" className="text-small text-soft">
              {words.ready.measuring}
            </p>
          )}
          {data.isSuccess && !ready.isPending && <Fetched found={ready}>{(view) => <Meter ready={view} />}</Fetched>}
          {starting.error && <Trouble error={starting.error} />}
          {data.isSuccess && (
            <button type="button" className="button min-w-40" aria-disabled={starting.isPending} onClick={() => begin()}>
              {starting.isPending ? words.starting : words.build}
            </button>
          )}
        </>
      )}
    </>
  )
}
