/**
 * Events: what happened in a build, line by line as it happens. Knows nothing of what the lines say.
 */
import { useState } from 'react'
import type { BuildView } from '../api.ts'
import { clock, isoTime } from '../format.ts'
import { useWords } from '../language.ts'
import { nounOf } from '../story.ts'
import { studioWords } from '../words.ts'

const SHOWN = 8

export function Events({ events }: { events: BuildView['events'] }) {
  const words = useWords(studioWords)
  const [all, setAll] = useState(false)
  const hidden = Math.max(0, events.length - SHOWN)
  const shown = all ? events : events.slice(-SHOWN)
  const offset = events.length - shown.length
  return (
    <section>
      <h3 className="text-large font-semibold">{words.events.heading}</h3>
      {events.length === 0 && <p className="mt-2 text-small text-soft">{words.events.none}</p>}
      {hidden > 0 && (
        <button type="button" className="mt-2 text-small text-river underline underline-offset-4" onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? words.events.fewer : words.events.earlier(hidden)}
        </button>
      )}
      <ol className="mt-3 space-y-2" start={offset + 1}>
        {shown.map((event, index) => {
          const noun = nounOf(event.arrow)
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: events are only ever added at the end, so a place is a name
            <li key={offset + index} className="grid grid-cols-[4.5rem_1fr] gap-x-3 text-small sm:grid-cols-[4.5rem_4.5rem_1fr]">
              <time dateTime={isoTime(event.at)} className="text-soft tabular-nums">
                {clock(event.at)}
              </time>
              <span className="font-medium text-river">
                {event.arrow === 'examine' ? words.events.exam : noun ? words.river.nouns[noun].name : words.events.note}
              </span>
              <span className="col-span-2 min-w-0 whitespace-pre-line sm:col-span-1">{event.text}</span>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
