/**
 * Describe box: words and files in, a build out. The server decides whether they make a model; its refusal is shown in
 * its own words. Knows nothing of what happens to the build.
 */
import { type DragEvent, type FormEvent, useId, useRef, useState } from 'react'
import { isProblem, startBuild, type UploadFile } from '../api.ts'
import { type ChosenFile, encode, fromDrop, fromInput, MAXIMUM_BYTES, withFiles } from '../files.ts'
import { fileSize } from '../format.ts'
import { words } from '../words.en.ts'
import { ProblemNote } from './problem.tsx'

export function DescribeBox({ onStarted }: { onStarted: (name: string) => void }) {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  const [files, setFiles] = useState<ChosenFile[]>([])
  const [over, setOver] = useState(false)
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState<{ message: string; hint: string } | null>(null)
  const [started, setStarted] = useState('')
  const total = files.reduce((sum, entry) => sum + entry.file.size, 0)

  const add = (added: readonly ChosenFile[]) => {
    setProblem(null)
    setFiles((chosen) => withFiles(chosen, added))
  }
  const drop = async (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    try {
      add(await fromDrop(event.dataTransfer))
    } catch (error) {
      setProblem(words.describe.unreadable(error instanceof Error ? error.message : ''))
    }
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (sending) return
    setStarted('')
    if (!text.trim()) return setProblem(words.describe.noWords)
    if (files.length === 0) return setProblem(words.describe.noFiles)
    if (total > MAXIMUM_BYTES) return setProblem(words.describe.tooLarge(fileSize(total), fileSize(MAXIMUM_BYTES)))
    setSending(true)
    setProblem(null)
    const encoded: UploadFile[] = []
    for (const entry of files) {
      try {
        encoded.push(await encode(entry))
      } catch {
        setSending(false)
        return setProblem(words.describe.unreadable(entry.name))
      }
    }
    const build = await startBuild({ words: text, files: encoded })
    setSending(false)
    if (isProblem(build)) return setProblem(build)
    setText('')
    setFiles([])
    setStarted(words.describe.started(build.name))
    onStarted(build.name)
  }

  return (
    <section className="panel" aria-labelledby={`${id}-heading`}>
      <h2 id={`${id}-heading`} className="text-title font-semibold">
        {words.describe.heading}
      </h2>
      <form onSubmit={submit} className="mt-3 flex flex-col gap-3">
        <label htmlFor={`${id}-words`} className="block text-small font-medium">
          {words.describe.label}
        </label>
        <textarea
          id={`${id}-words`}
          rows={4}
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setProblem(null)
          }}
          placeholder={words.describe.placeholder}
          dir="auto"
          className="field block resize-y font-serif"
        />
        {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; the button inside does the same by keyboard */}
        <div
          onDragOver={(event) => {
            event.preventDefault()
            setOver(true)
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
          className={`rounded-lg border border-dashed px-3 py-4 text-center text-small ${over ? 'border-river bg-river-wash' : 'border-line-strong'}`}
        >
          {words.describe.drop}{' '}
          <button type="button" onClick={() => input.current?.click()} className="font-medium text-river underline underline-offset-4">
            {words.describe.choose}
          </button>
          <span className="block text-tiny text-soft">{words.describe.kinds}</span>
          <input
            ref={input}
            type="file"
            multiple
            hidden
            aria-label={words.describe.files}
            onChange={(event) => {
              add(fromInput(event.target.files ?? []))
              // So that the same file can be chosen again after it was removed.
              event.target.value = ''
            }}
          />
        </div>
        {files.length > 0 && (
          <div className="text-small">
            <p className="text-soft">{words.describe.fileCount(files.length, fileSize(total))}</p>
            <ul className="mt-1 max-h-40 overflow-y-auto" aria-label={words.describe.files}>
              {files.map((entry) => (
                <li key={entry.name} className="flex items-center gap-2">
                  <span className="min-w-0 flex-1 truncate" title={entry.name}>
                    {entry.name}
                  </span>
                  <span className="text-soft tabular-nums">{fileSize(entry.file.size)}</span>
                  <button
                    type="button"
                    aria-label={words.describe.remove(entry.name)}
                    onClick={() => setFiles((chosen) => chosen.filter((other) => other.name !== entry.name))}
                    className="size-7 rounded text-soft hover:text-alarm"
                  >
                    ×
                  </button>
                </li>
              ))}
            </ul>
          </div>
        )}
        <ProblemNote problem={problem} />
        <button type="submit" className="button w-full" aria-disabled={sending}>
          {sending ? words.describe.sending : words.describe.build}
        </button>
        <p role="status" className="text-small text-gain empty:sr-only">
          {started}
        </p>
      </form>
    </section>
  )
}
