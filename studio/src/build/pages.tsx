/**
 * The pages as they were read: passage by passage, the sentences marked that examples rest on. Only what is in sight is drawn, and what stands in
 * a file is only ever text. Knows nothing of how pages are read.
 */
import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import { useNumber, useWords } from '../language.ts'
import type { Understood } from './build-api.ts'
import { buildWords } from './words.ts'

export function Pages({ pages }: { pages: Understood['pages'] }) {
  const { pages: words } = useWords(buildWords)
  const number = useNumber()
  const scroller = useRef<HTMLDivElement>(null)
  const { first, total } = pages
  const rows = useVirtualizer({ count: first.length, getScrollElement: () => scroller.current, estimateSize: () => 140, overscan: 4 })
  return (
    <details className="mt-4">
      <summary className="min-h-9 content-center text-small font-medium text-river">{words.look}</summary>
      <p className="max-w-prose text-small text-soft">
        {words.what} {first.length < total && words.more(number(first.length), number(total))}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section ref={scroller} tabIndex={0} aria-label={words.look} className="mt-2 h-96 overflow-y-auto rounded-lg border border-line">
        <ul className="relative" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, key, start }) => {
            const { file, title, heading, sentences } = first[index]!
            const place = [...new Set([title, heading].filter(Boolean))].join(', ')
            return (
              <li
                key={key}
                ref={rows.measureElement}
                data-index={index}
                aria-setsize={first.length}
                aria-posinset={index + 1}
                className="absolute inset-x-0 top-0 border-b border-line px-4 py-3"
                style={{ transform: `translateY(${start}px)` }}
              >
                <p className="text-small text-soft wrap-anywhere" dir="auto">
                  {place && place !== file ? `${place} · ` : ''}
                  {file}
                </p>
                <p dir="auto" className="mt-1 font-serif wrap-anywhere">
                  {sentences.map(({ text, used }, at) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: a passage never changes, and a sentence may stand in it twice
                    <span key={at}>{used ? <mark className="rounded bg-river-wash text-ink">{text}</mark> : text} </span>
                  ))}
                </p>
              </li>
            )
          })}
        </ul>
      </section>
    </details>
  )
}
