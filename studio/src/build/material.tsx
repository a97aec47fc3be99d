/**
 * What was understood of the files, the exam set aside from them, and how good a model of them will be. Only the cases in sight are drawn.
 * What stands in a file is outside data and only ever text. Knows nothing of how it is found out.
 */
import { useVirtualizer } from '@tanstack/react-virtual'
import { useId, useRef } from 'react'
import { useNumber, useWords } from '../language.ts'
import { Term } from '../parts/term.tsx'
import type { Ready, Understood } from './build-api.ts'
import { Pages } from './pages.tsx'
import { buildWords } from './words.ts'

export function Material({ view, mask, onMask }: { view: Understood; mask: boolean; onMask: (mask: boolean) => void }) {
  const { data: words } = useWords(buildWords)
  const number = useNumber()
  const { parts, personal } = view.findings
  return (
    <section className="panel min-w-0">
      <h2 className="text-title font-semibold">
        <Term term={words.term} explanation={words.sealed}>
          {words.heading}
        </Term>
      </h2>
      <dl className="mt-4 grid grid-cols-2 gap-4 sm:grid-cols-4">
        {(['training', 'practice', 'exam', 'passages'] as const)
          .filter((part) => parts[part] > 0)
          .map((part) => (
            <div key={part} className="flex flex-col-reverse justify-end">
              <dt className="text-small text-soft">{words.parts[part]}</dt>
              <dd className="text-figure font-semibold tabular-nums">{number(parts[part])}</dd>
            </div>
          ))}
      </dl>
      <ul className="mt-5 space-y-1.5 text-small">
        {view.sentences.map((sentence) => (
          <li key={sentence} className="max-w-prose wrap-anywhere" dir="auto">
            {sentence}
          </li>
        ))}
      </ul>
      {(personal.length > 0 || mask) && (
        <label className="mt-4 flex min-h-9 items-center gap-3 text-small">
          <input type="checkbox" checked={mask} onChange={(event) => onMask(event.target.checked)} className="size-5 accent-river" />
          {words.mask}
        </label>
      )}
      {view.pages.first.length > 0 && <Pages pages={view.pages} />}
      {view.exam.cases.length > 0 && (
        <details className="mt-4">
          <summary className="min-h-9 content-center text-small font-medium text-river">{words.cases}</summary>
          <p className="text-small text-soft">{words.casesWhat}</p>
          <Cases cases={view.exam.cases} />
        </details>
      )}
    </section>
  )
}

function Cases({ cases }: { cases: Understood['exam']['cases'] }) {
  const { data: words } = useWords(buildWords)
  const number = useNumber()
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({ count: cases.length, getScrollElement: () => scroller.current, estimateSize: () => 96, overscan: 6 })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section ref={scroller} tabIndex={0} aria-label={words.cases} className="mt-2 h-80 overflow-y-auto rounded-lg border border-line">
      <ul className="relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, key, start }) => {
          const { input, outcome, source } = cases[index]!
          return (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              aria-setsize={cases.length}
              aria-posinset={index + 1}
              className="absolute inset-x-0 top-0 border-b border-line px-4 py-3"
              style={{ transform: `translateY(${start}px)` }}
            >
              <p dir="auto" className="line-clamp-3 font-serif wrap-anywhere">
                {input}
              </p>
              <p className="mt-1 flex flex-wrap gap-x-4 text-small">
                <span className="wrap-anywhere">
                  <span className="text-soft">{words.right}:</span> {outcome || words.notCovered}
                </span>
                <span className="wrap-anywhere text-soft">
                  {source.file}
                  {source.row === undefined ? '' : `, ${words.row(number(source.row))}`}
                </span>
              </p>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

/** Under this many of a hundred, a reader is told that it is little. */
const WEAK = 0.6

export function Meter({ ready }: { ready: Ready }) {
  const { ready: words } = useWords(buildWords)
  const number = useNumber()
  const id = useId()
  const { now, next } = ready
  const of100 = (score: number) => number(Math.round(100 * score))
  const at = (score: number) => `${(100 * Math.max(0, Math.min(1, score))).toFixed(1)}%`
  const says = words.now(of100(now.score), of100(now.interval[0]), of100(now.interval[1]))
  return (
    <section className="panel min-w-0" aria-labelledby={id}>
      <h2 id={id} className="text-title font-semibold">
        {words.heading}
      </h2>
      <p className="mt-3 text-large font-medium">
        <Term term={words.term} explanation={words.what}>
          {says}
        </Term>
      </p>
      <svg role="img" aria-label={says} width="100%" height="22" className="mt-2 block overflow-visible">
        <rect width="100%" height="10" rx="4" className="fill-sunken" />
        <rect width={at(now.score)} height="10" rx="4" className={now.score < WEAK ? 'fill-practice' : 'fill-river'} />
        <line x1={at(now.interval[0])} x2={at(now.interval[1])} y1="17" y2="17" className="stroke-ink" strokeWidth="1.5" />
      </svg>
      {next && next.score - now.score >= 0.015 && <p className="mt-2 text-small">{words.more(number(next.more), of100(next.score))}</p>}
      {now.score < WEAK && <p className="mt-2 text-small">{words.weak}</p>}
      <details className="mt-2 text-small text-soft">
        <summary className="min-h-9 content-center">{words.term}</summary>
        {ready.sentences.map((sentence) => (
          <p key={sentence} className="mt-1 wrap-anywhere" dir="auto">
            {sentence}
          </p>
        ))}
      </details>
    </section>
  )
}
