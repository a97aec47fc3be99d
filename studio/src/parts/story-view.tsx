/**
 * Story view: one model's whole way, from the words it was asked for in to what it has earned. Puts the parts in order
 * and knows nothing of what is inside them.
 */
import { useQueryClient } from '@tanstack/react-query'
import { lazy, type RefObject, Suspense, useRef, useState } from 'react'
import { type BuildView, cancelBuild, goOn, isProblem, type Problem, type StateView } from '../api.ts'
import { Fix } from '../build/fix.tsx'
import { improveWords } from '../build/improve-words.ts'
import { shortDecimal, shortHex } from '../format.ts'
import { told, useWords } from '../language.ts'
import { isLearning, isUnderWay, type Noun, type Story, steps } from '../story.ts'
import { studioWords } from '../words.ts'
import { Events } from './events.tsx'
import { Exam } from './exam.tsx'
import { Go } from './go.tsx'
import { ProblemNote } from './problem.tsx'
import { River } from './river.tsx'
import { Sell } from './sell.tsx'
import { Snippet } from './snippet.tsx'
import { StateWord } from './story-list.tsx'
import { TryBox } from './try-box.tsx'

const Curve = lazy(() => import('./curve.tsx').then((module) => ({ default: module.Curve })))

export function StoryView({
  story,
  copy,
  network,
  heading,
}: {
  story: Story
  /** The latest build of the copy that a correction is tried on. */
  copy: BuildView | null
  network: StateView['network']
  heading: RefObject<HTMLHeadingElement | null>
}) {
  const improve = useWords(improveWords)
  const { build, model } = story
  const underWay = isUnderWay(build)
  const queries = useQueryClient()
  const [said, say] = useState('')
  const fixing = useRef<HTMLDivElement>(null)
  const settled = (sentence: string) => {
    say(sentence)
    void queries.invalidateQueries({ queryKey: ['fix', story.name] })
  }
  return (
    <article className="space-y-5" aria-labelledby="story">
      <section className="panel">
        <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
          <div className="min-w-0 flex-1 basis-80">
            <h2 id="story" ref={heading} tabIndex={-1} className="flex flex-wrap items-baseline gap-x-3 text-title font-semibold outline-none">
              {story.name} <StateWord story={story} />
            </h2>
            <p className="mt-1 max-w-prose font-serif text-large text-soft" dir="auto">
              {story.words}
            </p>
          </div>
          {build && (underWay || build.state === 'cancelled' || build.state === 'failed') && (
            <StopOrGoOn key={`${build.id} ${underWay}`} id={build.id} underWay={underWay} />
          )}
        </header>
        <div className="mt-6">
          <River steps={steps(story)} facts={facts(story, network.currency)} />
        </div>
      </section>
      {(build?.training || underWay || model) && (
        <div className="panel @container">
          <div className="grid gap-8 @2xl:grid-cols-2">
            {/* What draws is fetched when there is something to draw: it is a tenth of all that is loaded first. */}
            <Suspense fallback={<div className="min-h-72" />}>
              <Curve key={build?.id ?? story.name} of="right" training={build?.training ?? null} underWay={underWay} learning={isLearning(story)} />
            </Suspense>
            <Exam model={model} />
          </div>
        </div>
      )}
      {model && (
        <div className="panel @container">
          <div className="grid gap-8 @2xl:grid-cols-2">
            <TryBox
              key={model.name}
              model={model}
              onFixing={() => {
                settled('')
                // Once the copy's build is on the page.
                setTimeout(() => fixing.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' }), 300)
              }}
            />
            <div className="min-w-0 space-y-8">
              <Sell key={model.name} model={model} network={network} />
              <p className="text-small">
                <Go to={`/review/${encodeURIComponent(model.name)}`} className="font-medium text-river underline underline-offset-4">
                  {improve.review}
                </Go>
              </p>
              {model.modelId && <Snippet model={model.name} />}
            </div>
          </div>
        </div>
      )}
      <div ref={fixing} className="empty:hidden">
        {model && copy && <Fix key={copy.id} model={model} copy={copy} onSettled={settled} />}
        {said && (
          <p role="status" className="panel text-small font-medium text-gain">
            {said}
          </p>
        )}
      </div>
      {build && (
        <div className="panel">
          <Events key={build.id} events={build.events} />
        </div>
      )}
    </article>
  )
}

/** The figure under each noun, where there is one. */
function facts({ build, model }: Story, currency: string): Partial<Record<Noun, string>> {
  const words = told(studioWords)
  const training = build?.training
  const examples = fieldOf(build?.events.findLast((event) => event.arrow === 'collect')?.data, 'training')
  const spec = fieldOf(build?.events.findLast((event) => event.arrow === 'describe')?.data, 'spec')
  const task = words.river.tasks[String(fieldOf(spec, 'task') ?? model?.task)]
  return {
    ...(task ? { spec: task } : {}),
    ...(typeof examples === 'number' ? { dataset: words.river.examples(examples) } : {}),
    ...(training && training.steps > 0 ? { weights: words.river.stepsOf(training.step, training.steps) } : {}),
    ...(model ? { package: shortHex(model.packageId) } : {}),
    ...(model?.price ? { listing: words.river.perQuestion(shortDecimal(model.price.open)) } : {}),
    ...(model && model.queries > 0 ? { receipt: words.river.receipts(model.queries), royalty: `${shortDecimal(model.earned.open)} ${currency}` } : {}),
  }
}

/** A field of an event's data, which is whatever the server put there. */
function fieldOf(data: unknown, name: string): unknown {
  return typeof data === 'object' && data !== null && Object.hasOwn(data, name) ? (data as Record<string, unknown>)[name] : undefined
}

/** A build can be stopped at any moment, and gone on with from what it has learned so far. */
function StopOrGoOn({ id, underWay }: { id: string; underWay: boolean }) {
  const words = useWords(studioWords)
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const turn = async () => {
    if (sending) return
    setSending(true)
    setProblem(null)
    const result = await (underWay ? cancelBuild(id) : goOn(id))
    setSending(false)
    if (isProblem(result)) setProblem(result)
  }
  return (
    <div className="space-y-2">
      <button type="button" className="button button-quiet" aria-disabled={sending} onClick={turn}>
        {underWay ? (sending ? words.cancelling : words.cancel) : words.goOn}
      </button>
      <ProblemNote problem={problem} />
    </div>
  )
}
