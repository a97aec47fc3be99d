/**
 * Curve: training and practice loss drawn as they come in, with the same said in words for those who cannot see it.
 * Knows nothing of the build around it.
 */
import { useEffect, useRef, useSyncExternalStore } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { BuildView } from '../api.ts'
import { loss, timeLeft } from '../format.ts'
import { told, useWords } from '../language.ts'
import { studioWords } from '../words.ts'
import { Term } from './term.tsx'

type Training = NonNullable<BuildView['training']>

const HEIGHT = 208

export function Curve({ training, underWay, learning }: { training: Training | null; underWay: boolean; learning: boolean }) {
  const words = useWords(studioWords)
  const points = training?.points ?? []
  const last = points.at(-1)
  const practice = points.findLast((point) => point.validationLoss !== null)?.validationLoss ?? null
  const share = training && training.steps > 0 ? Math.min(1, training.step / training.steps) : 0
  return (
    <section className="flex min-w-0 flex-col">
      <h3 className="text-large font-semibold">
        <Term term={words.training.term} explanation={words.training.loss}>
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
            aria-label={words.training.picture(
              training!.step,
              training!.steps,
              loss(points[0]!.trainingLoss),
              loss(last.trainingLoss),
              practice === null ? '' : loss(practice),
            )}
          >
            <Drawing points={points} end={learning ? training!.steps : last.step} />
          </div>
        ) : (
          <p className="flex h-full items-center justify-center rounded-lg bg-sunken p-6 text-center text-small text-soft">{words.training.preparing}</p>
        )}
      </div>
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
    </section>
  )
}

/** The plot itself. It draws on a canvas, so it must be told the theme's colours and drawn anew when they change. */
function Drawing({ points, end }: { points: Training['points']; end: number }) {
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
      settings(element, () => latest.current.end),
      columns(latest.current.points),
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
  }, [dark])

  // biome-ignore lint/correctness/useExhaustiveDependencies: where the axis ends is read by the plot while it takes the data
  useEffect(() => plot.current?.setData(columns(points)), [points, end])

  return <div ref={box} className="h-52 w-full overflow-hidden" />
}

function columns(points: Training['points']): UPlot.AlignedData {
  return [points.map((point) => point.step), points.map((point) => point.trainingLoss), points.map((point) => point.validationLoss)]
}

/** `end` is the last step of the horizontal axis: while training that of the plan, so that the way left to go can be seen. */
function settings(element: HTMLElement, end: () => number): UPlot.Options {
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
      y: { range: (_plot, low, high) => [Math.max(0, low - (high - low) * 0.1), high + (high - low) * 0.08 || 1] },
    },
    axes: [
      { ...axis, label: words.training.step, size: 30, grid: { show: false } },
      { ...axis, label: words.training.term, size: 44, space: 40 },
    ],
    series: [
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
