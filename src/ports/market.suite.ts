/** What the market's records of every Database must do. Knows nothing of where they are kept; `open` gives an empty database. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashText } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import { type Facts, type MarketEvent, SearchQuery } from '../core/market.ts'
import { rank } from '../core/rank-ledger.ts'
import type { Database } from './database.ts'
import type { MarketRecords, Terms } from './market.ts'

const address = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`
const model = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`
const OPEN = 10n ** 18n
const NOW = 2_000_000_000
const DAY = 86_400

export const factsOf = (number: number, patch: Partial<Facts> = {}): Facts => ({
  packageId: hashText(`package ${number}`),
  name: `model-${number}`,
  words: 'Answer questions about heart drugs',
  ...{ task: 'answer', languages: ['en'], domain: 'heart drugs', labels: [], base: 'modelfactory-base-xs-v2', licences: ['CC BY 4.0'] },
  exam: { n: 100, metric: 'ROUGE-L', score: 0.7, interval: [0.6, 0.8], baseline: 0.6, baseScore: 0.3, root: hashText(`root ${number}`) },
  ...{ verdict: 'proven', latencyMs: 20 },
  ...patch,
})
/** As a driver of words would make them: what it is about whole, its other words less. */
const termsOf = (facts: Facts): Terms => [
  ...facts.languages.map((language) => ({ term: `lang:${language}`, weight: 1 })),
  ...facts.name.split('-').map((term) => ({ term, weight: 1 })),
  ...`${facts.words} ${facts.labels.join(' ')}`
    .toLowerCase()
    .split(/[^\p{L}\p{M}]+/u)
    .filter(Boolean)
    .map((term) => ({ term, weight: 0.5 })),
]
const asked = (text: string): Terms => text.split(' ').map((term) => ({ term, weight: 1 }))
const query = (patch: Partial<SearchQuery> = {}): SearchQuery => SearchQuery.parse(patch)

const versionOf = (number: number) => ({ modelId: model(number), packageId: hashText(`package ${number}`), reportId: hashText(`report ${number}`) })

/** Registration and first version of a model, in two places of one block. */
const listed = (number: number, block: number, price = OPEN / 100n): MarketEvent[] => [
  {
    ...{ block, place: number * 2, at: NOW - 30 * DAY + block },
    kind: 'registered',
    modelId: model(number),
    owner: address(number),
    payout: address(number),
    price,
  },
  {
    ...{ block, place: number * 2 + 1, at: NOW - 30 * DAY + block },
    ...{ kind: 'version', modelId: model(number), version: 1, packageId: hashText(`package ${number}`), reportId: hashText(`report ${number}`) },
  },
]
const paid = (block: number, place: number, number: number, payer: number, at: number): MarketEvent => ({
  ...{ block, place, at, kind: 'paid', modelId: model(number), payer: address(payer), builder: address(number), amount: OPEN / 100n },
})

