/** Totals over blocks that stay and blocks that go. */
import { expect, it } from 'vitest'
import type { QueryPaid } from '../core/earnings.ts'
import { hashText } from '../core/id.ts'
import type { Address } from '../core/listing.ts'
import { openTally } from './tally.ts'

const builder: Address = `0x${'Bb'.repeat(20)}`
const event = (block: number, amount: bigint, patch: Partial<QueryPaid> = {}): QueryPaid => ({
  ...{
    modelId: hashText('heart'),
    payer: builder,
    builder,
    amount,
    requestHash: hashText('q'),
    nonce: hashText(`${block} ${amount}`),
    tx: hashText('tx'),
    block,
  },
  ...patch,
})

it('counts each event once, whatever becomes final meanwhile, and forgets what is reorganised away', async () => {
  let events: QueryPaid[] = []
  let final = -1
  const asked: number[] = []
  const tally = openTally({
    finalBlock: async () => final,
    queriesPaid: async ({ fromBlock = 0 } = {}) => {
      asked.push(fromBlock)
      return events.filter(({ block }) => block >= fromBlock)
    },
  })
  expect(await tally()).toEqual([])
  events = [event(1, 5n), event(2, 7n), event(3, 11n, { builder: `0x${'bb'.repeat(20)}` })]
  final = 1
  expect(await tally()).toMatchObject([{ queries: 3, amount: 23n }])
  expect(await tally()).toMatchObject([{ queries: 3, amount: 23n }])
  events = [event(1, 5n), event(3, 13n), event(4, 17n, { modelId: hashText('lung') })]
  const [one, two] = await Promise.all([tally(), tally()])
  expect(two).toEqual(one)
  expect(one).toMatchObject([
    { queries: 2, amount: 18n },
    { queries: 1, amount: 17n },
  ])
  final = 4
  expect(await tally()).toEqual(one)
  expect(await tally()).toEqual(one)
  expect(asked).toEqual([0, 0, 2, 2, 2, 2, 5])
})
