/** The readiness meter: a law through points, its sentence, and that it never looks at the exam. */
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../core/errors.ts'
import { describeReadiness, errorAt, fitLaw } from '../core/readiness.ts'
import { ngramSvm } from '../drivers/baseline/ngram-svm.ts'
import { wordTagger } from '../drivers/baseline/word-tagger.ts'
import { offlinePlanner } from '../drivers/planner/offline.ts'
import { miniSearchRetriever } from '../drivers/retriever/minisearch.ts'
import type { Content } from '../ports/reader.ts'
import { collect } from './collect.ts'
import { describe as describeWords } from './describe.ts'
import { readiness } from './readiness.ts'

const ports = { baseline: ngramSvm(), tagger: wordTagger(), retriever: miniSearchRetriever() }

async function readyOf(words: string, contents: Content[]) {
  const spec = await describeWords({ planner: offlinePlanner() }, words, contents)
  if (isRefusal(spec)) throw new Error(spec.message)
  const collected = collect(spec, contents)
  if (isRefusal(collected)) throw new Error(collected.message)
  return readiness(ports, { spec, dataset: collected.dataset, seconds: 150 })
}

describe('the law', () => {
  it('goes through points that follow one, and on from them', () => {
    const truth = (examples: number) => 2 * examples ** -0.4
    const law = fitLaw([25, 50, 100, 200].map((examples) => ({ examples, error: truth(examples) })))
    expect(Math.abs(errorAt(law, 400) - truth(400))).toBeLessThan(0.01)
    expect(errorAt(law, 1)).toBeLessThanOrEqual(1)
  })

  it('promises next to nothing where more did nothing', () => {
    const law = fitLaw([25, 50, 100].map((examples) => ({ examples, error: 0.3 })))
    expect(errorAt(law, 100) - errorAt(law, 200)).toBeLessThan(0.02)
  })
})

describe('the sentence', () => {
  const shared = {
    proxy: 'n-grams',
    metric: 'share of right kinds',
    practice: 40,
    points: [],
    seconds: 540,
    topics: [
      { name: 'arrhythmia', examples: 12 },
      { name: 'children', examples: 1 },
    ],
  }

  it('says what there is, what more would do, and how long it takes', () => {
    const now = { examples: 90, score: 0.71, interval: [0.66, 0.76] as [number, number] }
    const lines = describeReadiness({ ...shared, now, next: { more: 40, score: 0.78, interval: [0.72, 0.83] } })
    expect(lines[0]).toBe('You have 12 examples about "arrhythmia" and 1 about "children".')
    expect(lines[1]).toBe(
      'About 40 more would lift it from about 71 of 100 (66 to 76) to about 78 (72 to 83); training takes at most 9 minutes on this computer.',
    )
    expect(describeReadiness({ ...shared, now, next: { more: 40, score: 0.715, interval: [0.7, 0.73] } })[1]).toMatch(/would hardly change that/)
    expect(describeReadiness({ ...shared, now, next: null })[1]).toMatch(/^With what you have it should get about 71 of 100/)
  })
})

// Eight linear models are fitted: on a busy machine that takes its time.
describe('a dataset', { timeout: 300_000 }, () => {
  const nouns = ['kettle', 'bridge', 'harbour', 'violin', 'meadow', 'ledger', 'rocket', 'candle', 'ladder', 'anchor', 'barrel']
  const noise = (index: number): string => `${nouns[index % 11]} ${nouns[(index * 5 + 3) % 11]} number${index} beside item${index * 7} of row${index * 3}`

  it('that teaches gets a high score, one whose labels are noise a low one with no promise', async () => {
    const table = (label: (index: number) => string, hint: (index: number) => string): Content => ({
      ...{ kind: 'table', name: 'rows.csv', columns: ['text', 'label'] },
      rows: Array.from({ length: 130 }, (_, index) => ({ text: `${noise(index)} ${hint(index)}`, label: label(index) })),
    })
    const good = await readyOf('Tell me which kind of sentence this is.', [
      table(
        (index) => ['wet', 'dry'][index % 2]!,
        (index) => ['rain and puddles', 'sun and dust'][index % 2]!,
      ),
    ])
    expect(good.now.score).toBeGreaterThan(0.95)
    expect(good.topics.map(({ name }) => name).sort()).toEqual(['dry', 'wet'])
    expect(good.points.map(({ examples }) => examples)).toEqual([...good.points.map(({ examples }) => examples)].sort((a, b) => a - b))
    const bad = await readyOf('Tell me which kind of sentence this is.', [
      table(
        (index) => ['wet', 'dry'][(index * 7919 + (index >> 3)) % 2]!,
        () => '',
      ),
    ])
    expect(bad.now.score).toBeLessThan(0.8)
    expect(bad.now.interval[0]).toBeLessThan(bad.now.score)
  })

  it('of pages is scored by quoting and promised nothing', async () => {
    const rows = Array.from({ length: 90 }, (_, index) => ({
      question: `What is the ${noise(index)}?`,
      answer: `The ${noise(index)} is thing${index} of the place${index}.`,
    }))
    const ready = await readyOf('Answer questions from our material.', [{ kind: 'table', name: 'faq.csv', columns: ['question', 'answer'], rows }])
    expect(ready.next).toBeNull()
    expect(ready.now.score).toBeGreaterThan(0.7)
  })
})