export function marketSuite(name: string, open: () => Promise<Database>): void {
  describe(`market records: ${name}`, () => {
    let database: Database
    let market: MarketRecords
    beforeAll(async () => {
      database = await open()
      market = database.market
    }, 120_000)
    afterAll(() => database?.close())
    const describeAll = async (numbers: readonly number[], patch: (number: number) => Partial<Facts> = () => ({})) => {
      for (const number of numbers) {
        const facts = factsOf(number, patch(number))
        await market.describe(versionOf(number), { facts, terms: termsOf(facts) })
      }
    }

    it('keeps what an audition came to, once, in the order of time', async () => {
      const verdict = { id: 'one', payer: address(0xab), winner: model(1), losers: [model(2), model(3)], cases: 5, at: NOW }
      await market.verdict(verdict)
      await market.verdict({ ...verdict, winner: model(9) })
      await market.verdict({ ...verdict, id: 'earlier', at: NOW - 5, losers: [model(4)] })
      const kept = { payer: address(0xab), winner: model(1) }
      expect((await market.ranked()).verdicts).toEqual([
        { ...kept, losers: [model(4)] },
        { ...kept, losers: [model(2), model(3)] },
      ])
    })

    it('starts with nothing', async () => {
      expect(await market.indexedUntil()).toBe(-1)
      expect(await market.search(query(), [], NOW)).toEqual({ rows: [], total: 0, next: null, corrected: [] })
      expect(await market.listing(model(1), NOW)).toBeUndefined()
      expect(await market.demand(10)).toEqual([])
    })

    it('takes ranges of blocks one after the other, each once, and none that leaves a gap', async () => {
      const first = [...listed(1, 3), ...listed(2, 3)]
      expect(await market.append(first, { after: -1, until: 10 })).toBe(true)
      expect(await market.append(first, { after: -1, until: 10 })).toBe(false)
      expect(await market.append([], { after: 15, until: 20 })).toBe(false)
      await expect(market.append(listed(9, 99), { after: 10, until: 20 })).rejects.toThrow('99')
      expect(await market.indexedUntil()).toBe(10)
      expect(await market.listing(model(1), NOW)).toMatchObject({ owner: address(1), price: OPEN / 100n, version: 1, facts: null })
      expect((await market.undescribed(10)).map(({ modelId }) => modelId)).toEqual([model(1), model(2)])
    })

    it('counts nothing twice when two indexers write at once', async () => {
      const payments = [paid(11, 0, 1, 50, NOW - 9 * DAY), paid(11, 1, 1, 50, NOW - 9 * DAY), paid(12, 0, 1, 51, NOW - 8 * DAY)]
      const outcomes = await Promise.all(Array.from({ length: 4 }, () => market.append(payments, { after: 10, until: 12 })))
      expect(outcomes.filter(Boolean)).toHaveLength(1)
      expect(await market.append([paid(13, 0, 1, 50, NOW - 9 * DAY + 5), paid(14, 0, 1, 50, NOW - 3 * DAY)], { after: 12, until: 14 })).toBe(true)
      expect((await market.history(model(1))).usage).toEqual({ queries: 5, payers: 2, amount: OPEN / 20n })
      const { payments: edges } = await market.ranked()
      expect(edges).toEqual([
        { modelId: model(1), payer: address(50), queries: 4, days: 2, amount: OPEN / 25n },
        { modelId: model(1), payer: address(51), queries: 1, days: 1, amount: OPEN / 100n },
      ])
    })

    it('keeps prices with their times: cuts at once, rises when their time has come', async () => {
      const at = NOW - 2 * DAY
      const events: MarketEvent[] = [
        { block: 15, place: 0, at, kind: 'price', modelId: model(2), price: OPEN / 200n },
        { block: 15, place: 1, at, kind: 'price-rise', modelId: model(2), price: OPEN / 50n, effectiveAt: NOW + 10 },
        { block: 15, place: 2, at, kind: 'exam', modelId: model(1), examRoot: hashText('root 1') },
        { block: 15, place: 3, at, kind: 'attempt', modelId: model(1), examRoot: hashText('root 1'), attempts: 3 },
        { block: 15, place: 4, at, kind: 'owner', modelId: model(2), owner: address(70) },
        { block: 15, place: 5, at, kind: 'funded', from: address(2), to: address(80), amount: 5n },
        { block: 15, place: 6, at, kind: 'funded', from: address(3), to: address(80), amount: 5n },
      ]
      expect(await market.append(events, { after: 14, until: 15 })).toBe(true)
      expect((await market.listing(model(2), NOW))!.price).toBe(OPEN / 200n)
      expect((await market.listing(model(2), NOW + 10))!.price).toBe(OPEN / 50n)
      expect(await market.listing(model(2), NOW)).toMatchObject({ owner: address(70), payout: address(70) })
      const history = await market.history(model(2))
      expect(history.prices.map(({ price }) => price)).toEqual([OPEN / 100n, OPEN / 200n, OPEN / 50n])
      expect((await market.history(model(1))).exams).toEqual([{ examRoot: hashText('root 1'), committedAt: at, attempts: 3 }])
    })

    it('describes packages, ranks by them, and knows all accounts that were ever the builder’s', async () => {
      await describeAll([1, 2])
      expect(await market.undescribed(10)).toEqual([])
      const { listings, payments, funding } = await market.ranked()
      expect(listings.map(({ modelId, exam }) => [modelId, exam?.attempts])).toEqual([
        [model(1), 3],
        [model(2), 1],
      ])
      expect(listings[1]!.builders).toEqual([address(2), address(70)])
      // Who gave first.
      expect(funding).toEqual([{ from: address(2), to: address(80) }])
      const places = rank(listings, payments, funding)
      await market.place(places)
      expect((await market.listing(model(1), NOW))!.place).toEqual(places.find(({ modelId }) => modelId === model(1)))
      expect(await market.ranked({ models: [model(2)], payers: [address(51)], funded: [address(80)] })).toEqual({
        listings: [listings[1]],
        payments: payments.filter(({ payer }) => payer === address(51)),
        funding,
        verdicts: [],
      })
      expect(await market.ranked({ models: [], payers: [], funded: [] })).toEqual({ listings: [], payments: [], funding: [], verdicts: [] })
      await market.place(places.slice(0, 1))
      expect((await market.listing(places[1]!.modelId, NOW))!.place).toBeNull()
      await market.move([{ ...places[1]!, score: 0.5 }])
      expect((await market.listing(places[1]!.modelId, NOW))!.place).toMatchObject({ score: 0.5 })
      expect((await market.listing(places[0]!.modelId, NOW))!.place).toEqual(places[0])
      await market.place(places)
    })

    it('finds by words, in any script, by what it is about, and says what it read a misspelt word as', async () => {
      await market.append([...listed(3, 16), ...listed(4, 16), ...listed(5, 16)], { after: 15, until: 16 })
      await describeAll([3, 4, 5], (number) =>
        number === 3
          ? { words: 'Sort Hausa complaints', languages: ['ha'], task: 'classify', domain: 'complaints', name: 'korafi' }
          : number === 4
            ? { words: 'ግብር ጥያቄዎችን ይመልሳል', languages: ['am'], domain: 'tax', name: 'gibir' }
            : { words: "O'Brien's \\ 'quotes' & | ! : * leases", domain: 'tenancy', name: 'leases', licences: ['MIT'] },
      )
      const found = async (text: string, patch: Partial<SearchQuery> = {}) =>
        (await market.search(query({ q: text, ...patch }), asked(text), NOW)).rows.map(({ modelId }) => modelId)
      expect(await found('complaints')).toEqual([model(3)])
      expect(await found('lang:ha')).toEqual([model(3)])
      expect(await found('ጥያቄዎችን')).toEqual([model(4)])
      expect(await found('leases')).toEqual([model(5)])
      expect(await found("nothing:* & | ! ' \\ (: <->")).toEqual([])
      expect(await found('zzzzqqqq')).toEqual([])
      const misspelt = await market.search(query({ q: 'complants' }), asked('complants'), NOW)
      expect(misspelt).toMatchObject({ rows: [{ modelId: model(3) }], corrected: [{ from: 'complants', to: 'complaints' }] })
      // What is described anew is found by its new words alone.
      const facts = factsOf(3, { words: 'Sort Hausa praise', languages: ['ha'], task: 'classify', name: 'yabo' })
      await market.describe(versionOf(3), { facts, terms: termsOf(facts) })
      expect(await found('complaints')).toEqual([])
      expect(await found('praise')).toEqual([model(3)])
      await describeAll([3], () => ({ words: 'Sort Hausa complaints', languages: ['ha'], task: 'classify', domain: 'complaints', name: 'korafi' }))
    })

    it('narrows by what is asked beside the words, and says how many hold what', async () => {
      const ids = async (patch: Partial<SearchQuery>) => (await market.search(query(patch), [], NOW)).rows.map(({ modelId }) => modelId).sort()
      expect(await ids({ task: 'classify' })).toEqual([model(3)])
      expect(await ids({ language: 'am' })).toEqual([model(4)])
      expect(await ids({ licence: 'MIT' })).toEqual([model(5)])
      expect(await ids({ maxPrice: '0.005' })).toEqual([model(2)])
      expect(await ids({ minQuality: 0.61 })).toEqual([])
      expect(await ids({ maxLatencyMs: 10 })).toEqual([])
      const facets = await market.facets(query(), [], NOW)
      expect(facets.task).toEqual([
        { value: 'answer', count: 4 },
        { value: 'classify', count: 1 },
      ])
      expect(facets.language.map(({ value }) => value)).toEqual(['en', 'am', 'ha'])
      expect((await market.search(query({ sort: 'price' }), [], NOW)).rows[0]!.modelId).toBe(model(2))
    })

    it('pages without leaving out or repeating, whatever the order', async () => {
      const many = Array.from({ length: 37 }, (_, index) => 100 + index)
      await market.append(
        many.flatMap((number) => listed(number, 17, (BigInt(1 + (number % 5)) * OPEN) / 100n)),
        { after: 16, until: 17 },
      )
      await describeAll(many, (number) => ({ words: `Paged listing ${number % 3 ? 'odd' : 'even'}` }))
      for (const patch of [{}, { q: 'listing' }, { sort: 'price' as const }, { sort: 'newest' as const, q: 'paged' }]) {
        const seen: Hex[] = []
        let cursor: string | undefined
        do {
          const page = await market.search(query({ ...patch, limit: 7, ...(cursor ? { cursor } : {}) }), patch.q ? asked(patch.q) : [], NOW)
          seen.push(...page.rows.map(({ modelId }) => modelId))
          cursor = page.next ?? undefined
        } while (cursor)
        expect(new Set(seen).size).toBe(seen.length)
        expect(seen).toHaveLength(patch.q ? 37 : 42)
      }
      const broken = await market.search(query({ cursor: 'bm9uc2Vuc2U' }), [], NOW)
      expect(broken.rows).toHaveLength(10)
      expect((await market.newcomers(query({ q: 'paged' }), asked('paged'), NOW, 3)).length).toBe(3)
    })

    it('tells how a listing answered of late, how soon, and whether the gateway was there', async () => {
      const at = Math.floor(NOW / 3600) * 3600 + 1800
      expect(await market.health(model(1), at, at - 7200)).toEqual({ days: 30, answered: 0, failed: 0, halfMs: null, mostMs: null, up: null })
      await market.served(model(1), { answered: 3, failed: 1, times: [10, 10, 900], at })
      await market.served(model(1), { answered: 1, failed: 0, times: [10], at })
      await market.served(model(1), { answered: 2, failed: 2, times: [10, 10], at: at - 3 * DAY })
      await market.served(model(1), { answered: 50, failed: 50, times: [], at: at - 31 * DAY })
      await market.served(model(2), { answered: 9, failed: 0, times: [1, 1, 1], at })
      // Ten minutes of the hour before and ten of this one, said several times.
      for (const minute of [...Array(10).keys()]) for (const second of [0, 15, 59]) await market.alive(at - 3600 + minute * 60 + second)
      for (const minute of [...Array(10).keys()]) await market.alive(at + minute * 60)
      const health = await market.health(model(1), at + 599, at - 3600)
      expect(health).toMatchObject({ answered: 6, failed: 3, halfMs: 11 })
      expect(health.mostMs).toBeGreaterThanOrEqual(900)
      expect(health.mostMs).toBeLessThanOrEqual(1080)
      expect(health.up).toBeCloseTo(20 / 70, 6)
      // A listing of five minutes ago is not charged with what was before it.
      expect((await market.health(model(2), at + 599, at + 300)).up).toBe(1)
      expect((await market.ranked({ models: [model(1)], payers: [], funded: [] })).listings[0]).toMatchObject({ answered: 56, failed: 53 })
    })

    it('keeps questions without an answer, each once with its times, the newest thousand of a model', async () => {
      const gap = { model: 'heart', question: 'Möge ich fliegen? \u0000', tags: ['travel'], at: NOW }
      await market.gap(gap)
      await market.gap({ ...gap, question: gap.question.toUpperCase(), at: NOW + 5 })
      await market.gap({ ...gap, model: 'skin', at: NOW - 1 })
      expect(await market.gaps()).toEqual([
        { model: 'heart', question: gap.question, tags: ['travel'], times: 2, last: NOW + 5 },
        { model: 'skin', question: gap.question, tags: ['travel'], times: 1, last: NOW - 1 },
      ])
      for (let number = 0; number < 1001; number++) await market.gap({ ...gap, question: `Question ${number}`, at: NOW + 10 + number })
      const own = (await market.gaps()).filter(({ model: name }) => name === 'heart')
      expect([own.length, own[0]!.question, own.at(-1)!.question]).toEqual([1000, 'Question 1000', 'Question 1'])
      await market.forgetGaps('heart')
      expect((await market.gaps()).map(({ model: name }) => name)).toEqual(['skin'])
    })

    it('takes hidden and retired listings, and packages that cannot be had, out of search and ranking', async () => {
      const shown = async () => (await market.search(query({ language: 'am' }), [], NOW)).rows.length
      await market.hide(model(4), true)
      expect([await shown(), await market.listing(model(4), NOW)]).toEqual([0, undefined])
      await market.hide(model(4), false)
      expect(await shown()).toBe(1)
      await market.describe(versionOf(4), null)
      expect(await shown()).toBe(0)
      expect((await market.ranked()).listings.map(({ modelId }) => modelId)).not.toContain(model(4))
      await describeAll([4], () => ({ words: 'ግብር', languages: ['am'] }))
      await market.append([{ block: 18, place: 0, at: NOW, kind: 'retired', modelId: model(4) }], { after: 17, until: 18 })
      expect([await shown(), (await market.listing(model(4), NOW))!.retired]).toEqual([0, true])
    })

    it('remembers what was looked for and hardly found, by what it is about', async () => {
      for (let time = 0; time < 3; time++) await market.searched({ words: `Quechua legal terms ${time % 2}`, tags: ['qu', 'legal'], found: 0, at: NOW + time })
      await market.searched({ words: 'heart drugs', tags: ['en'], found: 12, at: NOW })
      await market.searched({ words: "it's \u0000 odd", tags: [], found: 0, at: NOW })
      const demand = await market.demand(10)
      expect(demand[0]).toEqual({ tags: ['legal', 'qu'], words: 'Quechua legal terms 0', searches: 3, found: 0, last: NOW + 2 })
      expect(demand.map(({ words }) => words)).toEqual(['Quechua legal terms 0', "it's \u0000 odd"])
    })

    it('keeps needs, reviews with one reply, and reports', async () => {
      const wanted = {
        id: hashText('w'),
        at: NOW,
        tags: ['qu', 'legal'],
        need: 'Explain legal terms in Quechua',
        cases: [{ input: 'a', output: '\u0000b' }],
        contact: '',
      }
      await market.want(wanted)
      await market.want(wanted)
      expect(await market.wanted({ limit: 10 })).toEqual([wanted])
      expect(await market.wanted({ tags: ['xx'], limit: 10 })).toEqual([])
      const review = { id: hashText('r'), modelId: model(1), payer: address(50), tx: hashText('tx'), stars: 4, text: 'good <b>', at: NOW }
      await market.review(review)
      await market.review({ ...review, stars: 5, at: NOW + 1 })
      expect(await market.reviews(model(1), 10)).toEqual([{ ...review, stars: 5, at: NOW + 1, reply: null }])
      expect(await market.reply(review.id, { text: 'thanks', at: NOW + 2 })).toBe(true)
      expect(await market.reply(hashText('none'), { text: 'x', at: NOW })).toBe(false)
      expect((await market.reviewOf(review.id))!.reply).toEqual({ text: 'thanks', at: NOW + 2 })
      const builder = { address: address(1), at: NOW, name: 'Dr. A', about: 'hearts \u0000', credentials: [{ title: 'FESC', url: 'https://example.org' }] }
      await market.introduce(builder)
      await market.introduce({ ...builder, about: 'only hearts', at: NOW + 1 })
      expect(await market.builder(address(1).toUpperCase().replace('0X', '0x') as Address)).toEqual({ ...builder, about: 'only hearts', at: NOW + 1 })
      expect(await market.builder(address(99))).toBeUndefined()
      expect((await market.listingsOf(address(1), NOW, 10)).map(({ modelId }) => modelId)).toEqual([model(1)])
      expect(await market.listingsOf(address(99), NOW, 10)).toEqual([])
      await market.report({ modelId: model(1), reason: 'spam', from: null, at: NOW })
      expect(await market.reports(10)).toEqual([{ modelId: model(1), reason: 'spam', from: null, at: NOW }])
    })

    it('reads the chain anew to the same figures', async () => {
      const before = { usage: (await market.history(model(1))).usage, ranked: await market.ranked() }
      await market.reset()
      expect(await market.indexedUntil()).toBe(-1)
      expect((await market.history(model(1))).usage).toEqual({ queries: 0, payers: 0, amount: 0n })
      const payments = [paid(11, 0, 1, 50, NOW - 9 * DAY), paid(11, 1, 1, 50, NOW - 9 * DAY), paid(12, 0, 1, 51, NOW - 8 * DAY)]
      await market.append([...listed(1, 3), ...listed(2, 3), ...payments], { after: -1, until: 12 })
      await market.append([paid(13, 0, 1, 50, NOW - 9 * DAY + 5), paid(14, 0, 1, 50, NOW - 3 * DAY)], { after: 12, until: 14 })
      expect((await market.history(model(1))).usage).toEqual(before.usage)
      expect((await market.ranked()).payments).toEqual(before.ranked.payments)
      expect(await market.undescribed(10)).toEqual([])
    })
  })
}
