/** The gate's three verdicts, and that they follow from the cases and nothing else. */
import { describe, expect, it } from 'vitest'
import { exampleOf } from './dataset.ts'
import { leafOf, openedExam, rootOf, sealed } from './exam.ts'
import { judge, scored } from './gate.ts'
import { hashText } from './id.ts'
import { type Arm, type Difference, macroF1 } from './report.ts'
import { type Said, type Sheet, scores } from './sheet.ts'

const LABELS = ['a', 'b', 'c']
const truth = Array.from({ length: 90 }, (_, index) => LABELS[index % 3]!)
/** Says what is right on a share of the cases, and the next label on the others. */
const saying = (share: number): Said[] =>
  truth.map((label, index) => ({ label: (index * 37) % 100 < share * 100 ? label : LABELS[(LABELS.indexOf(label) + 1) % 3]!, confidence: share }))

function sheet(arms: Partial<Record<Arm['name'], Said[]>>): Sheet {
  const exam = openedExam(
    truth.map((label, index) => exampleOf({ input: `text ${index}`, label }, { file: 'a.csv' }, undefined)),
    hashText('salt'),
  )
  const cases = sealed(exam)
  const ids = { examId: hashText('exam'), weightsId: hashText('weights'), root: rootOf(cases.map(leafOf)) }
  return { format: 'modelfactory/sheet@1', kind: 'label', ...ids, cases, arms: arms as Sheet['arms'] }
}
const verdict = (tuned: number, base: number, baseline: number) => {
  const made = sheet({ tuned: saying(tuned), base: saying(base), baseline: saying(baseline) })
  return scored(
    made,
    [
      { name: 'tuned', what: '' },
      { name: 'base', what: '' },
      { name: 'baseline', what: '' },
    ].map((one) => one as { name: Arm['name']; what: string }),
  ).verdict
}

describe('the gate', () => {
  it.each([
    ['beats its base and ties the simple method', 0.8, 0.3, 0.8, 'proven', ['win', 'tie']],
    ['beats both', 0.9, 0.3, 0.4, 'proven', ['win', 'win']],
    ['beats its base but not the simple method', 0.6, 0.2, 0.95, 'unproven', ['win', 'loss']],
    ['is no better than its base', 0.5, 0.5, 0.5, 'unproven', ['tie', 'tie']],
    ['is worse than its base', 0.2, 0.8, 0.2, 'worse', ['loss', 'tie']],
    ['is worse than its base, and beats the simple method', 0.5, 0.95, 0.1, 'worse', ['loss', 'win']],
  ] as const)('a model that %s', (_, tuned, base, baseline, outcome, outcomes) => {
    const made = verdict(tuned, base, baseline)
    expect(made.outcome).toBe(outcome)
    expect(made.differences.map((one) => one.outcome)).toEqual(outcomes)
    expect(made.why).toMatch(/^On 90 sealed cases the model did .*\.$/)
  })

  it('is not passed by leaving out what to compare with', () => {
    expect(judge(90, []).outcome).toBe('unproven')
    const won: Difference = { against: 'base', difference: 0.5, interval: [0.4, 0.6], outcome: 'win', better: 50, worse: 0 }
    expect(judge(90, [won]).outcome).toBe('unproven')
    expect(judge(90, [won, { ...won, against: 'baseline', outcome: 'tie' }]).outcome).toBe('proven')
  })

  it('counts strict wins apart from the verdict', () => {
    const made = verdict(0.8, 0.3, 0.8)
    const over = made.differences[0]!
    expect(over.worse).toBe(0)
    expect(over.better).toBeGreaterThan(40)
    expect(made.differences[1]).toMatchObject({ better: 0, worse: 0, difference: 0, interval: [0, 0] })
  })

  it('is not passed by a sheet that lacks answers', () => {
    const short = sheet({ tuned: saying(0.9).slice(1) })
    expect(() => scored(short, [{ name: 'tuned', what: '' }])).toThrow(/89 answers to 90 cases/)
    expect(() => scored(sheet({ tuned: saying(0.9) }), [{ name: 'base', what: '' }])).toThrow(RangeError)
    expect(() => scored(sheet({ tuned: truth.map(() => ({})) }), [{ name: 'tuned', what: '' }])).toThrow(/lacks what it is scored by/)
  })
})

