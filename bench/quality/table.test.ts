import { expect, it } from 'vitest'
import { asked, dataId, engineered, stored, truth, vibe, wrongIn } from './cells.suite.ts'
import { missing, reachLine, sums, tableLines, tableRows } from './table.ts'

it('sets both arms side by side, with interval, verdict, minutes and what was typed', () => {
  const lines = tableLines(stored())
  expect(lines[2]).toMatch(/^\| good \| 40 \| accuracy \| 95\.0 \| 50\.0 SVM \| \+45\.0 \[\+\d\d\.\d, \+\d\d\.\d\] \| win \| 70\.1 \| 5\.5 \| 5 \| 2 \|$/)
  expect(lines[3]).toMatch(/^\| bad \| 40 \| accuracy \| 50\.0 \| 95\.0 SVM \| −45\.0 \[−\d\d\.\d, −\d\d\.\d\] \| loss \| {2}\|/)
  expect(lines.at(-1)).toBe('No cell is missing.')
  expect(lines.join('\n')).toContain('All tasks, 2 compared: 1 strictly won, 0 tied, 1 lost.')
  expect(tableLines({ ...stored(), plan: null })).toEqual(['No cell has been measured yet.'])
})

it('names the cells that are missing, and compares nothing with them', () => {
  const [cell] = stored().cells
  const partial = stored({ plan: { ...stored().plan!, tasks: ['good', 'bad', 'unread'], seeds: [1, 2] }, cells: [cell!] })
  expect(missing(partial)).toEqual(['all of unread', 'engineered good', 'engineered bad', 'vibe bad seed 1', 'vibe good seed 2', 'vibe bad seed 2'])
  const lines = tableLines(partial)
  expect(lines[2]).toBe('| good | 40 | accuracy | 95.0 | missing |  |  | 70.1 | 5.5 | 5 | 2 |')
  expect(lines[3]).toBe('| bad | 40 | accuracy | missing | missing |  |  |  |  |  |  |')
  expect(lines.at(-1)).toBe(`Missing, by running the same command again: ${missing(partial).join('; ')}.`)
  // A cell of the task as it was before, or of another budget, is not shown.
  for (const change of [{ dataId: dataId('2') }, { budgetMinutes: 4 }]) expect(tableRows(stored({ cells: [{ ...cell!, ...change }] }))[0]!.vibe).toEqual([])
})

it('takes the mean of the seeds, and half their range', () => {
  const [row] = tableRows(
    stored({
      plan: { ...stored().plan!, seeds: [1, 2] },
      cells: [vibe('good', wrongIn(2)), vibe('good', wrongIn(4), { seed: 2 }), engineered('good', wrongIn(4))],
    }),
  )
  expect(row!.score!.mean).toBeCloseTo(0.925, 12)
  expect(row!.score!.spread).toBeCloseTo(0.025, 12)
  expect(row!.comparison!.difference).toBeCloseTo(0.025, 12)
  expect(row!.beside.neural).toBeCloseTo(0.25, 12)
})

it('counts a build that was refused as lost to the engineer, and says so', () => {
  const refusedCell = vibe('bad', '', { refused: { code: 'too_few_examples', message: 'There are 3.' }, said: {}, package: null })
  const state = stored({ cells: [refusedCell, engineered('bad', wrongIn(2))] })
  expect(tableRows(state)[1]!.comparison).toMatchObject({ verdict: 'loss', difference: -0.95 })
  expect(tableLines(state)[3]).toMatch(/^\| bad \| 40 \| accuracy \| refused \| 95\.0 SVM \|/)
  const one = stored({ plan: { ...stored().plan!, seeds: [1, 2] }, cells: [vibe('bad', truth, { seed: 2 }), refusedCell, engineered('bad', wrongIn(2))] })
  expect(tableRows(one)[1]!.comparison).toBeNull()
  expect(tableLines(one)[3]).toContain('| 100.0 (1 refused) |')
})

it('compares answers with the cheap arm of their own exam', () => {
  const answers = asked({ kind: 'answer', metric: 'token-F1', labels: [], truth: '' })
  const [high, low] = [Array.from({ length: 40 }, () => 0.75).join(' '), Array.from({ length: 40 }, (_, index) => (index % 2 ? '-' : 0.75)).join(' ')]
  const [row] = tableRows(stored({ tasks: { good: answers }, cells: [vibe('good', high, { said: { tuned: high, base: low, baseline: low } })] }))
  expect(row).toMatchObject({ other: { name: 'BM25', score: 0.375 }, comparison: { verdict: 'win' }, beside: { base: 0.375 } })
})

it('says whether the reach is reached only where all of its tasks are compared', () => {
  const { all, reach } = sums(tableRows(stored()))
  expect(all).toEqual({ win: 1, tie: 0, loss: 1, compared: 2 })
  // The second task has no quoted figure of the SVM.
  expect(reach).toEqual({ win: 1, tie: 0, loss: 0, compared: 1 })
  expect(reachLine(reach)).toContain('1 of these 17 are compared here')
  expect(reachLine({ win: 9, tie: 6, loss: 2, compared: 17 })).toContain(': reached')
  expect(reachLine({ win: 8, tie: 8, loss: 1, compared: 17 })).toContain(': not reached')
  expect(reachLine({ win: 9, tie: 5, loss: 3, compared: 17 })).toContain(': not reached')
})
