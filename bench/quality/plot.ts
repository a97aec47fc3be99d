/**
 * Plot: the differences of a table with their intervals, one line a task, as an SVG that is read on light and dark pages alike. Pure; knows
 * nothing of files.
 */
import { signed, type TableRow } from './table.ts'

const WIDTH = 760
const NAME = 240
const RIGHT = 130
const LINE = 24
const TOP = 34
const COLOURS = { win: '#1a7f37', tie: '#6e7781', loss: '#cf222e' } as const

/** The rows that can be compared, best first. */
export function plotOf(rows: readonly TableRow[]): string {
  const compared = rows.flatMap(({ task, comparison }) => (comparison ? [{ task, ...comparison }] : [])).sort((a, b) => b.difference - a.difference)
  const most = Math.max(0.05, ...compared.flatMap(({ interval }) => interval.map(Math.abs)))
  const middle = NAME + (WIDTH - NAME - RIGHT) / 2
  const at = (value: number): string => (middle + (value / most) * ((WIDTH - NAME - RIGHT) / 2)).toFixed(1)
  const height = TOP + LINE * Math.max(1, compared.length) + 30
  const text = (x: number | string, y: number, content: string, more = '') =>
    `<text x="${x}" y="${y}" font-size="12" font-family="ui-sans-serif, system-ui, sans-serif" fill="#6e7781"${more}>${escaped(content)}</text>`
  const lines = compared.flatMap(({ task, difference, interval: [low, high], verdict }, index) => {
    const y = TOP + LINE * index + 14
    const colour = COLOURS[verdict]
    return [
      text(NAME - 12, y + 4, task, ' text-anchor="end"'),
      `<line x1="${at(low)}" y1="${y}" x2="${at(high)}" y2="${y}" stroke="${colour}" stroke-width="2"/>`,
      `<circle cx="${at(difference)}" cy="${y}" r="4" fill="${colour}"/>`,
      text(WIDTH - RIGHT + 12, y + 4, `${signed(difference)} ${verdict}`),
    ]
  })
  const scale = [-most, 0, most].map((value) => text(at(value), height - 8, value === 0 ? '0' : signed(value), ' text-anchor="middle"'))
  const nothing = compared.length ? [] : [text(NAME, TOP + 18, 'Nothing can be compared yet.')]
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    '<title>Points by which the model from one sentence is above or below the engineer’s, with 95 % intervals</title>',
    text(at(-most), 18, 'engineer better'),
    text(at(most), 18, 'one sentence better', ' text-anchor="end"'),
    `<line x1="${at(0)}" y1="${TOP - 6}" x2="${at(0)}" y2="${height - 24}" stroke="#6e7781" stroke-dasharray="3 3"/>`,
    ...lines,
    ...nothing,
    ...scale,
    '</svg>',
  ].join('\n')}\n`
}

const escaped = (content: string): string => content.replace(/&/g, '&amp;').replace(/</g, '&lt;')
