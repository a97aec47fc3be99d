/** What every Database must do. Knows nothing of where the records are kept; `open` gives an empty one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashText } from '../core/id.ts'
import type { Receipt } from '../core/receipt.ts'
import type { Build, Database, Model, Payment } from './database.ts'

const id = hashText
const address = (digit: string): `0x${string}` => `0x${digit.repeat(40)}`
/** Larger than any float or 64-bit integer holds exactly. */
const huge = 2n ** 256n - 1n

const build = (patch: Partial<Build> = {}): Build => ({
  id: 'build-1',
  name: 'hearts',
  words: 'Answer "questions" – ñ 心 \u0000 \ud800 from these pages',
  folder: '/data/builds/1',
  state: 'queued',
  events: [{ at: 5, arrow: 'describe', text: 'a \u0000 b', data: { loss: [1.5, 0.25], deep: { empty: null } } }],
  packageId: null,
  createdAt: 1_900_000_000_000,
  updatedAt: 1_900_000_000_001,
  ...patch,
})

const model = (patch: Partial<Model> = {}): Model => ({
  name: 'hearts',
  packageId: id('package'),
  modelId: null,
  price: null,
  publishTx: null,
  abstention: 'free',
  createdAt: 10,
  updatedAt: 11,
  ...patch,
})

export const payment = (patch: Partial<Payment> = {}): Payment => ({
  key: `${address('a')}:${id('nonce')}`,
  modelId: id('model'),
  packageId: id('package'),
  requestHash: id('request'),
  payer: address('a'),
  builder: address('b'),
  amount: huge,
  authorization: '{"from":"0xaa"}',
  state: 'reserved',
  answer: null,
  tx: null,
  final: false,
  terms: null,
  identifier: null,
  createdAt: 1,
  updatedAt: 2,
  ...patch,
})

const receipt = (tx: string, patch: Partial<Receipt> = {}): Receipt => ({
  modelId: id('model'),
  model: 'hearts',
  packageId: id('package'),
  requestHash: id('request'),
  responseHash: id('response'),
  tx: id(tx),
  block: 7,
  amount: String(huge),
  payer: address('a'),
  builder: address('b'),
  sources: ['Heart Attack, "Symptoms"'],
  at: 3,
  ...patch,
})

