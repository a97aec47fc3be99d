/**
 * What every Chain must do. Knows nothing of where it runs; `open` gives one with two accounts that can register models, and
 * whose faucet works.
 */
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal, type Refusal } from '../core/errors.ts'
import { hashText } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import { bountiesSuite } from './bounties.suite.ts'
import type { Authorization, Chain } from './chain.ts'
import type { Account } from './keystore.ts'

const price = 10n ** 16n
const types = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const
type Signer = Pick<ReturnType<typeof privateKeyToAccount>, 'address' | 'signTypedData'>
type Message = Omit<Authorization, 'signature'>

/** An authorization as a wallet signs it; `domain` and `signer` are for forging. */
export async function authorize(
  chain: Chain,
  payer: Signer,
  to: Address,
  patch: Partial<Message> & { chainId?: number; signer?: Signer } = {},
): Promise<Authorization> {
  const { chainId = chain.network.chainId, signer = payer, ...values } = patch
  const now = BigInt(Math.floor(Date.now() / 1000))
  const message: Message = { from: payer.address, to, value: price, validAfter: now - 600n, validBefore: now + 600n, nonce: generatePrivateKey(), ...values }
  const domain = { ...chain.token, chainId, verifyingContract: chain.contracts.token }
  return { ...message, signature: await signer.signTypedData({ domain, types, primaryType: 'TransferWithAuthorization', message }) }
}

