/** The scorer on plans whose score is known, and the offline planner against the set kept here: it may get better, not worse. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../../src/core/errors.ts'
import type { Spec } from '../../src/core/spec.ts'
import { offlinePlanner } from '../../src/drivers/planner/offline.ts'
import { Row, scoreRow, summarise } from './score.ts'

const planner = offlinePlanner()
const plan = async (row: Row): Promise<Spec> => {
  const spec = await planner.plan({ words: row.text, files: row.files })
  if (isRefusal(spec)) throw new Error(spec.message)
  return spec
}
const row = (expect: Row['expect'], text = 'Sort my mail into order, question and complaint.'): Row => Row.parse({ id: 'one', text, files: [], expect })

describe('the scorer', () => {
  it('takes sets without order, case, underscores or macrolanguage', async () => {
    const spec = { ...(await plan(row({}))), labels: ['Late_claim', 'other'], language: ['quz', 'fil'] }
    const { scores } = scoreRow(row({ labels: ['other', 'late claim'], language: ['tl', 'qu'] }), spec)
    expect(scores).toEqual({ labels: 1, language: 1 })
    expect(scoreRow(row({ labels: ['other'], language: ['tl'] }), spec).scores).toEqual({ labels: 0, language: 0 })
  })

  it('gives part for fields, domain and clarify', async () => {
    const spec: Spec = { ...(await plan(row({}))), fields: ['policy_number', 'date'], domain: 'motor claims', clarify: [] }
    const { scores } = scoreRow(
      row({ fields: ['policy number', 'date of accident', 'place', 'date'], domain: 'motor insurance claims', clarify: ['examples'] }),
      spec,
    )
    expect(scores.fields).toBeCloseTo(4 / 6)
    expect(scores.domain).toBeCloseTo(4 / 5)
    expect(scores.clarify).toBe(0)
  })

  it('counts null as an answer, apart from what is said', async () => {
    const spec: Spec = { ...(await plan(row({}))), mustCite: null, tone: 'warm', multiLabel: true }
    const scored = scoreRow(row({ mustCite: null, tone: 'gentle', multiLabel: false }), spec)
    expect(scored.scores).toEqual({ mustCite: 1, tone: 1, multiLabel: 0 })
    expect(scored.stated).toEqual(['multiLabel', 'tone'])
    expect(summarise([scored])).toMatchObject({ mean: 2 / 3, stated: 1 / 2, falseDeclines: [] })
  })

  it('names false declines', async () => {
    const decline = { kind: 'unsafe', reason: 'x', alternative: 'y' } as const
    const spec: Spec = { ...(await plan(row({}))), decline }
    expect(summarise([scoreRow(row({ decline: null }), spec)]).falseDeclines).toEqual(['one'])
    expect(summarise([scoreRow(row({ decline: 'unsafe: x' }), spec)]).falseDeclines).toEqual([])
  })
})

it('the offline planner keeps its scores on the descriptions kept here', { timeout: 120_000 }, async () => {
  const rows = readFileSync(new URL('own.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => Row.parse(JSON.parse(line)))
  expect(rows.length).toBeGreaterThanOrEqual(262)
  const summary = summarise(await Promise.all(rows.map(async (one) => scoreRow(one, await plan(one)))))
  expect(summary.falseDeclines).toEqual([])
  expect(summary.byField.task!.mean).toBeGreaterThanOrEqual(0.985)
  expect(summary.byField.language!.mean).toBeGreaterThanOrEqual(0.985)
  expect(summary.byField.decline!.mean).toBe(1)
  expect(summary.mean).toBeGreaterThanOrEqual(0.96)
  expect(summary.stated).toBeGreaterThanOrEqual(0.9)
  expect(summary.byField.domain!.mean).toBeGreaterThanOrEqual(0.49)
})
