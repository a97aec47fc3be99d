import { parse } from 'csv-parse/sync'
import { expect, it } from 'vitest'
import { earningsCsv, earningsExport, type QueryPaid } from './earnings.ts'
import type { Id } from './id.ts'
import type { Hex } from './listing.ts'
import type { Receipt } from './receipt.ts'

const hex = (digit: string, length: number): Hex => `0x${digit.repeat(length)}`
const builder = hex('b', 40)
const model = hex('1', 64)
const paid = (place: number, more: Partial<QueryPaid> = {}): QueryPaid => ({
  ...{ modelId: model, payer: hex('a', 40), builder, amount: 10n ** 16n + BigInt(place), requestHash: hex(String(place), 64) },
  ...{ nonce: hex(String(place), 64), tx: hex('c', 64), block: 7 },
  ...more,
})
const receipt = ({ modelId, payer, builder, amount, requestHash, nonce, tx, block }: QueryPaid, at: number, version = hex('d', 64)): Receipt => ({
  ...{ modelId, model: 'clauses', packageId: version as Id, requestHash: requestHash as Id, responseHash: hex('e', 64) as Id },
  ...{ tx, block, amount: String(amount), payer, builder, nonce, sources: [], at },
})
const models = [
  { modelId: model, name: 'clauses' },
  { modelId: null, name: 'draft' },
]
const noon = Date.UTC(2026, 10, 25, 12)

it('adds up to the last atomic unit, by day, model and version, and shows a payment of which it has no receipt', () => {
  const events = [paid(1), paid(2), paid(3), paid(4), paid(5, { builder: hex('9', 40) })]
  const receipts = [receipt(events[0]!, noon), receipt(events[1]!, noon + 1), receipt(events[2]!, noon + 86_400_000, hex('f', 64))]
  const made = earningsExport(builder, { paid: events, receipts, models })
  // The payment to somebody else is none of theirs.
  expect(made.queries).toBe(4)
  expect(made.total.atomic).toBe(String(4n * 10n ** 16n + 10n))
  expect(made.days.map(({ day, queries, earned }) => [day, queries, earned.atomic])).toEqual([
    ['2026-11-26', 1, String(10n ** 16n + 3n)],
    ['2026-11-25', 2, String(2n * 10n ** 16n + 3n)],
    [null, 1, String(10n ** 16n + 4n)],
  ])
  expect(made.payments[0]).toMatchObject({ version: hex('d', 64), passport: expect.stringContaining(`request=${events[0]!.requestHash}`) })
  expect(made.payments[3]).toMatchObject({ at: null, version: null, passport: null, model: 'clauses' })
})

it('tells payments in one transaction apart, also of two payers who ask the same', () => {
  const events = [paid(1), paid(2), paid(3, { requestHash: hex('2', 64), payer: hex('8', 40) })]
  const made = earningsExport(builder, { paid: events, receipts: [receipt(events[1]!, noon), receipt(events[2]!, noon + 5)], models })
  expect(made.payments.map(({ at }) => at)).toEqual([null, noon, noon + 5])
  const { nonce: _, ...old } = receipt(events[0]!, noon)
  expect(earningsExport(builder, { paid: [events[0]!], receipts: [old], models }).payments[0]!.at).toBe(noon)
})

it('is CSV that a reader reads back, in which no name becomes a formula', () => {
  const hostile = '=HYPERLINK("http://x","y"),\n1'
  const made = earningsExport(builder, { paid: [paid(1)], receipts: [], models: [{ modelId: model, name: hostile }] })
  const rows = parse(earningsCsv(made)) as string[][]
  expect(rows).toHaveLength(2)
  expect(rows[1]![1]).toBe(`'${hostile}`)
  expect(rows[1]![4]).toBe(String(10n ** 16n + 1n))
})

it('counts of a shared payment what is the builder’s, and of a stranger’s nothing', () => {
  const payout = `0x${'5'.repeat(40)}` as const
  const shared = { ...paid(1), builder: payout }
  const part = (payee: string, sum: bigint) => (payee === builder ? sum : payee === payout ? (sum * 2n) / 3n : undefined)
  const made = earningsExport(builder, { paid: [paid(2), shared, { ...paid(3), builder: `0x${'6'.repeat(40)}` }], receipts: [], models }, part)
  const theirs = (shared.amount * 2n) / 3n
  expect(made.payments.map(({ builder: payee, amount, yours }) => [payee, amount.atomic, yours.atomic])).toEqual([
    [builder, `${paid(2).amount}`, `${paid(2).amount}`],
    [payout, `${shared.amount}`, `${theirs}`],
  ])
  expect(made.total.atomic).toBe(`${paid(2).amount + theirs}`)
  expect(made.days.reduce((sum, { earned }) => sum + BigInt(earned.atomic), 0n)).toBe(paid(2).amount + theirs)
  const [head, ...rows] = parse(earningsCsv(made)) as string[][]
  expect(rows.map((row) => row[head!.indexOf('yours_atomic')])).toEqual(made.payments.map(({ yours }) => yours.atomic))
})