export function databaseSuite(name: string, open: () => Promise<Database>): void {
  describe(`database: ${name}`, () => {
    let database: Database
    beforeAll(async () => {
      database = await open()
    })
    afterAll(() => database.close())

    it('keeps a build exactly and replaces it whole', async () => {
      await database.builds.put(build())
      expect(await database.builds.get('build-1')).toEqual(build())
      const done = build({ state: 'done', packageId: id('package'), events: [], updatedAt: 9 })
      await database.builds.put(done)
      expect(await database.builds.get('build-1')).toEqual(done)
      expect(await database.builds.get('build-\u0000')).toBeUndefined()
      await database.builds.put(build({ id: 'build-0', createdAt: 2_000_000_000_000 }))
      expect((await database.builds.list()).map((entry) => entry.id)).toEqual(['build-0', 'build-1'])
    })

    it('finds a model by name and by model id', async () => {
      await database.models.put(model())
      expect(await database.models.get('hearts')).toEqual(model())
      const published = model({ modelId: id('model'), price: huge, publishTx: id('tx'), abstention: 'paid' })
      await database.models.put(published)
      expect(await database.models.get('hearts')).toEqual(published)
      expect(await database.models.get(id('model'))).toEqual(published)
      expect(await database.models.get('Hearts')).toBeUndefined()
      expect(await database.models.get('a\u0000b')).toBeUndefined()
      expect(await database.models.list()).toEqual([published])
    })

    it('reserves a payment once, however many ask at once', async () => {
      const results = await Promise.all(Array.from({ length: 10 }, (_, index) => database.payments.reserve(payment({ requestHash: id(`request ${index}`) }))))
      expect(results.filter((result) => result.created)).toHaveLength(1)
      const winner = results.find((result) => result.created)!.payment
      for (const result of results) expect(result.payment).toEqual(winner)
      expect(await database.payments.get(payment().key)).toEqual(winner)
    })

    it('moves a payment only from the states named, and one mover wins', async () => {
      const key = payment().key
      expect(await database.payments.move(key, ['sending'], { state: 'settled' })).toBe(false)
      expect(await database.payments.move(key, [], { state: 'settled' })).toBe(false)
      expect(await database.payments.move('absent', ['reserved'], { state: 'settled' })).toBe(false)
      const movers = await Promise.all(
        Array.from({ length: 10 }, (_, index) => database.payments.move(key, ['reserved'], { state: 'sending', answer: `"${index}"` })),
      )
      expect(movers.filter(Boolean)).toHaveLength(1)
      expect(await database.payments.get(key)).toMatchObject({ state: 'sending', answer: `"${movers.indexOf(true)}"`, amount: huge })
      expect(await database.payments.move(key, ['sending', 'unknown'], { state: 'settled', tx: id('tx') })).toBe(true)
      expect(await database.payments.move(key, ['settled'], {})).toBe(true)
      expect(await database.payments.get(key)).toMatchObject({ state: 'settled', tx: id('tx') })
    })

    it('keeps apart what many queries ask at once', async () => {
      const names = Array.from({ length: 20 }, (_, number) => `together ${number}`)
      const reserved = await Promise.all(
        names.map((key, number) => database.payments.reserve(payment({ key, amount: BigInt(number + 1), requestHash: id(key) }))),
      )
      expect(reserved.map(({ created, payment: { key, amount } }) => [created, key, amount])).toEqual(
        names.map((key, number) => [true, key, BigInt(number + 1)]),
      )
      // One that cannot be kept, one that stands already, and one that is new.
      const mixed = await Promise.allSettled(['not\0storable', names[0]!, 'together 20'].map((key) => database.payments.reserve(payment({ key }))))
      expect(mixed.map((one) => (one.status === 'fulfilled' ? one.value.created : 'failed'))).toEqual(['failed', false, true])
      const answer = (number: number) => (number % 3 === 0 ? null : `"answer ${number}, \u0000 \ud800 and 'quotes'"`)
      const moved = await Promise.all(
        [...names, 'absent'].map((key, number) =>
          database.payments.move(key, number % 4 === 0 ? ['sending'] : ['reserved'], {
            state: 'sending',
            answer: answer(number),
            updatedAt: 1_800_000_000_000 + number,
          }),
        ),
      )
      expect(moved).toEqual([...names.map((_, number) => number % 4 !== 0), false])
      const now = await Promise.all([...names, 'absent'].map((key) => database.payments.get(key)))
      expect(now.pop()).toBeUndefined()
      for (const [number, one] of now.entries())
        expect(one).toMatchObject(
          number % 4 === 0
            ? { key: names[number], state: 'reserved', answer: null }
            : { key: names[number], state: 'sending', answer: answer(number), updatedAt: 1_800_000_000_000 + number },
        )
      for (const key of [...names, 'together 20']) await database.payments.remove(key, ['reserved', 'sending'])
    })

    it('removes a reservation but nothing that was charged', async () => {
      const other = payment({ key: 'other' })
      expect(await database.payments.remove(payment().key, ['reserved', 'released'])).toBe(false)
      await database.payments.reserve(other)
      expect((await database.payments.inState(['reserved', 'unknown'])).map((entry) => entry.key)).toEqual(['other'])
      expect(await database.payments.inState([])).toEqual([])
      expect(await database.payments.remove('other', ['reserved'])).toBe(true)
      expect(await database.payments.remove('other', ['reserved'])).toBe(false)
      expect((await database.payments.reserve(other)).created).toBe(true)
    })

    it('keeps one receipt per transaction and request, newest first', async () => {
      await database.receipts.put(receipt('one'))
      await database.receipts.put(receipt('two', { modelId: id('other model') }))
      await database.receipts.put(receipt('one', { at: 99 }))
      await database.receipts.put(receipt('one', { nonce: id('another payer of a batch with the same question') }))
      expect((await database.receipts.list()).map((entry) => [entry.tx, entry.at])).toEqual([
        [id('one'), 3],
        [id('two'), 3],
        [id('one'), 3],
      ])
      expect(await database.receipts.list({ modelId: id('other model') })).toEqual([receipt('two', { modelId: id('other model') })])
      expect((await database.receipts.list({ tx: receipt('one').tx })).map(({ nonce }) => nonce)).toEqual([
        id('another payer of a batch with the same question'),
        receipt('one').nonce,
      ])
      expect(await database.receipts.list({ limit: 1 })).toHaveLength(1)
    })

    it('finds the receipt of one payment, and lets another take its place', async () => {
      const [tx, requestHash, nonce] = [id('five'), id('asked by two'), id('nonce of one')]
      const [one, other] = [receipt('five', { requestHash, nonce }), receipt('five', { requestHash, nonce: id('nonce of the other') })]
      await database.receipts.put(one)
      await database.receipts.put(other)
      expect(await database.receipts.find({ tx, requestHash, nonce })).toEqual(one)
      expect(await database.receipts.find({ tx, requestHash, nonce: id('nobody') })).toBeUndefined()
      // A receipt of the first version, without a nonce.
      expect(await database.receipts.find({ tx: id('two'), requestHash: id('request'), nonce })).toEqual(receipt('two', { modelId: id('other model') }))
      // A payer's own spelling of their nonce is part of the receipt, and no other payment.
      const capitals = `0x${nonce.slice(2).toUpperCase()}` as const
      const spelt = receipt('seven', { requestHash, nonce: capitals, packageId: id('another package') })
      await database.receipts.put(spelt)
      for (const asked of [nonce, capitals]) expect(await database.receipts.find({ tx: id('seven'), requestHash, nonce: asked })).toEqual(spelt)
      const moved = receipt('six', { requestHash, nonce, block: 9 })
      await database.receipts.replace({ tx, requestHash, nonce }, moved)
      expect(await database.receipts.find({ tx, requestHash, nonce })).toBeUndefined()
      expect(await database.receipts.find({ tx: id('six'), requestHash, nonce })).toEqual(moved)
      expect(await database.receipts.find({ tx, requestHash, nonce: other.nonce! })).toEqual(other)
    })

    it("reserves once under a payer's own name, whatever was signed, and each payer has names of their own", async () => {
      const named = (key: string, patch: Partial<Payment> = {}) => payment({ key, identifier: 'order_0123456789', ...patch })
      const tries = await Promise.all([1, 2, 3].map((number) => database.payments.reserve(named(`named ${number}`))))
      expect(tries.filter(({ created }) => created)).toHaveLength(1)
      expect(new Set(tries.map(({ payment: { key } }) => key)).size).toBe(1)
      expect(await database.payments.identified(address('a'), 'order_0123456789')).toEqual(tries[0]!.payment)
      expect((await database.payments.reserve(named('named 4', { payer: address('d') }))).created).toBe(true)
      expect(await database.payments.identified(address('e'), 'order_0123456789')).toBeUndefined()
      expect(await database.payments.identified(address('a'), '\u0000')).toBeUndefined()
    })

    it('lists what is settled and not final', async () => {
      const [first, second] = [payment({ key: 'confirm 1', createdAt: 7 }), payment({ key: 'confirm 2', createdAt: 8, terms: '{"schema":{}}' })]
      for (const one of [second, first]) await database.payments.reserve(one)
      const before = (await database.payments.toConfirm()).map(({ key }) => key)
      for (const { key } of [first, second]) await database.payments.move(key, ['reserved'], { state: 'settled' })
      expect((await database.payments.toConfirm()).filter(({ key }) => !before.includes(key))).toEqual([
        { ...first, state: 'settled' },
        { ...second, state: 'settled' },
      ])
      await database.payments.move(first.key, ['settled'], { final: true })
      expect((await database.payments.toConfirm()).map(({ key }) => key)).not.toContain(first.key)
    })

    it('keeps what the chain paid, in the order of the chain, each event once', async () => {
      const paid = (block: number, place: number, patch: object = {}) => ({
        ...{ modelId: id('model'), payer: address('a'), builder: address('b'), amount: huge, requestHash: id('request'), nonce: id(`${block} ${place}`) },
        ...{ tx: id(`tx ${block}`), block, place, ...patch },
      })
      const shown = ({ place: _, ...event }: ReturnType<typeof paid>) => event
      expect([await database.journal.paidUntil(), await database.journal.paid()]).toEqual([-1, []])
      await database.journal.keepPaid([paid(3, 0), paid(3, 1), paid(5, 0, { modelId: id('other model') })], 6)
      await database.journal.keepPaid([paid(3, 1), paid(9, 1, { builder: address('c') }), paid(9, 0)], 9)
      expect(await database.journal.paidUntil()).toBe(9)
      const all = [paid(3, 0), paid(3, 1), paid(5, 0, { modelId: id('other model') }), paid(9, 0), paid(9, 1, { builder: address('c') })]
      expect(await database.journal.paid()).toEqual(all.map(shown))
      expect(await database.journal.paid({ modelId: id('other model') })).toEqual([shown(all[2]!)])
      expect(await database.journal.paid({ builder: address('C').toLowerCase() as `0x${string}` })).toEqual([shown(all[4]!)])
      expect(await database.journal.paid({ fromBlock: 5 })).toEqual(all.slice(2).map(shown))
      expect(await database.journal.paid({ nonce: id('3 1') })).toEqual([shown(all[1]!)])
    })

    it('journals in order, marks what was mined and forgets what was discarded', async () => {
      const transaction = (hash: string, nonce: number) => ({
        hash: id(hash),
        raw: `0x02${'00ab'.repeat(200)}` as const,
        from: address('c'),
        nonce,
        purpose: 'test',
      })
      const first = await database.journal.append(transaction('a', 0))
      const second = await database.journal.append(transaction('b', 1))
      const third = await database.journal.append(transaction('c', 2))
      expect(second).toBeGreaterThan(first)
      expect(third).toBeGreaterThan(second)
      await expect(database.journal.append(transaction('a', 0))).rejects.toThrow()
      await database.journal.mined(id('a'), { block: 4, timestamp: 1_900_000_000, status: 'success' })
      await database.journal.discard(id('b'))
      expect(await database.journal.all()).toEqual([
        { ...transaction('a', 0), sequence: first, block: 4, timestamp: 1_900_000_000, status: 'success' },
        { ...transaction('c', 2), sequence: third, block: null, timestamp: null, status: null },
      ])
      expect((await database.journal.all({ afterSequence: first })).map((entry) => entry.hash)).toEqual([id('c')])
      expect((await database.journal.unmined()).map((entry) => entry.hash)).toEqual([id('c')])
      expect(await database.journal.find(id('c'))).toEqual((await database.journal.all()).at(-1))
      expect(await database.journal.find(id('b'))).toBeUndefined()
      expect((await database.journal.all({ afterBlock: 3 })).map((entry) => entry.hash)).toEqual([id('a')])
      expect(await database.journal.all({ afterBlock: 4 })).toEqual([])
      await database.journal.tidy()
      await database.journal.reopen(id('a'))
      expect((await database.journal.unmined()).map((entry) => entry.hash)).toEqual([id('a'), id('c')])
      expect([await database.journal.hashAt(first), await database.journal.hashAt(second)]).toEqual([id('a'), undefined])
    })

    it('keeps settings as JSON', async () => {
      expect(await database.settings.get('absent')).toBeUndefined()
      for (const value of [null, false, 0, '', 'text \u0000', [1, { a: null }]]) {
        await database.settings.set('key', value)
        expect(await database.settings.get('key')).toEqual(value)
      }
      await database.settings.set('key', undefined)
      expect(await database.settings.get('key')).toBeUndefined()
    })
  })
}
