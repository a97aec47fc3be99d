/**
 * River: the eight nouns from words to royalty, and how far a story has come. Across on wide screens, down on narrow ones.
 * Knows nothing of builds beyond the steps it is given.
 */

import { useWords } from '../language.ts'
import type { Noun, Step } from '../story.ts'
import { studioWords } from '../words.ts'

const MARKS = {
  done: 'border-river bg-river text-on-river',
  active: 'border-river bg-river-wash text-river',
  waiting: 'border-line-strong bg-surface text-soft',
  stopped: 'border-alarm bg-alarm-wash text-alarm',
} as const

export function River({ steps, facts }: { steps: readonly Step[]; facts: Partial<Record<Noun, string>> }) {
  const words = useWords(studioWords)
  return (
    <div className="@container">
      <ol aria-label={words.river.heading} className="grid @2xl:grid-cols-8">
        {steps.map((step, index) => {
          const noun = words.river.nouns[step.noun]
          const next = steps[index + 1]
          return (
            <li
              key={step.noun}
              aria-current={step.state === 'active' ? 'step' : undefined}
              className="relative flex gap-3 pb-3 last:pb-0 @2xl:block @2xl:pr-2 @2xl:pb-0"
            >
              {next && (
                <span
                  aria-hidden="true"
                  className={`absolute top-6 bottom-0 left-[0.6875rem] w-0.5 @2xl:top-[0.6875rem] @2xl:right-0 @2xl:bottom-auto @2xl:left-6 @2xl:h-0.5 @2xl:w-auto ${next.state === 'waiting' ? 'bg-line' : 'bg-river'}`}
                />
              )}
              <span aria-hidden="true" className={`relative z-10 flex size-6 shrink-0 items-center justify-center rounded-full border-2 ${MARKS[step.state]}`}>
                <Mark state={step.state} />
              </span>
              <span className="flex min-h-6 flex-1 flex-wrap items-baseline gap-x-2 @2xl:mt-2 @2xl:block">
                <span className={`font-semibold @2xl:block ${step.state === 'waiting' ? 'text-soft' : ''}`}>{noun.name}</span>
                <span className="text-tiny text-soft @2xl:block">{noun.what}</span>
                <span className={`text-tiny font-medium tabular-nums @2xl:block @2xl:min-h-[1.125rem] ${step.state === 'active' ? 'text-river' : ''}`}>
                  {facts[step.noun] ?? ''}
                </span>
                <span className="sr-only">{words.river.states[step.state]}</span>
              </span>
            </li>
          )
        })}
      </ol>
    </div>
  )
}

function Mark({ state }: { state: Step['state'] }) {
  if (state === 'active') return <span className="pulse size-2 rounded-full bg-river" />
  if (state === 'waiting') return null
  return (
    <svg viewBox="0 0 12 12" className="size-3" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" aria-hidden="true">
      <path d={state === 'done' ? 'M2 6.5 4.8 9 10 3' : 'M3 3l6 6M9 3l-6 6'} />
    </svg>
  )
}
