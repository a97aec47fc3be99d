/**
 * Table: the cells of a plan set side by side, a row a task: score, the engineer's score, their difference with its interval and verdict; and in
 * sum the wins, ties and losses. What is missing is named. Pure; knows nothing of files or of how a cell is measured.
 */
import { type Asked, type Cell, findCell, type Plan, placeName, placesOf, type Stored } from './results.ts'
import { type Comparison, compare, type Scorer, scorerOf, type Verdict } from './score.ts'

/** What the project set itself: of the label tasks that the SVM was measured on, so many won or tied, and so many strictly won. */
export const REACH = { tasks: 17, winsOrTies: 15, wins: 9 } as const

export type TableRow = {
  task: string
  asked: Asked
  /** The cells there are, one a seed. */
  vibe: Cell[]
  engineered: Cell | undefined
  /** Mean over seeds, and half the range where there are several; null where no cell has a score. */
  score: { mean: number; spread: number | null } | null
  /** The other side: the tuned SVM for labels, else the cheap arm of the build's own exam. */
  other: { name: 'SVM' | 'tagger' | 'BM25'; what: string; score: number } | null
  /** Other arms of the build's own exam, e.g. the neural weights alone and the untrained base. */
  beside: Record<string, number>
  comparison: Comparison | null
  quoted: number | null
}

export type Sum = Record<Verdict, number> & { compared: number }

/** The rows of what was last asked for; a task that was never read has none. */
export function tableRows(stored: Readonly<Stored>): TableRow[] {
  const { plan } = stored
  if (!plan) return []
  return plan.tasks.flatMap((task) => {
    const asked = stored.tasks[task]
    if (!asked) return []
    const { dataId } = asked
    const vibe = plan.seeds.flatMap((seed) => findCell(stored, { task, dataId, arm: 'vibe', seed, budgetMinutes: plan.budgetMinutes }) ?? [])
    const engineered = findCell(stored, { task, dataId, arm: 'engineered', seed: 0, budgetMinutes: null })
    return [rowOf(task, asked, vibe, engineered)]
  })
}

function rowOf(task: string, asked: Asked, vibe: Cell[], engineered: Cell | undefined): TableRow {
  const scored = vibe.filter(({ refused }) => refused === null)
  const of = (part: string): Scorer[] => scored.flatMap(({ said }) => (said[part] === undefined ? [] : [scorerOf(asked, said[part])]))
  const tuned = of('tuned')
  const scores = tuned.map(({ score }) => score())
  const fitted = engineered?.said.engineered === undefined ? [] : [scorerOf(asked, engineered.said.engineered)]
  const cheap = asked.kind === 'classify' ? fitted : of('baseline')
  const name = asked.kind === 'classify' ? 'SVM' : asked.kind === 'extract' ? 'tagger' : 'BM25'
  const what = (asked.kind === 'classify' ? engineered?.what.engineered : scored[0]?.what.baseline) ?? ''
  // Not mistaken for a loss that was measured: a build that was refused stands beside the engineer with nothing.
  const complete = tuned.length > 0 && tuned.length === vibe.length && cheap.length > 0
  return {
    ...{ task, asked, vibe, engineered },
    score: scores.length ? { mean: mean(scores), spread: scores.length > 1 ? (Math.max(...scores) - Math.min(...scores)) / 2 : null } : null,
    other: cheap.length ? { name, what, score: mean(cheap.map(({ score }) => score())) } : null,
    beside: Object.fromEntries(
      ['neural', 'classical', 'base'].flatMap((part) => {
        const all = of(part).map(({ score }) => score())
        return all.length ? [[part, mean(all)] as const] : []
      }),
    ),
    comparison: complete ? compare(tuned, cheap) : refusedThroughout(vibe, cheap) ? lost(cheap) : null,
    quoted: asked.quoted?.figures[asked.metric] ?? null,
  }
}

/** Every build was refused: the engineer has a model and the expert has none. */
const refusedThroughout = (vibe: readonly Cell[], cheap: readonly Scorer[]): boolean =>
  vibe.length > 0 && cheap.length > 0 && vibe.every(({ refused }) => refused !== null)

function lost(cheap: readonly Scorer[]): Comparison {
  const difference = -mean(cheap.map(({ score }) => score()))
  return { difference, interval: [difference, difference], verdict: 'loss' }
}

/** Wins, ties and losses of the rows that can be compared; `labels` counts label tasks that have a quoted SVM figure, as the reach does. */
export function sums(rows: readonly TableRow[]): { all: Sum; reach: Sum } {
  const count = (among: readonly TableRow[]): Sum => {
    const sum: Sum = { win: 0, tie: 0, loss: 0, compared: 0 }
    for (const { comparison } of among) {
      if (!comparison) continue
      sum[comparison.verdict]++
      sum.compared++
    }
    return sum
  }
  return { all: count(rows), reach: count(rows.filter(({ asked }) => asked.kind === 'classify' && asked.quoted !== null)) }
}

/** The cells that are still to be measured, and the tasks that were never read. */
export function missing(stored: Readonly<Stored>): string[] {
  const { plan } = stored
  if (!plan) return []
  const unread = plan.tasks.filter((task) => !stored.tasks[task])
  return [...unread.map((task) => `all of ${task}`), ...placesOf(plan, stored.tasks).flatMap((place) => (findCell(stored, place) ? [] : [placeName(place)]))]
}

