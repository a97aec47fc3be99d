/**
 * Story list: every model and build by name, with where it stands and what it has earned. Knows nothing of the details.
 */
import { percent, shortDecimal } from '../format.ts'
import { told, useWords } from '../language.ts'
import { isLearning, isUnderWay, type Story, steps } from '../story.ts'
import { studioWords } from '../words.ts'

export function StoryList({
  stories,
  chosen,
  currency,
  onChoose,
}: {
  stories: readonly Story[]
  chosen: string | null
  currency: string
  onChoose: (name: string) => void
}) {
  const words = useWords(studioWords)
  return (
    <nav aria-labelledby="models" className="panel">
      <h2 id="models" className="text-title font-semibold">
        {words.list.heading}
      </h2>
      {stories.length === 0 && <p className="text-small text-soft">{words.list.empty}</p>}
      <ul className="-mx-2 mt-2 space-y-1">
        {stories.map((story) => (
          <li key={story.name}>
            <a
              href={`#${encodeURIComponent(story.name)}`}
              aria-current={story.name === chosen ? 'true' : undefined}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return
                event.preventDefault()
                onChoose(story.name)
              }}
              className={`block rounded-lg px-2 py-2 hover:bg-sunken ${story.name === chosen ? 'bg-river-wash' : ''}`}
            >
              <span className="flex items-baseline justify-between gap-3">
                <span className="font-medium">{story.name}</span>
                <StateWord story={story} />
              </span>
              <span className="mt-1.5 flex gap-0.5" aria-hidden="true">
                {steps(story).map((step) => (
                  <span
                    key={step.noun}
                    className={`h-1 flex-1 rounded-full ${step.state === 'done' ? 'bg-river' : step.state === 'active' ? 'pulse bg-river' : step.state === 'stopped' ? 'bg-alarm' : 'bg-line'}`}
                  />
                ))}
              </span>
              <span className="mt-1 line-clamp-2 text-tiny whitespace-pre-line text-soft tabular-nums">{summary(story, currency)}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function summary(story: Story, currency: string): string {
  const words = told(studioWords)
  const training = story.build?.training
  if (training && isLearning(story)) return `${words.river.nouns.weights.name}, ${percent(training.step / training.steps)}`
  if (story.model?.modelId) return words.list.earned(shortDecimal(story.model.earned.open), currency)
  if (story.model) return words.list.unpublished
  return story.build?.events.at(-1)?.text ?? words.events.none
}

/** Where a story stands, in one word. */
export function StateWord({ story }: { story: Story }) {
  const words = useWords(studioWords)
  const { build, model } = story
  const settled = build === null || build.state === 'done'
  const bad = build !== null && (build.state === 'refused' || build.state === 'failed')
  return (
    <span className={`shrink-0 text-small ${bad ? 'text-alarm' : settled && model?.modelId ? 'text-gain' : isUnderWay(build) ? 'text-river' : 'text-soft'}`}>
      {settled ? (model?.modelId ? words.published : words.state.done) : words.state[build.state]}
    </span>
  )
}
