/**
 * Forest plot: one line a task, a dot for the difference and a bar for its interval, around zero. Drawn by hand as SVG, as wide as the page
 * leaves it; the table beside it says the same. Knows nothing of where the figures come from.
 */
import { useEffect, useRef, useState } from 'react'

export type ForestRow = { name: string; difference: number; interval: readonly [number, number]; verdict: 'win' | 'tie' | 'loss'; says: string }

const LINE = 46
const HEAD = 26
const FOOT = 26
const EDGE = 34
/** Below these shares of a point either way nothing can be told apart by eye. */
const LEAST = 0.05

/** Points with a sign, as people write them: +1.5, −0.8. */
export function signed(share: number): string {
  const points = (100 * Math.abs(share)).toFixed(1)
  return points === '0.0' ? '0.0' : `${share < 0 ? '−' : '+'}${points}`
}

export function Forest({ rows, label, worse, better }: { rows: readonly ForestRow[]; label: string; worse: string; better: string }) {
  const [box, width] = useWidth()
  const most = Math.max(LEAST, ...rows.flatMap(({ interval }) => interval.map(Math.abs)))
  const middle = width / 2
  const at = (value: number): number => middle + (value / most) * (middle - EDGE)
  const height = HEAD + LINE * rows.length + FOOT
  const colour = { win: 'text-gain', tie: 'text-soft', loss: 'text-alarm' } as const
  return (
    <div ref={box} className="w-full min-w-0">
      {width > 0 && (
        <svg
          role="img"
          aria-label={`${label}. ${rows.map(({ says }) => says).join(' ')}`}
          width={width}
          height={height}
          className="block overflow-visible text-tiny"
        >
          <g className="fill-current text-soft">
            <text x={0} y={14}>
              {worse}
            </text>
            <text x={width} y={14} textAnchor="end">
              {better}
            </text>
          </g>
          <line x1={middle} x2={middle} y1={HEAD - 4} y2={height - FOOT + 4} className="stroke-line-strong" strokeDasharray="3 3" />
          {rows.map(({ name, difference, interval: [low, high], verdict }, place) => {
            const y = HEAD + LINE * place + 32
            return (
              <g key={name} className={colour[verdict]}>
                <text x={0} y={y - 14} className="fill-ink">
                  {name}
                </text>
                <text x={width} y={y - 14} textAnchor="end" className="fill-current font-semibold">
                  {signed(difference)}
                </text>
                <line x1={at(low)} x2={at(high)} y1={y} y2={y} className="stroke-current" strokeWidth="2.5" />
                <line x1={at(low)} x2={at(low)} y1={y - 5} y2={y + 5} className="stroke-current" strokeWidth="2" />
                <line x1={at(high)} x2={at(high)} y1={y - 5} y2={y + 5} className="stroke-current" strokeWidth="2" />
                {/* Verdicts differ in shape as well, for whoever does not tell the colours apart. */}
                {verdict === 'tie' ? (
                  <circle cx={at(difference)} cy={y} r="5" className="fill-surface stroke-current" strokeWidth="2.5" />
                ) : (
                  <rect
                    x={at(difference) - 5}
                    y={y - 5}
                    width="10"
                    height="10"
                    className="fill-current"
                    transform={verdict === 'loss' ? `rotate(45 ${at(difference)} ${y})` : undefined}
                  />
                )}
              </g>
            )
          })}
          <g className="fill-current text-soft tabular-nums">
            {[-most, 0, most].map((value) => (
              <text key={value} x={at(value)} y={height - 6} textAnchor="middle">
                {value === 0 ? '0' : signed(value)}
              </text>
            ))}
          </g>
        </svg>
      )}
    </div>
  )
}

/** The width of an element, kept while the page changes. */
function useWidth() {
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const element = box.current
    if (!element) return
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [box, width] as const
}
