/**
 * Growth: how tokens a second fall with a model's work a token and with sequence length, the law that fits, and a picture of
 * both. Knows nothing of how they were measured.
 */
export type Growth = {
  models: { model: string; method: string; operations: number; tokensPerSecond: number }[]
  lengths: { length: number; tokensPerSecond: number }[]
}

/** Least squares of log y = a + b log x. */
function powerLaw(points: readonly (readonly [number, number])[]): { factor: number; exponent: number } {
  const n = points.length
  const xs = points.map(([x]) => Math.log(x))
  const ys = points.map(([, y]) => Math.log(y))
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / n
  const [mx, my] = [mean(xs), mean(ys)]
  const exponent = xs.reduce((sum, x, index) => sum + (x - mx) * (ys[index]! - my), 0) / xs.reduce((sum, x) => sum + (x - mx) ** 2, 0)
  return { factor: Math.exp(my - exponent * mx), exponent }
}

/** Least squares of 1 / y = a + b x: seconds a token grow with the length by attention, and by nothing else. */
function lengthLaw(points: readonly (readonly [number, number])[]): { fixed: number; each: number } {
  const n = points.length
  const mx = points.reduce((sum, [x]) => sum + x, 0) / n
  const my = points.reduce((sum, [, y]) => sum + 1 / y, 0) / n
  const each = points.reduce((sum, [x, y]) => sum + (x - mx) * (1 / y - my), 0) / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0)
  return { fixed: my - each * mx, each }
}

/** The picture as SVG, and the laws in words. */
export function drawGrowth({ models, lengths }: Growth): { svg: string; law: string } {
  const byModel = powerLaw(models.map(({ operations, tokensPerSecond }) => [operations, tokensPerSecond]))
  const byLength = lengthLaw(lengths.map(({ length, tokensPerSecond }) => [length, tokensPerSecond]))
  const law = [
    `tokens/s = ${byModel.factor.toExponential(2)} x (operations a token)^${byModel.exponent.toFixed(2)} over ${models.map(({ model }) => model).join(', ')}`,
    `seconds a token = ${byLength.fixed.toExponential(2)} + ${byLength.each.toExponential(2)} x length, 14 M`,
  ].join('\n')
  const left = panel({
    ...{
      x: 0,
      title: 'Model size',
      xTitle: 'operations a token (log)',
      points: models.map((one) => [one.operations, one.tokensPerSecond, one.model] as const),
    },
    curve: (x) => byModel.factor * x ** byModel.exponent,
  })
  const right = panel({
    ...{
      x: 460,
      title: 'Sequence length, 14 M',
      xTitle: 'tokens a sequence (log)',
      points: lengths.map((one) => [one.length, one.tokensPerSecond, `${one.length}`] as const),
    },
    curve: (x) => 1 / (byLength.fixed + byLength.each * x),
  })
  const style =
    'text{font:12px system-ui,sans-serif;fill:#333}.t{font-size:14px;font-weight:600}.a{stroke:#999}.l{fill:none;stroke:#7a5cff;stroke-width:2}circle{fill:#1f6feb}'
  return {
    law,
    svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 920 340" role="img"><title>Training speed</title><style>${style}</style>${left}${right}</svg>\n`,
  }
}

type Panel = { x: number; title: string; xTitle: string; points: readonly (readonly [number, number, string])[]; curve: (x: number) => number }

function panel({ x, title, xTitle, points, curve }: Panel): string {
  const xs = points.map(([value]) => value)
  const ys = points.map(([, value]) => value)
  const span = (values: number[]) => [Math.log(Math.min(...values) / 1.3), Math.log(Math.max(...values) * 1.3)] as const
  const [x0, x1] = span(xs)
  const [y0, y1] = span(ys)
  const px = (value: number) => x + 60 + (360 * (Math.log(value) - x0)) / (x1 - x0)
  const py = (value: number) => 280 - (230 * (Math.log(value) - y0)) / (y1 - y0)
  const steps = Array.from({ length: 41 }, (_, index) => Math.exp(x0 + ((x1 - x0) * index) / 40))
  const line = steps.map((value, index) => `${index ? 'L' : 'M'}${px(value).toFixed(1)} ${py(curve(value)).toFixed(1)}`).join('')
  const dots = points
    .map(
      ([value, speed, label]) =>
        `<circle cx="${px(value).toFixed(1)}" cy="${py(speed).toFixed(1)}" r="4"/><text x="${(px(value) + 7).toFixed(1)}" y="${(py(speed) - 7).toFixed(1)}">${label}: ${Math.round(speed)}/s</text>`,
    )
    .join('')
  return (
    `<text class="t" x="${x + 60}" y="24">${title}: tokens a second</text><line class="a" x1="${x + 60}" y1="280" x2="${x + 420}" y2="280"/>` +
    `<line class="a" x1="${x + 60}" y1="50" x2="${x + 60}" y2="280"/><text x="${x + 160}" y="310">${xTitle}</text><path class="l" d="${line}"/>${dots}`
  )
}
