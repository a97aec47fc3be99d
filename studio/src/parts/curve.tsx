/**
 * Curve: how many of a hundred practice questions the model gets right, drawn as it learns, or for experts training and practice loss, with the
 * same said in words for those who cannot see it. Knows nothing of the build around it.
 */
import { useEffect, useRef, useSyncExternalStore } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { BuildView } from '../api.ts'
import { loss, percentNumber, timeLeft } from '../format.ts'
import { told, useWords } from '../language.ts'
import { studioWords } from '../words.ts'
import { Term } from './term.tsx'

type Training = NonNullable<BuildView['training']>

const HEIGHT = 208

/** `of`: what is drawn. A build from before answers were counted shows its loss. */
export function Curve({ training, underWay, learning, of }: { training: Training | null; underWay: boolean; learning: boolean; of: 'right' | 'loss' }) {
  const words = useWords(studioWords)
  const points = training?.points ?? []
  const counted = points.filter((point) => point.validationRight !== undefined)
  const right = of === 'right' && (counted.length > 0 || points.length === 0)
  const last = right ? counted.at(-1) : points.at(-1)
  const practice = points.findLast((point) => point.validationLoss !== null)?.validationLoss ?? null
  const best = counted.reduce((most, point) => Math.max(most, point.validationRight!), 0)
  const share = training && training.steps > 0 ? Math.min(1, training.step / training.steps) : 0
  return (
    <section className="flex min-w-0 flex-col">
      <h3 className="text-large font-semibold">
        <Term term={right ? words.training.practiceTerm : words.training.term} explanation={right ? words.training.practice : words.training.loss}>
          {learning || (underWay && !training) ? words.training.heading : words.training.headingDone}
        </Term>
      </h3>
      <p className="mt-1 min-h-[1.3125rem] text-small text-soft tabular-nums">
        {training &&
          (learning
            ? `${words.river.stepsOf(training.step, training.steps)}, ${timeLeft(training.secondsLeft)}`
            : training.step >= training.steps
              ? words.training.finished(training.step)
              : words.training.stopped(training.step))}
      </p>
      <progress
        aria-label={words.training.progress}
        max={1}
        value={share}
        className={`mt-2 h-1.5 w-full appearance-none overflow-hidden rounded-full bg-sunken [&::-moz-progress-bar]:bg-river [&::-webkit-progress-bar]:bg-sunken [&::-webkit-progress-value]:bg-river ${training ? '' : 'invisible'}`}
      />
      <div className="relative mt-3 h-52">
        {last ? (
          <div
            role="img"
            aria-label={
              right
                ? words.training.pictureRight(training!.step, training!.steps, of100(counted[0]!), of100(last))
                : words.training.picture(
                    training!.step,
                    training!.steps,
                    loss(points[0]!.trainingLoss),
                    loss(last.trainingLoss),
                    practice === null ? '' : loss(practice),
                  )
            }
          >
            <Drawing points={right ? counted : points} right={right} end={learning ? training!.steps : last.step} />
          </div>
        ) : (
          <p className="flex h-full items-center justify-center rounded-lg bg-sunken p-6 text-center text-small text-soft">{words.training.preparing}</p>
        )}
      </div>
      {right ? (
        <p className="mt-2 text-small text-soft">
          {last && (
            <>
              <span className="text-large font-semibold text-ink tabular-nums">{of100(last)}</span> {words.training.of100}
              {best > last.validationRight! + 0.005 && `, ${words.training.best(percentNumber(best))}`}
            </>
          )}
        </p>
      ) : (
        <ul className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-small text-soft">
          <li className="flex items-center gap-2">
            <span aria-hidden="true" className="h-0.5 w-5 bg-river" />
            {words.training.training} <span className="text-ink tabular-nums">{last ? loss(last.trainingLoss) : ''}</span>
          </li>
          <li className="flex items-center gap-2">
            <span aria-hidden="true" className="flex w-5 items-center justify-center border-t-2 border-dashed border-practice" />
            {words.training.validation} <span className="text-ink tabular-nums">{practice === null ? '' : loss(practice)}</span>
          </li>
        </ul>
      )}
    </section>
  )
}

/** Of a hundred, as a whole number. */
const of100 = (point: Training['points'][number]): string => percentNumber(point.validationRight ?? Number.NaN)

/** The plot itself. It draws on a canvas, so it must be told the theme's colours and drawn anew when they change. */
function Drawing({ points, right, end }: { points: Training['points']; right: boolean; end: number }) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | null>(null)
  const latest = useRef({ points, end })
  latest.current = { points, end }
  const dark = useSyncExternalStore(watchTheme, isDark)

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme is not read here but changes the colours that are
  useEffect(() => {
    const element = box.current
    if (!element) return
    const drawn = new UPlot(
      settings(element, right, () => latest.current.end),
      columns(latest.current.points, right),
      element,
    )
    plot.current = drawn
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      drawn.destroy()
      plot.current = null
    }
  }, [dark, right])

  // biome-ignore lint/correctness/useExhaustiveDependencies: where the axis ends is read by the plot while it takes the data
  useEffect(() => plot.current?.setData(columns(points, right)), [points, right, end])

  return <div ref={box} className="h-52 w-full overflow-hidden" />
}

function columns(points: Training['points'], right: boolean): UPlot.AlignedData {
  if (right) return [points.map((point) => point.step), points.map((point) => 100 * point.validationRight!)]
  return [points.map((point) => point.step), points.map((point) => point.trainingLoss), points.map((point) => point.validationLoss)]
}

/** `end` is the last step of the horizontal axis: while training that of the plan, so that the way left to go can be seen. */
function settings(element: HTMLElement, right: boolean, end: () => number): UPlot.Options {
  const words = told(studioWords)
  const style = getComputedStyle(element)
  const token = (name: string): string => style.getPropertyValue(name).trim()
  const axis: UPlot.Axis = {
    stroke: token('--soft'),
    font: `12px ${style.fontFamily}`,
    labelFont: `12px ${style.fontFamily}`,
    labelSize: 18,
    grid: { stroke: token('--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: () => [0, Math.max(1, end())] },
      y: right ? { range: () => [0, 100] } : { range: (_plot, low, high) => [Math.max(0, low - (high - low) * 0.1), high + (high - low) * 0.08 || 1] },
    },
    axes: [
      { ...axis, label: words.training.step, size: 30, grid: { show: false } },
      { ...axis, label: right ? words.training.axis : words.training.term, size: 44, space: 40 },
    ],
    series: right
      ? [{}, { stroke: token('--practice'), width: 2, points: { show: true, size: 6, fill: token('--practice') } }]
      : [
          {},
          { stroke: token('--river'), width: 2, points: { show: false } },
          { stroke: token('--practice'), width: 2, dash: [6, 4], spanGaps: true, points: { show: true, size: 6, fill: token('--practice') } },
        ],
  }
}

/** Chosen for this browser, or as the system says. */
const darkSystem = (): MediaQueryList => window.matchMedia('(prefers-color-scheme: dark)')
function isDark(): boolean {
  const { theme } = document.documentElement.dataset
  return theme === undefined ? darkSystem().matches : theme === 'dark'
}
function watchTheme(changed: () => void): () => void {
  const query = darkSystem()
  const chosen = new MutationObserver(changed)
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  query.addEventListener('change', changed)
  return () => {
    chosen.disconnect()
    query.removeEventListener('change', changed)
  }
}