export function chainSuite(name: string, open: () => Promise<{ chain: Chain; owner: Account; other: Account; close(): Promise<void> }>): void {
  describe(`chain: ${name}`, () => {
    let chain: Chain
    let owner: Account
    let other: Account
    let close: () => Promise<void>
    let modelId: Hex
    const payer = privateKeyToAccount(generatePrivateKey())
    /** Models are paid at an address of their own, so that balances are the royalties and nothing else. */
    const payout = privateKeyToAccount(generatePrivateKey())
    const requestHash = hashText('request')

    beforeAll(async () => {
      const opened = await open()
      ;({ chain, owner, other, close } = opened)
      const registered = await chain.register({ owner, slug: 'hearts', payout: payout.address, price })
      if (isRefusal(registered)) throw new Error(registered.message)
      modelId = registered.modelId
      const funded = await chain.fund(payer.address, 100n * price)
      if (isRefusal(funded)) throw new Error(funded.message)
    })
    afterAll(() => close())

    it('says which block is its newest, and who pays the gas', async () => {
      const { block, at, relayers } = await chain.pulse()
      expect(block).toBeGreaterThanOrEqual(await chain.finalBlock())
      expect(block).toBeGreaterThan(0)
      expect(Math.abs(at - Date.now() / 1000)).toBeLessThan(3600)
      for (const { address, native } of relayers) expect(native).toBe((await chain.balance(address)).native)
    })

    it('registers a name once for each owner', async () => {
      expect(await chain.register({ owner, slug: 'hearts', payout: payout.address, price })).toEqual({ modelId, tx: null })
      const elsewhere = await chain.register({ owner: other, slug: 'hearts', payout: other.address, price })
      expect(elsewhere).toMatchObject({ tx: expect.stringMatching(/^0x[0-9a-f]{64}$/) })
      expect((elsewhere as { modelId: Hex }).modelId).not.toBe(modelId)
      expect(await chain.listing(modelId)).toMatchObject({ modelId, owner: owner.address, payout: payout.address, price, version: 0, retired: false })
      expect(await chain.listing(hashText('no model'))).toBeUndefined()
    })

    it('refuses prices that are no prices', async () => {
      for (const wrong of [0n, -1n, 2n ** 96n, 10n ** 48n]) {
        expect(await chain.register({ owner, slug: `price ${wrong}`, payout: owner.address, price: wrong })).toMatchObject({ code: 'price_out_of_range' })
        expect(await chain.setPrice({ owner, modelId, price: wrong })).toMatchObject({ code: 'price_out_of_range' })
      }
      const nobody: Address = `0x${'00'.repeat(20)}`
      expect(await chain.register({ owner, slug: 'nobody', payout: nobody, price })).toMatchObject({ code: 'payout_missing' })
    })

    it("publishes versions and cuts prices for the owner alone, and lets no price rise under a payer's pen", async () => {
      const slug = 'versions'
      const registered = await chain.register({ owner, slug, payout: payout.address, price })
      const own = (registered as { modelId: Hex }).modelId
      const version = { modelId: own, packageId: hashText('package'), reportId: hashText('report') }
      expect(await chain.publishVersion({ owner: other, ...version })).toMatchObject({ code: 'not_owner' })
      expect(await chain.publishVersion({ owner, ...version })).toMatchObject({ version: 1 })
      expect(await chain.publishVersion({ owner, ...version, packageId: hashText('package 2') })).toMatchObject({ version: 2 })
      expect(await chain.setPrice({ owner: other, modelId: own, price: 1n })).toMatchObject({ code: 'not_owner' })
      expect(await chain.setPrice({ owner, modelId: own, price: price / 2n })).toMatchObject({ tx: expect.any(String) })
      expect(await chain.setPrice({ owner, modelId: own, price: price * 2n })).toMatchObject({ tx: expect.any(String) })
      expect(await chain.listing(own)).toMatchObject({ price: price / 2n, version: 2, packageId: hashText('package 2'), reportId: hashText('report') })
      expect(await chain.publishVersion({ owner, ...version, modelId: hashText('no model') })).toMatchObject({ code: 'model_unknown' })
    })

    it('fixes an exam once, counts every attempt at it, and both for the owner alone', async () => {
      const registered = await chain.register({ owner, slug: 'examined', payout: payout.address, price })
      const own = (registered as { modelId: Hex }).modelId
      const examRoot = hashText('the cases')
      expect(await chain.exam(own, examRoot)).toBeUndefined()
      expect(await chain.recordAttempt({ owner, modelId: own, examRoot })).toMatchObject({ code: 'exam_not_committed' })
      expect(await chain.commitExam({ owner: other, modelId: own, examRoot })).toMatchObject({ code: 'not_owner' })
      expect(await chain.commitExam({ owner, modelId: own, examRoot: `0x${'00'.repeat(32)}` })).toMatchObject({ code: 'hash_missing' })
      expect(await chain.commitExam({ owner, modelId: own, examRoot })).toMatchObject({ tx: expect.stringMatching(/^0x[0-9a-f]{64}$/) })
      const committed = await chain.exam(own, examRoot)
      expect(committed).toEqual({ committedAt: expect.any(Number), attempts: 0 })
      expect(Math.abs(committed!.committedAt - Date.now() / 1000)).toBeLessThan(3600)
      expect(await chain.recordAttempt({ owner, modelId: own, examRoot })).toMatchObject({ attempts: 1 })
      expect(await chain.recordAttempt({ owner, modelId: own, examRoot })).toMatchObject({ attempts: 2 })
      expect(await chain.recordAttempt({ owner: other, modelId: own, examRoot })).toMatchObject({ code: 'not_owner' })
      // To commit it again neither moves its date nor forgets its attempts.
      expect(await chain.commitExam({ owner, modelId: own, examRoot })).toEqual({ tx: null })
      expect(await chain.exam(own, examRoot)).toEqual({ ...committed, attempts: 2 })
      // Another exam of the model, and the same exam of another model, stand for themselves.
      expect(await chain.exam(own, hashText('other cases'))).toBeUndefined()
      expect(await chain.exam(modelId, examRoot)).toBeUndefined()
    })

    it('turns OPEN back into the coin it wraps, no more than is held, and only the owner’s', async () => {
      await chain.fund(owner.address, 10n ** 18n)
      const before = await chain.balance(owner.address)
      const others = await chain.balance(other.address)
      for (const amount of [0n, -1n, before.open + 1n]) expect(await chain.unwrap({ owner, amount })).toMatchObject({ code: 'amount_out_of_range' })
      expect(await chain.balance(owner.address)).toEqual(before)
      expect(await chain.unwrap({ owner, amount: 10n ** 18n })).toMatchObject({ tx: expect.stringMatching(/^0x[0-9a-f]{64}$/) })
      const after = await chain.balance(owner.address)
      expect(after.open).toBe(before.open - 10n ** 18n)
      // The gas of the transaction is all that is lost.
      expect(after.native - before.native).toBeLessThanOrEqual(10n ** 18n)
      expect(after.native - before.native).toBeGreaterThan(9n * 10n ** 17n)
      expect((await chain.balance(other.address)).open).toBe(others.open)
    })

    it('gives test OPEN exactly, and none where none was asked for', async () => {
      const { address } = privateKeyToAccount(generatePrivateKey())
      await chain.fund(address, 123n)
      expect((await chain.balance(address)).open).toBe(123n)
      expect(await chain.fund(address, 0n)).toMatchObject({ code: 'amount_out_of_range' })
      expect(await chain.fund(address, -5n)).toMatchObject({ code: 'amount_out_of_range' })
      expect((await chain.balance(address)).open).toBe(123n)
    })

    it('moves the whole price from the payer to the builder once, however often it is asked', async () => {
      const authorization = await authorize(chain, payer, payout.address)
      expect(await chain.settlement(authorization)).toBeUndefined()
      const before = [(await chain.balance(payer.address)).open, (await chain.balance(payout.address)).open]
      const asked = await Promise.all(Array.from({ length: 4 }, () => chain.settle({ modelId, requestHash, authorization })))
      const settled = {
        status: 'settled',
        payer: payer.address,
        builder: payout.address,
        amount: price,
        modelId,
        tx: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      }
      for (const settlement of asked) expect(settlement).toEqual({ ...asked[0], ...settled })
      // The same authorization as a client that lower-cases everything sends it.
      const lower = { ...authorization, from: payer.address.toLowerCase() as Address, to: payout.address.toLowerCase() as Address }
      expect(await chain.settle({ modelId, requestHash, authorization: lower })).toEqual(asked[0])
      expect(await chain.settlement(authorization)).toEqual(asked[0])
      expect([(await chain.balance(payer.address)).open, (await chain.balance(payout.address)).open]).toEqual([before[0]! - price, before[1]! + price])
      const events = (await chain.queriesPaid({ modelId })).filter(({ nonce }) => nonce === authorization.nonce)
      expect(events).toEqual([
        {
          modelId,
          payer: payer.address,
          builder: payout.address,
          amount: price,
          requestHash,
          nonce: authorization.nonce,
          tx: (asked[0] as { tx: Hex }).tx,
          block: expect.any(Number),
        },
      ])
    })

    it('settles many at once, and the events add up to the royalties', async () => {
      const before = (await chain.balance(payout.address)).open
      const known = (await chain.queriesPaid({ builder: payout.address })).length
      const authorizations = await Promise.all(Array.from({ length: 12 }, () => authorize(chain, payer, payout.address)))
      const settlements = await Promise.all(authorizations.map((authorization) => chain.settle({ modelId, requestHash, authorization })))
      expect(settlements.map(({ status }) => status)).toEqual(Array(12).fill('settled'))
      const events = (await chain.queriesPaid({ builder: payout.address })).slice(known)
      expect(new Set(events.map(({ nonce }) => nonce))).toEqual(new Set(authorizations.map(({ nonce }) => nonce)))
      expect(events.reduce((sum, { amount }) => sum + amount, 0n)).toBe((await chain.balance(payout.address)).open - before)
      const last = events.at(-1)!.block
      expect((await chain.queriesPaid({ fromBlock: last })).every(({ block }) => block >= last)).toBe(true)
      expect(await chain.queriesPaid({ fromBlock: last + 1 })).toEqual([])
    })

    it('pays several people by their shares, to the last unit, and again the owner alone', async () => {
      const registered = await chain.register({ owner, slug: 'shared', payout: owner.address, price })
      const own = (registered as { modelId: Hex }).modelId
      const [one, two] = [generatePrivateKey(), generatePrivateKey()].map((key) => privateKeyToAccount(key).address) as [Address, Address]
      const holders = [
        { recipient: one, shares: 70n },
        { recipient: two, shares: 29n },
        { recipient: owner.address, shares: 1n },
      ]
      for (const [wrong, code] of [
        [[{ recipient: one, shares: 0n }], 'share_out_of_range'],
        [[holders[0]!, holders[0]!], 'recipient_twice'],
        [[{ recipient: `0x${'00'.repeat(20)}` as Address, shares: 1n }], 'recipient_invalid'],
        [[{ recipient: '0x12' as Address, shares: 1n }], 'recipient_invalid'],
        // One letter of an address in the wrong case: a slip that its capitals tell.
        [[{ recipient: `0x${'0'.repeat(32)}C0ffee42`, shares: 1n }], 'recipient_invalid'],
      ] as const)
        expect(await chain.share({ owner, modelId: own, holders: wrong })).toMatchObject({ code })
      expect(await chain.share({ owner: other, modelId: own, holders })).toMatchObject({ code: 'not_owner' })
      expect(await chain.share({ owner, modelId: hashText('no model'), holders })).toMatchObject({ code: 'model_unknown' })
      expect((await chain.listing(own))!.payout).toBe(owner.address)
      expect(await chain.share({ owner, modelId: own, holders: [] })).toEqual({ payout: owner.address, tx: null })

      const shared = await chain.share({ owner, modelId: own, holders })
      if (isRefusal(shared)) throw new Error(shared.message)
      const { payout: together } = shared
      // Whoever names the same people with the same shares, in whatever order, gets the same address.
      expect(await chain.share({ owner, modelId: own, holders: holders.toReversed() })).toEqual({ payout: together, tx: null })
      expect((await chain.listing(own))!.payout).toBe(together)
      const sorted = holders.toSorted((left, right) => (BigInt(left.recipient) < BigInt(right.recipient) ? -1 : 1))
      expect(await chain.holders(together)).toEqual(sorted)
      for (const stranger of [owner.address, chain.contracts.token, chain.contracts.router]) expect(await chain.holders(stranger)).toBeUndefined()

      const stale = await authorize(chain, payer, owner.address)
      expect(await chain.settle({ modelId: own, requestHash, authorization: stale })).toMatchObject({ status: 'refused', code: 'wrong_payee' })
      expect(await chain.distribute({ payout: together, by: other })).toMatchObject({ code: 'nothing_gathered' })
      const paid = await chain.settle({ modelId: own, requestHash, authorization: await authorize(chain, payer, together) })
      expect(paid).toMatchObject({ status: 'settled', builder: together, amount: price })
      const before = (await chain.balance(owner.address)).open
      expect(await chain.distribute({ payout: together, by: other })).toMatchObject({ amount: price, tx: expect.stringMatching(/^0x[0-9a-f]{64}$/) })
      expect((await chain.balance(together)).open).toBe(0n)
      expect((await chain.balance(one)).open).toBe((price * 70n) / 100n)
      expect((await chain.balance(two)).open).toBe((price * 29n) / 100n)
      expect((await chain.balance(owner.address)).open - before).toBe(price / 100n)
      expect(await chain.distribute({ payout: owner.address, by: other })).toMatchObject({ code: 'payout_not_shared' })

      const alone = await chain.share({ owner, modelId: own, holders: [] })
      expect(alone).toMatchObject({ payout: owner.address, tx: expect.any(String) })
      expect((await chain.listing(own))!.payout).toBe(owner.address)
      const told = (await chain.marketEvents({ fromBlock: 0, toBlock: await chain.finalBlock() })).filter(
        (event) => event.kind === 'payout' && event.modelId === own,
      )
      // A chain with confirmations tells later what is not final yet.
      expect(told.map((event) => event.kind === 'payout' && event.payout)).toEqual([together, owner.address].slice(0, told.length))
    })

    it('tells the market what happened, in order: registration, exam, version, price, payment', async () => {
      const given = <Value>(value: Value | Refusal): Value => {
        if (isRefusal(value)) throw new Error(value.message)
        return value
      }
      const { modelId: sold } = given(await chain.register({ owner: other, slug: 'events', payout: payout.address, price: 2n * price }))
      const [examRoot, packageId, reportId] = [hashText('events root'), hashText('events package'), hashText('events report')]
      given(await chain.commitExam({ owner: other, modelId: sold, examRoot }))
      given(await chain.recordAttempt({ owner: other, modelId: sold, examRoot }))
      given(await chain.publishVersion({ owner: other, modelId: sold, packageId, reportId }))
      given(await chain.setPrice({ owner: other, modelId: sold, price }))
      given(await chain.setPrice({ owner: other, modelId: sold, price: 3n * price }))
      const paid = await chain.settle({ modelId: sold, requestHash, authorization: await authorize(chain, payer, payout.address) })
      if (paid.status !== 'settled') throw new Error(JSON.stringify(paid))
      const own = (await chain.marketEvents({ fromBlock: 0, toBlock: paid.block })).filter((event) => 'modelId' in event && event.modelId === sold)
      expect(own).toMatchObject([
        { kind: 'registered', owner: other.address, payout: payout.address, price: 2n * price },
        { kind: 'exam', examRoot },
        { kind: 'attempt', examRoot, attempts: 1 },
        { kind: 'version', version: 1, packageId, reportId },
        { kind: 'price', price },
        { kind: 'price-rise', price: 3n * price },
        { kind: 'paid', payer: payer.address, builder: payout.address, amount: price, block: paid.block },
      ])
      for (const event of own) expect(Math.abs(event.at - Date.now() / 1000)).toBeLessThan(7200)
      const [first] = own
      expect(await chain.marketEvents({ fromBlock: first!.block, toBlock: first!.block })).toContainEqual(first)
      expect(await chain.marketEvents({ fromBlock: first!.block, toBlock: paid.block - 1 })).not.toContainEqual(own.at(-1))
      // What pays for a query is no gift: no event says that the payer gave the builder money.
      const gifts = (await chain.marketEvents({ fromBlock: first!.block, toBlock: paid.block })).filter(({ kind }) => kind === 'funded')
      expect(gifts.filter((event) => event.kind === 'funded' && event.from === payer.address)).toEqual([])
    })

    it('tells each of many at once what became of it: the bad are refused, the good are paid', async () => {
      const [stranger, short] = [privateKeyToAccount(generatePrivateKey()), privateKeyToAccount(generatePrivateKey())]
      await chain.fund(short.address, price)
      const spent = await authorize(chain, payer, payout.address)
      expect(await chain.settle({ modelId, requestHash, authorization: spent })).toMatchObject({ status: 'settled' })
      const before = (await chain.balance(payout.address)).open
      const now = BigInt(Math.floor(Date.now() / 1000))
      const to = payout.address
      const rows: [outcome: string, authorization: Authorization][] = [
        ['settled', await authorize(chain, payer, to)],
        ['insufficient_open', await authorize(chain, stranger, to)],
        ['settled', await authorize(chain, payer, to)],
        ['signature_invalid', await authorize(chain, payer, to, { signer: stranger })],
        ['wrong_amount', await authorize(chain, payer, to, { value: price + 1n })],
        ['settled', spent],
        ['authorization_expired', await authorize(chain, payer, to, { validBefore: now - 1n })],
        ['wrong_payee', await authorize(chain, payer, stranger.address)],
        ['settled', await authorize(chain, payer, to)],
      ]
      const asked = await Promise.all(rows.map(([, authorization]) => chain.settle({ modelId, requestHash, authorization })))
      expect(asked.map((settlement) => (settlement.status === 'refused' ? settlement.code : settlement.status))).toEqual(rows.map(([outcome]) => outcome))
      expect((await chain.balance(payout.address)).open).toBe(before + 3n * price)

      // Each alone is good; the wallet holds enough for one of them.
      const three = await Promise.all(Array.from({ length: 3 }, () => authorize(chain, short, to)))
      const outcomes = await Promise.all(three.map((authorization) => chain.settle({ modelId, requestHash, authorization })))
      expect(outcomes.map((settlement) => (settlement.status === 'refused' ? settlement.code : settlement.status)).sort()).toEqual([
        'insufficient_open',
        'insufficient_open',
        'settled',
      ])
      expect((await chain.balance(payout.address)).open).toBe(before + 4n * price)
      expect((await chain.balance(short.address)).open).toBe(0n)
    })

    it('refuses what is no payment, in a sentence, and moves nothing', async () => {
      const stranger = privateKeyToAccount(generatePrivateKey())
      const now = BigInt(Math.floor(Date.now() / 1000))
      const before = [(await chain.balance(payer.address)).open, (await chain.balance(payout.address)).open]
      const to = payout.address
      const good = await authorize(chain, payer, to)
      const cases: [code: string, authorization: Authorization, modelId?: Hex][] = [
        ['authorization_expired', await authorize(chain, payer, to, { validBefore: now - 1n })],
        ['authorization_not_yet_valid', await authorize(chain, payer, to, { validAfter: now + 300n })],
        ['wrong_amount', await authorize(chain, payer, to, { value: price - 1n })],
        ['wrong_amount', await authorize(chain, payer, to, { value: price + 1n })],
        ['insufficient_open', await authorize(chain, stranger, to)],
        ['signature_invalid', await authorize(chain, payer, to, { signer: stranger })],
        ['signature_invalid', await authorize(chain, payer, to, { chainId: 1 })],
        ['signature_invalid', { ...good, validBefore: good.validBefore + 1n }],
        ['signature_invalid', { ...good, signature: '0x' }],
        ['wrong_payee', await authorize(chain, payer, stranger.address)],
        ['payer_is_builder', await authorize(chain, payout, to)],
        ['model_unknown', good, hashText('no model')],
        ['authorization_malformed', { ...good, nonce: '0x12' }],
        ['authorization_malformed', { ...good, signature: 'not hex' as Hex }],
        ['authorization_malformed', { ...good, from: '0x1' }],
        ['authorization_malformed', { ...good, value: 2n ** 256n }],
      ]
      for (const [code, authorization, model = modelId] of cases) {
        const settlement = await chain.settle({ modelId: model, requestHash, authorization })
        expect(settlement).toMatchObject({ status: 'refused', code })
        expect((settlement as { message: string }).message).toMatch(/^[A-Z].{10,}\.$/)
      }
      expect([(await chain.balance(payer.address)).open, (await chain.balance(payout.address)).open]).toEqual(before)
      // What was refused for another reason can still be used.
      expect(await chain.settle({ modelId, requestHash, authorization: good })).toMatchObject({ status: 'settled' })
    })

    bountiesSuite(() => ({ chain, owner, other }))
  })
}
