/**
 * Summary: the results as data for the studio, docs/benchmark.json beside the page. Computed from the results file alone, so a test can tell
 * when it is stale. Knows nothing of how a cell is measured.
 */
import type { Benchmark } from '../../src/core/benchmark.ts'
import type { Stored } from './results.ts'
import { challengerRows, missing, REACH, sums, tableRows } from './table.ts'

export function summaryOf(stored: Readonly<Stored>): Benchmark {
  const rows = tableRows(stored)
  const cells = rows.flatMap(({ vibe, engineered }) => [...vibe, ...(engineered ? [engineered] : [])])
  const dates = cells.map(({ date }) => date.slice(0, 10)).sort()
  const { all, reach } = sums(rows)
  return {
    format: 'modelfactory/benchmark@1',
    tasks: rows.map(({ task, asked, vibe, score, other, beside, comparison, quoted }) => ({
      ...{ task, sentence: asked.sentence, kind: asked.kind, metric: asked.metric, labels: asked.labels.length, rows: asked.rows },
      ...{ score, other, beside, comparison: comparison && { ...comparison, interval: [...comparison.interval] as [number, number] } },
      quoted: quoted === null ? null : { score: quoted, how: asked.quoted!.how },
      published: asked.published === 'none' ? null : asked.published,
      oddities: asked.flags.map(({ text }) => text),
      refused: vibe.flatMap(({ refused }) => (refused ? [refused.message] : [])),
      seeds: vibe.length,
      minutes: vibe.length ? vibe.reduce((sum, { minutes }) => sum + minutes, 0) / vibe.length : null,
      words: vibe[0]?.effort.words ?? null,
      settings: [...new Set(vibe.flatMap(({ effort }) => effort.settings))],
    })),
    sums: { all, reach: { ...reach, of: REACH.tasks, heldWanted: REACH.winsOrTies, wonWanted: REACH.wins } },
    entries: challengerRows(stored).map(({ task, cell, score, against }) => ({
      ...{ task, name: cell.what.challenger ?? 'challenger', date: cell.date.slice(0, 10), package: cell.package, score },
      ...{ why: cell.refused?.message ?? null, against },
    })),
    missing: missing(stored),
    notExamined: (stored.plan?.refused ?? []).map(({ task, message }) => ({ task, message })),
    measured: {
      ...{ from: dates[0] ?? null, to: dates.at(-1) ?? null },
      machines: [
        ...new Set(
          cells.map(({ machine: { processor, cores, memoryGb, platform, node } }) => `${processor}, ${cores} cores, ${memoryGb} GB, ${platform}, Node ${node}`),
        ),
      ],
    },
  }
}

/** The file's text. */
export const summaryText = (stored: Readonly<Stored>): string => `${JSON.stringify(summaryOf(stored), null, 1)}\n`