describe('scores of each kind', () => {
  it('of labels: accuracy, F1 and calibration', () => {
    const made = scores(
      'label',
      saying(1),
      truth.map((label) => ({ label })),
    )
    expect(made.figures).toMatchObject({ accuracy: 1, macroF1: 1, weightedF1: 1, calibrationError: 0 })
    expect(scores('label', [{ label: 'a' }], [{ label: 'a' }]).figures).not.toHaveProperty('calibrationError')
  })

  it('of any draw of labels, by the same macro-F1', () => {
    const said = saying(0.6)
    const { of } = scores(
      'label',
      said,
      truth.map((label) => ({ label })),
    )
    for (const drawn of [[0, 1, 2], [4, 4, 4, 50], [7], [...truth.keys()], truth.map((_, index) => (index * index) % 90)])
      expect(of(drawn)).toBeCloseTo(
        macroF1(
          drawn.map((index) => said[index]!.label!),
          drawn.map((index) => truth[index]!),
        ),
        12,
      )
  })

  it('of several labels and of entities', () => {
    const kinds = scores(
      'labels',
      [
        { labels: ['a', 'b'], probabilities: [0.9, 0.9] },
        { labels: [], probabilities: [0.1, 0.1] },
      ],
      [{ labels: ['a'] }, { labels: [] }],
      ['a', 'b'],
    )
    expect(kinds.figures).toMatchObject({ precision: 0.5, recall: 1, allRight: 0.5 })
    // In the bin of 0.9 one of two holds, in that of 0.1 none of two.
    expect(kinds.figures.calibrationError).toBeCloseTo((Math.abs(1.8 - 1) + 0.2) / 4, 12)
    expect(kinds.each).toEqual([2 / 3, 1])
    const drug = { type: 'drug', start: 0, end: 4 }
    const found = scores(
      'entities',
      [
        {
          entities: [
            { ...drug, probability: 0.8 },
            { ...drug, start: 6, end: 9, probability: 0.6 },
          ],
        },
      ],
      [{ entities: [drug] }],
    )
    expect(found.figures).toMatchObject({ precision: 0.5, recall: 1, allRight: 0 })
    expect(found.figures.calibrationError).toBeCloseTo((0.2 + 0.6) / 2, 12)
  })

  it('of answers: coverage, refusals, citations', () => {
    const figures = (worth: number, more = {}) => ({ worth, rougeL: worth, exact: worth === 1, right: 0, quotes: 0, found: 0, wanted: 0, ...more })
    const said: Said[] = [
      { quotes: ['x'], figures: figures(1, { right: 1, quotes: 1, found: 1, wanted: 2 }) },
      { quotes: ['x', 'y'], figures: figures(0.5, { right: 1, quotes: 2, found: 1, wanted: 1 }) },
      { quotes: null, figures: figures(0, { wanted: 1 }) },
      { quotes: null, figures: figures(1) },
      { quotes: ['z'], figures: figures(0, { quotes: 1 }) },
    ]
    const made = scores('answer', said, [{ covered: true }, { covered: true }, { covered: true }, { covered: false }, { covered: false }])
    expect(made.of([0, 1, 2, 3, 4])).toBeCloseTo(0.5, 12)
    expect(made.figures).toMatchObject({
      tokenF1: 0.5,
      coverage: 2 / 3,
      refusalPrecision: 0.5,
      refusalRecall: 0.5,
      citationPrecision: 0.5,
      citationRecall: 0.5,
    })
    expect(made.figures.exactMatch).toBeCloseTo(1 / 3, 12)
  })
})
