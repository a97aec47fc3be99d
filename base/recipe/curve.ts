/**
 * Curve: the course of a pre-training as curve.jsonl, and drawn. Knows nothing of how it was trained.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeWhole } from '../../src/engine/checkpoint.ts'

const Point = z.object({
  course: z.string(),
  step: z.number(),
  tokens: z.number(),
  minutes: z.number(),
  loss: z.number().optional(),
  lr: z.number().optional(),
  validationBitsPerByte: z.number().optional(),
})
export type CurvePoint = z.infer<typeof Point>

/** The points of a file; a last line cut short is left out. */
export function readCurve(path: string): CurvePoint[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => Point.parse(JSON.parse(line)))
}

/** Drops what a killed run wrote of this course after step `step`, the last one kept: those steps are taken again. */
export function trimCurve(path: string, course: string, step: number): void {
  const kept = readCurve(path).filter((point) => point.course !== course || (step > 0 && point.step <= step))
  writeWhole(path, [new TextEncoder().encode(kept.map((point) => `${JSON.stringify(point)}\n`).join(''))])
}

export function addPoint(path: string, point: CurvePoint): void {
  appendFileSync(path, `${JSON.stringify(point)}\n`)
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [760, 360, 60, 700, 50, 300]

/** Training loss (left scale, nats a token) and validation (right scale, bits per byte) over the tokens read, as SVG. */
export function drawCurve(name: string, points: readonly CurvePoint[]): string {
  const all = points.filter(({ course }) => course === 'pretrain')
  // Of a long course the fall from nothing known is left out: beside it everything after would be a flat line.
  const most = Math.max(1, ...all.map(({ tokens }) => tokens))
  const shown = all.length < 100 ? all : all.filter(({ tokens }) => tokens >= 0.02 * most)
  const losses = smooth(shown.flatMap(({ tokens, loss }) => (loss === undefined ? [] : [[tokens, loss] as const])))
  const bits = shown.flatMap(({ tokens, validationBitsPerByte }) => (validationBitsPerByte === undefined ? [] : [[tokens, validationBitsPerByte] as const]))
  const x = (tokens: number) => LEFT + ((RIGHT - LEFT) * tokens) / most
  const scale = (values: readonly (readonly [number, number])[]) => {
    const low = Math.min(...values.map(([, value]) => value))
    const high = Math.max(...values.map(([, value]) => value))
    return { low, high, y: (value: number) => BOTTOM - ((BOTTOM - TOP) * (value - low)) / (high - low || 1) }
  }
  const line = (values: readonly (readonly [number, number])[], style: string) => {
    if (!values.length) return ''
    const { y } = scale(values)
    return `<path class="${style}" d="${values.map(([tokens, value], index) => `${index ? 'L' : 'M'}${x(tokens).toFixed(1)} ${y(value).toFixed(1)}`).join('')}"/>`
  }
  const ticks = (values: readonly (readonly [number, number])[], at: number, anchor: string) => {
    if (!values.length) return ''
    const { low, high, y } = scale(values)
    return [0, 1, 2, 3, 4]
      .map((step) => low + ((high - low) * step) / 4)
      .map((value) => `<text x="${at}" y="${(y(value) + 4).toFixed(1)}" text-anchor="${anchor}">${value.toFixed(2)}</text>`)
      .join('')
  }
  const under = [0, 1, 2, 3, 4]
    .map((step) => (most * step) / 4)
    .map((tokens) => `<text x="${x(tokens).toFixed(1)}" y="${BOTTOM + 20}" text-anchor="middle">${(tokens / 1e6).toFixed(most < 4e6 ? 2 : 1)} M</text>`)
    .join('')
  const end = bits.at(-1)
  const dots = bits.map(([tokens, value]) => `<circle cx="${x(tokens).toFixed(1)}" cy="${scale(bits).y(value).toFixed(1)}" r="3"/>`).join('')
  const style =
    'text{font:12px system-ui,sans-serif;fill:#333}.t{font-size:14px;font-weight:600}.a{stroke:#999}.l{fill:none;stroke:#b9a8ff;stroke-width:1.5}.v{fill:none;stroke:#1f6feb;stroke-width:2}circle{fill:#1f6feb}'
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"><title>Pre-training of ${name}</title><style>${style}</style>` +
    `<text class="t" x="${LEFT}" y="18">${name}</text>` +
    `<text x="${LEFT}" y="36">loss, nats a token (violet, left); held-out text, bits per byte (blue, right${end ? `; last ${end[1].toFixed(3)}` : ''})</text>` +
    `<line class="a" x1="${LEFT}" y1="${BOTTOM}" x2="${RIGHT}" y2="${BOTTOM}"/><line class="a" x1="${LEFT}" y1="${TOP}" x2="${LEFT}" y2="${BOTTOM}"/>` +
    `${line(losses, 'l')}${line(bits, 'v')}${dots}${ticks(losses, LEFT - 6, 'end')}${ticks(bits, RIGHT + 6, 'start')}${under}` +
    `<text x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 42}" text-anchor="middle">tokens read</text></svg>\n`
  )
}

/** At most 200 points, each the mean of its stretch: single steps jump about. */
function smooth(points: readonly (readonly [number, number])[]): [number, number][] {
  const size = Math.max(1, Math.ceil(points.length / 200))
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const part = points.slice(index * size, (index + 1) * size)
    const mean = (at: 0 | 1) => part.reduce((sum, point) => sum + point[at], 0) / part.length
    return [mean(0), mean(1)]
  })
}
