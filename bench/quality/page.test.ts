import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { stored, vibe, wrongIn } from './cells.suite.ts'
import { pageOf } from './page.ts'
import { plotOf } from './plot.ts'
import { Results } from './results.ts'
import { summaryText } from './summary.ts'
import { tableRows } from './table.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

it('is not stale: the committed page and plot are those of the committed results', () => {
  const results = new Results(here('./results/results.json')).all
  expect(readFileSync(here('../../docs/benchmark.md'), 'utf8')).toBe(pageOf(results, 'benchmark.svg'))
  expect(readFileSync(here('../../docs/benchmark.json'), 'utf8')).toBe(summaryText(results))
  expect(existsSync(here('../../docs/benchmark.svg'))).toBe(true)
  expect(readFileSync(here('../../docs/benchmark.svg'), 'utf8')).toBe(plotOf(tableRows(results)))
})

it('says where the engineer wins with the figures, and what was typed, spent and published', () => {
  const page = pageOf(stored(), 'plot.svg')
  expect(page).toContain('![Differences with intervals](plot.svg)')
  expect(page).toContain(
    '- **bad**: −45.0 points on 40 cases, learned from 120 rows of 2 kinds; 50.0 against 95.0; the neural part alone 25.0; served was the model as served: a mixture.',
  )
  expect(page).not.toContain('- **good**')
  expect(page).toContain('In 2 of 2 label tasks with a classical part the neural part alone is more than 10 points below the SVM.')
  expect(page).toContain('- good: “Tell me which it is.”')
  expect(page).toContain('11 minutes for 2 builds of a budget of 5 minutes each')
  expect(page).toContain('5 words typed and 2 settings touched a task (--exam, --minutes), no line of code')
  expect(page).toContain('150 lines of code')
  expect(page).toContain('- good: [recalled] 99.9')
  expect(page).toContain('| good | vibe | 1 | 2026-01-02 03:04 | 5.5 | `0xaaaaaaaaaaaaaaaa…` |')
  expect(page).toContain('"Elsewhere" in the table: another program.')
})

it('hides no refusal, no inference and no oddity', () => {
  const base = stored()
  const page = pageOf(
    {
      ...base,
      plan: { ...base.plan!, refused: [{ task: 'broken', code: 'exam_one_class', message: 'Every exam case has one label.' }] },
      tasks: {
        ...base.tasks,
        good: { ...base.tasks.good!, from: 'inferred', inferred: ['metric accuracy: guessed'], flags: [{ code: 'exam_small', text: 'Only few.' }] },
      },
      cells: [
        vibe('good', wrongIn(2), { figures: { coverage: 0.5, citationsRight: 0.25, citations: 8 } }),
        vibe('bad', '', { refused: { code: 'no', message: 'It was refused.' }, said: {} }),
      ],
    },
    'plot.svg',
  )
  expect(page).toContain('- broken: Every exam case has one label. (exam_one_class)')
  expect(page).toContain('- good: inferred metric accuracy: guessed.')
  expect(page).toContain('- good: Only few. (exam_small)')
  expect(page).toContain('- good: 50.0 % of the answerable questions were answered (refusing all scores 0), and 25.0 % of 8 quoted passages')
  expect(page).toContain('- bad, seed 1: the build was refused: It was refused. (no)')
  expect(page).toContain('Missing, by running the same command again: engineered good; engineered bad.')
})

it('draws a line a task, best first, and says when there is nothing', () => {
  const plot = plotOf(tableRows(stored()))
  expect(plot.match(/<circle/g)).toHaveLength(2)
  expect(plot.indexOf('>good<')).toBeLessThan(plot.indexOf('>bad<'))
  expect(plot).toContain('+45.0 win')
  expect(plotOf([])).toContain('Nothing can be compared yet.')
})
