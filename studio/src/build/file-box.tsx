/**
 * File box: files and folders dropped or chosen, listed and taken out again; names are shown as text. Knows nothing of what is in them.
 */
import { type DragEvent, useRef, useState } from 'react'
import { type ChosenFile, fromDrop, fromInput, withFiles } from '../files.ts'
import { fileSize } from '../format.ts'
import { useNumber, useWords } from '../language.ts'
import { buildWords } from './words.ts'

export function FileBox({ files, onFiles }: { files: readonly ChosenFile[]; onFiles: (files: ChosenFile[]) => void }) {
  const words = useWords(buildWords)
  const number = useNumber()
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const [problem, setProblem] = useState('')
  const drop = async (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    try {
      onFiles(withFiles(files, await fromDrop(event.dataTransfer)))
      setProblem('')
    } catch (error) {
      setProblem(words.unreadable(error instanceof Error ? error.message : ''))
    }
  }
  const total = files.reduce((sum, { file }) => sum + file.size, 0)
  return (
    <div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; the button inside does the same by keyboard */}
      <div
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
        className={`rounded-lg border border-dashed px-4 py-8 text-center ${over ? 'border-river bg-river-wash' : 'border-line-strong'}`}
      >
        {words.drop}{' '}
        <button type="button" onClick={() => input.current?.click()} className="min-h-9 font-medium text-river underline underline-offset-4">
          {words.choose}
        </button>
        <span className="block text-small text-soft">{words.kinds}</span>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          aria-label={words.files}
          onChange={(event) => {
            onFiles(withFiles(files, fromInput(event.target.files ?? [])))
            // So that the same file can be chosen again after it was removed.
            event.target.value = ''
          }}
        />
      </div>
      {problem && (
        <p role="alert" className="mt-2 text-small text-alarm">
          {problem}
        </p>
      )}
      {files.length > 0 && (
        <div className="mt-3 text-small">
          <p className="text-soft">{words.count(number(files.length), files.length === 1, fileSize(total))}</p>
          <ul className="mt-1 max-h-48 overflow-y-auto" aria-label={words.files}>
            {files.map((entry) => (
              <li key={entry.name} className="flex items-center gap-2">
                <span className="min-w-0 flex-1 truncate" title={entry.name}>
                  {entry.name}
                </span>
                <span className="text-soft tabular-nums">{fileSize(entry.file.size)}</span>
                <button
                  type="button"
                  aria-label={words.remove(entry.name)}
                  onClick={() => onFiles(files.filter((other) => other.name !== entry.name))}
                  className="size-9 rounded text-soft hover:text-alarm"
                >
                  ×
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  )
}