const COLUMNS = ['task', 'cases', 'metric', 'vibe', 'engineer', 'difference, 95 %', 'verdict', 'elsewhere', 'minutes', 'words', 'settings']

/** The table as Markdown, and below it what is missing and what cannot be examined. */
export function tableLines(stored: Readonly<Stored>): string[] {
  const { plan } = stored
  const rows = tableRows(stored)
  if (!plan || !rows.length) return ['No cell has been measured yet.']
  const lines = [`| ${COLUMNS.join(' | ')} |`, `|${COLUMNS.map(() => '---|').join('')}`]
  for (const row of rows) {
    const { vibe, comparison, other } = row
    const refusals = vibe.flatMap(({ refused }) => (refused ? [refused.code] : []))
    const own = row.score
      ? percent(row.score.mean) + (row.score.spread === null ? '' : ` ± ${percent(row.score.spread)}`)
      : refusals.length
        ? 'refused'
        : 'missing'
    lines.push(
      `| ${[
        row.task,
        row.asked.rows.exam,
        row.asked.metric,
        own + (row.score && refusals.length ? ` (${refusals.length} refused)` : ''),
        other ? `${percent(other.score)} ${other.name}` : 'missing',
        comparison ? `${signed(comparison.difference)} [${comparison.interval.map(signed).join(', ')}]` : '',
        comparison?.verdict ?? '',
        row.quoted === null ? '' : percent(row.quoted),
        vibe.length ? mean(vibe.map(({ minutes }) => minutes)).toFixed(1) : '',
        vibe.length ? vibe[0]!.effort.words : '',
        vibe.length ? Math.max(...vibe.map(({ effort }) => effort.settings.length)) : '',
      ].join(' | ')} |`,
    )
  }
  return [...lines, '', `${sumLine('All tasks', sums(rows).all)} ${reachLine(sums(rows).reach)}`, '', missingLine(stored), ...refusedLines(plan)]
}

export type ChallengerRow = { task: string; cell: Cell; score: number | null; against: { arm: string; score: number; comparison: Comparison }[] }

/** Entries of others, newest first, beside both arms on the same cases. */
export function challengerRows(stored: Readonly<Stored>): ChallengerRow[] {
  const rows = tableRows(stored)
  const entered = stored.cells.filter(({ arm, task, dataId }) => arm === 'challenger' && stored.tasks[task]?.dataId === dataId)
  return entered.reverse().map((cell) => {
    const asked = stored.tasks[cell.task]!
    const own = cell.said.challenger === undefined ? undefined : scorerOf(asked, cell.said.challenger)
    const row = rows.find(({ task }) => task === cell.task)
    const arms = { vibe: (row?.vibe ?? []).map(({ said }) => said.tuned), engineer: [row?.engineered?.said.engineered] }
    const against = Object.entries(arms).flatMap(([arm, all]) => {
      const scorers = all.flatMap((said) => (said === undefined ? [] : [scorerOf(asked, said)]))
      return own && scorers.length ? [{ arm, score: mean(scorers.map(({ score }) => score())), comparison: compare([own], scorers) }] : []
    })
    return { task: cell.task, cell, score: own?.score() ?? null, against }
  })
}

/** Entries of others in a sentence each. */
export const challengerLines = (stored: Readonly<Stored>): string[] =>
  challengerRows(stored).map(({ task, cell, score, against }) => {
    const name = `${cell.what.challenger ?? 'challenger'} (\`${cell.package?.slice(0, 18) ?? ''}…\`) on ${task}`
    if (score === null) return `- ${name}: no score. ${cell.refused?.message ?? ''}`
    const beside = against.map(
      ({ arm, score: other, comparison }) =>
        `${arm} ${percent(other)}: ${signed(comparison.difference)} [${comparison.interval.map(signed).join(', ')}], ${comparison.verdict}`,
    )
    return `- ${name}: ${percent(score)} ${stored.tasks[task]!.metric}${beside.length ? `; against ${beside.join('; against ')}` : '; no other arm is measured yet'}.`
  })

export const sumLine = (name: string, { win, tie, loss, compared }: Sum): string =>
  `${name}, ${compared} compared: ${win} strictly won, ${tie} tied, ${loss} lost.`

export function reachLine(sum: Sum): string {
  const [held, won] = [sum.win + sum.tie, sum.win]
  const judged =
    sum.compared < REACH.tasks
      ? `${sum.compared} of these ${REACH.tasks} are compared here`
      : held >= REACH.winsOrTies && won >= REACH.wins
        ? 'reached'
        : 'not reached'
  return `Against the tuned SVM: ${held} won or tied, ${won} strictly (the reach is ${REACH.winsOrTies} and ${REACH.wins} of ${REACH.tasks} label tasks: ${judged}).`
}

export function missingLine(stored: Readonly<Stored>): string {
  const names = missing(stored)
  return names.length ? `Missing, by running the same command again: ${names.join('; ')}.` : 'No cell is missing.'
}

export const refusedLines = (plan: Plan): string[] =>
  plan.refused.length ? ['', 'Not examined:', ...plan.refused.map(({ task, code, message }) => `- ${task}: ${message} (${code})`)] : []

export const percent = (value: number): string => (100 * value).toFixed(1)
export const signed = (value: number): string => `${value < 0 ? '−' : '+'}${percent(Math.abs(value))}`
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
