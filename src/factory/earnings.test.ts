/** What several people earn together: divided on the chain, counted by part, and still known after the model is paid elsewhere or the process began anew. */
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { beforeEach, describe, expect, it } from 'vitest'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { hashText } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import { memoryChain } from '../drivers/chain/memory.ts'
import { openDatabase } from '../drivers/database/pglite.ts'
import { authorize } from '../ports/chain.suite.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database, Model } from '../ports/database.ts'
import { type Earnings, openEarnings } from './earnings.ts'
import { openTally } from './tally.ts'

const PRICE = 10n ** 16n + 1n
const builder = { name: 'builder', address: privateKeyToAccount(generatePrivateKey()).address }
const friend = privateKeyToAccount(generatePrivateKey()).address
const payer = privateKeyToAccount(generatePrivateKey())

let chain: Chain
let database: Database
let modelId: Hex
let earnings: Earnings

const opened = (): Promise<Earnings> =>
  openEarnings(
    { chain, database },
    {
      builder,
      paidSoFar: openTally(chain),
      find: async (name): Promise<Model | Refusal> =>
        (await database.models.get(name)) ?? refuse('unknown_model', `There is no model "${name}" here.`, 'None.'),
    },
  )
async function pay(to: Address): Promise<void> {
  const settled = await chain.settle({ modelId, requestHash: hashText('asked'), authorization: await authorize(chain, payer, to, { value: PRICE }) })
  expect(settled).toMatchObject({ status: 'settled', builder: to })
}
const given = <Value>(value: Value | Refusal): Value => {
  if (isRefusal(value)) throw new Error(value.message)
  return value
}
const seventyThirty = [
  { recipient: builder.address, shares: 70n },
  { recipient: friend, shares: 30n },
]

beforeEach(async () => {
  chain = memoryChain()
  database = await openDatabase({ folder: null })
  ;({ modelId } = given(await chain.register({ owner: builder, slug: 'hearts', payout: builder.address, price: PRICE })))
  const model = { name: 'hearts', packageId: hashText('package'), publishTx: null, abstention: 'free', createdAt: 1, updatedAt: 1 } as const
  await database.models.put({ ...model, modelId, price: PRICE })
  await database.models.put({ ...model, name: 'draft', modelId: null, price: null })
  await chain.fund(payer.address, 100n * PRICE)
  earnings = await opened()
})

describe('earnings of several people', () => {
  it('are the builder’s alone at first, and divided when they say so', async () => {
    expect(given(await earnings.shares.show('hearts'))).toMatchObject({ payout: builder.address, holders: [], gathered: { atomic: '0' } })
    await pay(builder.address)
    const shared = given(await earnings.shares.set('hearts', seventyThirty))
    expect(shared.payout).not.toBe(builder.address)
    expect(new Set(shared.holders.map(({ recipient, shares, yours }) => `${recipient} ${shares} ${yours}`))).toEqual(
      new Set([`${builder.address} 70 true`, `${friend} 30 false`]),
    )
    expect(earnings.payoutOf(modelId)).toBe(shared.payout)
    await pay(shared.payout as Address)
    const whole = PRICE + (PRICE * 70n) / 100n
    expect(await earnings.view()).toMatchObject({
      total: { atomic: `${whole}` },
      balance: { atomic: `${PRICE}` },
      models: [{ name: 'hearts', queries: 2, earned: { atomic: `${whole}` } }],
    })
    const exported = await earnings.export()
    expect(exported).toMatchObject({ queries: 2, total: { atomic: `${whole}` } })
    expect(exported.payments.map(({ amount, yours }) => [amount.atomic, yours.atomic])).toEqual([
      [`${PRICE}`, `${PRICE}`],
      [`${PRICE}`, `${(PRICE * 70n) / 100n}`],
    ])

    expect(given(await earnings.shares.show('hearts')).gathered.atomic).toBe(`${PRICE}`)
    expect(given(await earnings.shares.send('hearts')).sent).toMatchObject([{ payout: shared.payout, amount: { atomic: `${PRICE}` } }])
    const [mine, theirs] = [(await chain.balance(builder.address)).open - PRICE, (await chain.balance(friend)).open]
    expect(mine + theirs).toBe(PRICE)
    expect(theirs).toBeGreaterThanOrEqual((PRICE * 30n) / 100n)
    expect(await earnings.shares.send('hearts')).toMatchObject({ code: 'nothing_gathered' })
  })

  it('stay in the count, and can be sent on, when the model is paid elsewhere later and the process began anew', async () => {
    const first = given(await earnings.shares.set('hearts', seventyThirty)).payout as Address
    await pay(first)
    expect(given(await earnings.shares.set('hearts', [])).payout).toBe(builder.address)
    await pay(builder.address)
    earnings = await opened()
    expect(earnings.payees()).toEqual([builder.address, first])
    expect((await earnings.view()).total.atomic).toBe(`${PRICE + (PRICE * 70n) / 100n}`)
    expect((await earnings.export()).payments.map(({ builder: payee }) => payee)).toEqual([first, builder.address])
    expect(given(await earnings.shares.show('hearts'))).toMatchObject({ payout: builder.address, holders: [], gathered: { atomic: `${PRICE}` } })
    expect(given(await earnings.shares.send('hearts')).sent).toHaveLength(1)
  })

  it('are found on the chain when the process died before it wrote down whom it had named', async () => {
    const { payout } = given(await chain.share({ owner: builder, modelId, holders: seventyThirty }))
    earnings = await opened()
    expect(earnings.payees()).toEqual([builder.address, payout])
    expect(earnings.payoutOf(modelId)).toBe(payout)
  })

  it('are refused where nobody can be paid, in a sentence, and change nothing', async () => {
    for (const [name, holders, code] of [
      ['nothing', seventyThirty, 'unknown_model'],
      ['draft', seventyThirty, 'not_published'],
      ['hearts', [{ recipient: friend, shares: 0n }], 'share_out_of_range'],
      ['hearts', [...seventyThirty, ...seventyThirty], 'recipient_twice'],
    ] as const)
      expect(await earnings.shares.set(name, holders)).toMatchObject({ code })
    expect((await chain.listing(modelId))!.payout).toBe(builder.address)
    expect(await earnings.shares.send('draft')).toMatchObject({ code: 'not_published' })
  })

  it('do without a chain that does not answer, as far as they are known', async () => {
    const first = given(await earnings.shares.set('hearts', seventyThirty)).payout as Address
    const silent = { ...chain, listing: () => Promise.reject(new Error('no answer')) }
    const again = await openEarnings({ chain: silent, database }, { builder, paidSoFar: openTally(chain), find: async () => refuse('x', 'y', 'z') })
    expect(again.payees()).toEqual([builder.address, first])
  })
})
