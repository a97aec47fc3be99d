/** Each term, met and failed; and schemas that are no schemas. */
import { describe, expect, it } from 'vitest'
import type { Answer } from './answer.ts'
import { failedTerm, Terms } from './terms.ts'

const answer: Answer = {
  text: '{"label": "flu", "days": 3}',
  citations: [{ quote: 'Rest.', title: 'Flu', heading: 'Care', file: 'flu.md', url: 'https://nih.example/flu', probability: 0.9 }],
  abstained: false,
}
const silent: Answer = { text: 'The pages do not cover this.', citations: [], abstained: true }
const parse = (terms: unknown) => Terms.safeParse(terms)

describe('terms', () => {
  it('are judged one by one, and the first that fails is named', () => {
    const schema = { type: 'object', properties: { label: { type: 'string' }, days: { type: 'integer' } }, required: ['label'] }
    const cases: [terms: unknown, answer: Answer, seconds: number, failed: string | undefined][] = [
      [{ schema }, answer, 1, undefined],
      [{ schema: { ...schema, required: ['days'] } }, { ...answer, text: '{"label": "flu"}' }, 1, 'schema'],
      [{ schema: { ...schema, properties: { ...schema.properties, days: { type: 'string' } } } }, answer, 1, 'schema'],
      [{ schema: { enum: ['Governing Law', 'Other'] } }, { ...answer, text: 'Other' }, 1, undefined],
      [{ schema: { enum: ['Governing Law', 'Other'] } }, { ...answer, text: 'other' }, 1, 'schema'],
      [{ schema: { type: 'number' } }, { ...answer, text: '17' }, 1, undefined],
      [{ schema: { type: 'number' } }, { ...answer, text: 'seventeen' }, 1, 'schema'],
      [{ cites: ['FLU.md '] }, answer, 1, undefined],
      [{ cites: ['cold.md', 'Flu'] }, answer, 1, undefined],
      [{ cites: ['https://nih.example/flu'] }, answer, 1, undefined],
      [{ cites: ['Care'] }, answer, 1, 'cites'],
      [{ cites: ['flu.md'] }, silent, 1, 'cites'],
      [{ withinSeconds: 2 }, answer, 2, undefined],
      [{ withinSeconds: 2 }, answer, 2.001, 'withinSeconds'],
      [{ answered: true }, answer, 1, undefined],
      [{ answered: true }, silent, 1, 'answered'],
      [{ answered: true, withinSeconds: 1 }, silent, 5, 'withinSeconds'],
    ]
    for (const [terms, given, seconds, failed] of cases) {
      const asked = Terms.parse(terms)
      const found = failedTerm(asked, given, seconds)
      expect(found?.term, JSON.stringify(terms)).toBe(failed)
      if (found) expect(found.message).toMatch(/^[A-Z].*\.$/)
    }
  })

  it('that say nothing, or something else, are refused', () => {
    for (const terms of [
      {},
      { answered: false },
      { cites: [] },
      { cites: [''] },
      { withinSeconds: 0 },
      { withinSeconds: 1e9 },
      { polite: true },
      [],
      'answered',
    ])
      expect(parse(terms).success, JSON.stringify(terms)).toBe(false)
  })

  it('with schemas that cannot be checked, or cost too much to check, are refused', () => {
    for (const schema of [
      {},
      { minLength: 3 },
      { type: 'nonsense' },
      { type: 'string', pattern: '(a+)+$' },
      { type: 'array', items: { $ref: '#' } },
      { type: 'object', required: ['cause'] },
      { type: 'array', items: { minLength: 3 } },
      7,
    ])
      expect(parse({ schema }).success, JSON.stringify(schema)).toBe(false)
    expect(parse({ schema: { enum: Array.from({ length: 3_000 }, (_, index) => `label ${index}`) } }).success).toBe(false)
  })
})
