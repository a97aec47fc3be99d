/**
 * Term: a word with a small "what is this?" beside it, opening an explanation over the page, so nothing moves.
 * Knows nothing of any particular term.
 */
import { type ReactNode, useId, useRef } from 'react'
import { useWords } from '../language.ts'
import { partWords } from './part-words.ts'

const WIDTH = 320
const EDGE = 12

export function Term({ term, explanation, children }: { term: string; explanation: string; children?: ReactNode }) {
  const words = useWords(partWords)
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const bubble = useRef<HTMLDivElement>(null)
  // The browser opens it in the top layer and closes it by Escape or a click elsewhere; only its place is ours.
  const place = () => {
    const from = button.current?.getBoundingClientRect()
    if (!from || !bubble.current) return
    const width = Math.min(WIDTH, window.innerWidth - 2 * EDGE)
    const left = Math.max(EDGE, Math.min(from.left - 16, window.innerWidth - width - EDGE))
    const below = from.bottom < window.innerHeight * 0.6
    Object.assign(bubble.current.style, {
      width: `${width}px`,
      left: `${left}px`,
      top: below ? `${from.bottom + 6}px` : 'auto',
      bottom: below ? 'auto' : `${window.innerHeight - from.top + 6}px`,
    })
  }
  return (
    <span>
      {children}
      {/* Keeps the button on the line of the last word. */}
      {'\u00a0'}
      <button
        ref={button}
        type="button"
        popoverTarget={id}
        aria-label={words.whatIsThis(term)}
        title={words.whatIsThis(term)}
        className="relative inline-flex align-[0.05em] size-[1.125rem] shrink-0 items-center justify-center rounded-full border border-line-strong text-[0.6875rem] leading-none font-semibold text-soft before:absolute before:-inset-2 hover:border-river hover:text-river"
      >
        ?
      </button>
      <div
        ref={bubble}
        id={id}
        popover="auto"
        role="note"
        onBeforeToggle={place}
        className="fixed rounded-lg border border-line-strong bg-surface p-4 text-left text-small font-normal whitespace-normal text-ink shadow-lg"
      >
        {explanation}
      </div>
    </span>
  )
}
