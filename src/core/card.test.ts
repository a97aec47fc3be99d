/** The quality card: what it says, in all three forms, and that nothing a builder writes runs in a reader's browser. */
import { expect, it } from 'vitest'
import { type Card, cardHtml, cardMarkdown, cardOf } from './card.ts'
import { hashText } from './id.ts'
import { chooseRecipe } from './recipe.ts'
import type { Report } from './report.ts'
import type { Spec } from './spec.ts'
import type { Weights } from './weights.ts'

const report: Report = {
  ...{ weightsId: hashText('weights'), examId: hashText('exam'), n: 60, metric: 'token-F1 with refusals', predictions: hashText('sheet'), latencyMs: 240 },
  arms: [
    { name: 'tuned', what: 'the trained adapter | chooses', score: 0.666, interval: [0.593, 0.734], figures: { coverage: 0.9, citationPrecision: 0.71 } },
    { name: 'base', what: 'the same with the untrained base', score: 0.339, interval: [0.25, 0.42], figures: { coverage: 0.5 } },
    { name: 'baseline', what: 'BM25', score: 0.66, interval: [0.59, 0.726], figures: {} },
  ],
  ...{ root: hashText('root'), committedAt: 1_790_000_000, attempt: 2, bootstrap: { draws: 1000, seed: 1 } },
  verdict: {
    outcome: 'proven',
    why: 'On 60 sealed cases the model did better.',
    differences: [
      { against: 'base', difference: 0.327, interval: [0.24, 0.41], outcome: 'win', better: 35, worse: 4 },
      { against: 'baseline', difference: 0.006, interval: [-0.05, 0.06], outcome: 'tie', better: 9, worse: 8 },
    ],
  },
}
const card = (change: Partial<Report> = {}, words = 'Answer questions about the heart.'): Card =>
  cardOf({
    name: 'cardiology',
    spec: { words, task: 'answer', language: ['en'] } as Spec,
    weights: {
      base: { name: 'base-xs', sha256: hashText('base'), licence: 'Apache-2.0' },
      recipe: chooseRecipe({ trainingTokens: 1000, maximumTokens: 128, threads: 1, maximumSeconds: 60 }),
      curve: [{ step: 120, trainingLoss: 1, validationLoss: null, seconds: 3 }],
    } as unknown as Weights,
    report: { ...report, ...change },
    examples: { training: 200, practice: 40 },
    licences: ['CC BY 4.0 <b>'],
  })
const today = { cardId: hashText('card'), lines: ['Listed as proven.'] }

it('says in every form the verdict, the scores with intervals, the attempt and the limits', () => {
  for (const text of [cardMarkdown(card(), today), cardHtml(card(), today)]) {
    for (const said of [
      'cardiology',
      'better than its base',
      '0.666',
      '0.593',
      'attempt 2',
      '2026-09-21',
      'before the training',
      'quotes that support the answer',
      'Listed as proven.',
    ])
      expect(text, said).toContain(said)
    expect(text).toContain('can still cheat')
    expect(text).toContain('independent examiner')
    expect(text).toContain(today.cardId)
  }
  const late = cardMarkdown(card({ committedAt: null }), today)
  expect(late).toContain('not on chain before the training')
  expect(late).not.toContain('since 2026')
})

it('draws a bar for each arm as long as its score, with its interval', () => {
  const html = cardHtml(card(), today)
  const widths = Object.fromEntries([...html.matchAll(/<rect class="(\w+)"[^>]*width="([\d.]+)"/g)].map(([, name, width]) => [name, Number(width)]))
  expect(Object.keys(widths)).toEqual(['tuned', 'base', 'baseline'])
  expect(widths.tuned! / widths.base!).toBeCloseTo(0.666 / 0.339, 2)
  expect(html).toMatch(/aria-label="token-F1 with refusals: This model, as sold 0\.666/)
})

it('is one page that loads and runs nothing, whatever its builder wrote', () => {
  const html = cardHtml(card({}, '<script>alert(1)</script><img src=x onerror="alert(2)">'), { cardId: null, lines: ['<b>'] })
  expect(html).not.toMatch(/<script|<img|<b>|https?:|url\(/)
  expect(html).toContain('&#60;script&#62;')
  expect(html).toContain('in no package')
  // A cell of a table cannot break out of it.
  expect(cardMarkdown(card(), today)).toContain('the trained adapter \\| chooses')
})

it('shows an old report as unproven', () => {
  const { verdict: _, root: __, attempt: ___, committedAt: ____, bootstrap: _____, ...old } = report
  const made = cardOf({
    ...({ name: 'old', spec: { words: 'w', task: 'classify', language: ['sw'] }, weights: { base: card().base, recipe: { seed: 1 }, curve: [] } } as never as {
      name: string
      spec: Spec
      weights: Weights
    }),
    report: old,
    examples: null,
    licences: [],
  })
  expect(cardMarkdown(made, { cardId: null, lines: [] })).toMatch(/Unproven: made before there was a gate[\s\S]*Swahili[\s\S]*Learned in 0 steps/)
})
