/** The ranking's formula, and what attacks on it gain. */
import { describe, expect, it } from 'vitest'
import type { Address, Hex } from './listing.ts'
import { openLedger, rank } from './rank-ledger.ts'
import { attacks, comparableMarket } from './ranking.suite.ts'
import { type PaymentEdge, qualityLower, type Ranked, reliability, tasteFactor, useFactor, type Verdict, whyHere, withNewcomers } from './ranking.ts'
import { random } from './report.ts'

const address = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`
const id = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`
const listing = (number: number, patch: Partial<Ranked> = {}): Ranked => ({
  ...{ modelId: id(number), builders: [address(number)], exam: { score: 0.8, interval: [0.75, 0.85], attempts: 1 }, servedLower: null, answered: 0, failed: 0 },
  ...patch,
})
const pays = (payer: number, model: number, patch: Partial<PaymentEdge> = {}): PaymentEdge => ({
  ...{ modelId: id(model), payer: address(payer), queries: 5, days: 3, amount: 2n * 10n ** 17n },
  ...patch,
})
const placeOf = (places: ReturnType<typeof rank>, model: number) => places.find(({ modelId }) => modelId === id(model))!

describe('quality', () => {
  it('is the lower end of the interval, lower for every further attempt, and never above what is served', () => {
    const exam = { score: 0.8, interval: [0.7, 0.9] as const, attempts: 1 }
    expect(qualityLower(exam)).toBeCloseTo(0.7, 6)
    // Bonferroni over ten: z(1 - 0.0025) / z(0.975) = 2.807 / 1.960.
    expect(qualityLower({ ...exam, attempts: 10 })).toBeCloseTo(0.8 - 0.1 * (2.807034 / 1.959964), 5)
    expect(qualityLower(exam, 0.5)).toBe(0.5)
    expect(qualityLower(exam, 0.75)).toBeCloseTo(0.7, 6)
    expect(qualityLower(null)).toBe(0)
  })
})

describe('use', () => {
  it('counts payers who are not the builder, came back, and pay others too', () => {
    const listings = [listing(1), listing(2)]
    const payments = [pays(1, 1), pays(50, 1), pays(51, 1), pays(51, 2), pays(52, 1, { days: 1, queries: 900 })]
    const places = rank(listings, payments, [])
    // 51 gave elsewhere what makes a payer count whole, 50 gave nothing elsewhere.
    expect(placeOf(places, 1).counts).toEqual({ raw: 915, organic: 1, discounted: { own: 1, funded: 0, once: 1, single: 1, together: 0 } })
    expect(placeOf(places, 2).counts).toMatchObject({ raw: 5, organic: 1 })
    const stingy = payments.map((edge) => (edge.modelId === id(2) ? { ...edge, amount: edge.amount / 2n } : edge))
    expect(placeOf(rank(listings, stingy, []), 1).counts.organic).toBeCloseTo(0.25, 6)
  })

  it('does not count who has the builder’s money, through two hands too, and counts one purse once', () => {
    const funding = [
      { from: address(1), to: address(60) },
      { from: address(60), to: address(61) },
      { from: address(70), to: address(71) },
      { from: address(70), to: address(72) },
    ]
    const payments = [60, 61, 71, 72].flatMap((payer) => [pays(payer, 1), pays(payer, 2)])
    const places = rank([listing(1), listing(2)], payments, funding)
    expect(placeOf(places, 1).counts).toMatchObject({ organic: 1, discounted: { funded: 2, together: 1 } })
    // To the other builder the money is a stranger's, from one purse each.
    expect(placeOf(places, 2).counts).toMatchObject({ organic: 2, discounted: { funded: 0, together: 2 } })
  })

  it('lets a faucet tie nobody together', () => {
    const faucet = address(500)
    const funding = Array.from({ length: 10 }, (_, index) => ({ from: faucet, to: address(100 + index) }))
    const paying = (count: number) => Array.from({ length: count }, (_, index) => pays(100 + index, 1 + (index % 5)))
    const listings = [1, 2, 3, 4, 5].map((number) => listing(number))
    const root = (payments: PaymentEdge[], of = listings) => openLedger({ listings: of, payments, funding }).rootOf(address(100))
    expect(root(paying(10))).toBe(address(100))
    expect(root(paying(4))).toBe(faucet)
    // Accounts that pay the faucet itself do not make it one.
    expect(
      root(
        paying(10),
        listings.map((one) => ({ ...one, builders: [faucet] })),
      ),
    ).toBe(faucet)
  })

  it('counts the same whatever comes in which order and when: what is new moves what it moves, or says that it cannot', () => {
    let [followed, anew] = [0, 0]
    for (let seed = 1; seed <= 300; seed++) {
      const next = random(seed)
      const draw = (most: number) => Math.floor(next() * most)
      // Accounts 1 to 6 build, 20 to 39 pay, 50 to 54 give; some of each do what another kind does.
      const anybody = () => [1 + draw(6), 20 + draw(20), 20 + draw(20), 50 + draw(5)][draw(4)]!
      const listings = Array.from({ length: 8 }, (_, number) => listing(100 + number, { builders: [address(1 + draw(6))], failed: draw(3) }))
      const sums = new Map<string, PaymentEdge>()
      const funding: { from: Address; to: Address }[] = []
      const verdicts = Array.from({ length: draw(6) }, (): Verdict => {
        const [winner, loser] = [100 + draw(8), 100 + draw(8)]
        return { payer: address(anybody()), winner: id(winner), losers: winner === loser ? [] : [id(loser)] }
      })
      const payment = () => {
        const [payer, model] = [anybody(), 100 + draw(9)]
        const before = sums.get(`${payer} ${model}`)
        const amount = BigInt(draw(12)) * 10n ** 16n + BigInt(draw(1000)) * 10n ** 9n
        const sum = pays(payer, model, { queries: (before?.queries ?? 0) + 1, days: (before?.days ?? 0) + draw(4), amount: (before?.amount ?? 0n) + amount })
        sums.set(`${payer} ${model}`, sum)
        return sum
      }
      const gift = () => {
        const one = { from: address(anybody()), to: address(20 + draw(25)) }
        if (!funding.some(({ to }) => to === one.to)) funding.push(one)
        return one
      }
      for (let one = draw(30); one > 0; one--) payment()
      for (let one = draw(10); one > 0; one--) gift()
      let ledger = openLedger({ listings, payments: [...sums.values()], funding, verdicts })
      const standing = new Map(ledger.places().map((place) => [place.modelId, place]))
      for (let step = 0; step < 6; step++) {
        const failing = draw(8)
        if (draw(3) === 0) listings[failing] = { ...listings[failing]!, failed: draw(9) }
        const gifts = draw(2) ? [gift()] : []
        const payments = Array.from({ length: draw(4) }, payment)
        const moved = ledger.update({ listings: [listings[failing]!], payments, funding: gifts })
        if (moved) followed++
        else anew++
        if (!moved) ledger = openLedger({ listings, payments: [...sums.values()], funding, verdicts })
        for (const place of moved ?? ledger.places()) standing.set(place.modelId, place)
        const places = rank([...listings].reverse(), [...sums.values()].reverse(), funding, verdicts)
        expect(
          [...standing.values()].sort((a, b) => (a.modelId < b.modelId ? -1 : 1)),
          `seed ${seed}, step ${step}`,
        ).toEqual([...places].sort((a, b) => (a.modelId < b.modelId ? -1 : 1)))
        expect(ledger.places()).toEqual(places)
      }
    }
    // Both ways are walked.
    expect(followed).toBeGreaterThan(200)
    expect(anew).toBeGreaterThan(200)
  })

  it('follows a listing that fails, and says when it would have to be opened anew', () => {
    const ledger = openLedger({ listings: [listing(1)], payments: [pays(50, 1)], funding: [] })
    expect(ledger.update({})).toEqual([])
    expect(ledger.update({ listings: [listing(1, { failed: 20 })] })![0]!.reliability).toBeCloseTo(19 / 40, 6)
    expect(ledger.update({ listings: [listing(2)] })).toBeUndefined()
    expect(ledger.update({ listings: [listing(1, { builders: [address(1), address(2)] })] })).toBeUndefined()
    expect(ledger.update({ funding: [{ from: address(9), to: address(50) }] })).toBeUndefined()
    expect(ledger.update({ payments: [pays(50, 7)] })).toEqual([])
    // An account that was asked about before it had money.
    expect(ledger.rootOf(address(77))).toBe(address(77))
    expect(ledger.update({ funding: [{ from: address(9), to: address(77) }] })).toEqual([])
    expect(ledger.rootOf(address(77))).toBe(address(9))
  })

  it('holds an account for one with whoever gave it money first', () => {
    const funding = [8, 9].map((giver) => ({ from: address(giver), to: address(50) }))
    const ledger = openLedger({ listings: [listing(1)], payments: [], funding })
    expect(ledger.rootOf(address(50))).toBe(address(8))
    expect(ledger.update({ funding: [{ from: address(9), to: address(50) }] })).toEqual([])
    expect(ledger.rootOf(address(50))).toBe(address(8))
  })

  it('says so when a giver turns out to be a faucet', () => {
    const funding = Array.from({ length: 5 }, (_, index) => ({ from: address(500), to: address(100 + index) }))
    const listings = [1, 2, 3, 4, 5].map((number) => listing(number))
    const ledger = openLedger({ listings, funding, payments: [1, 2, 3, 4].map((model) => pays(99 + model, model)) })
    expect(ledger.rootOf(address(100))).toBe(address(500))
    expect(ledger.update({ payments: [pays(101, 1)] })).toHaveLength(2)
    expect(ledger.update({ payments: [pays(104, 5)] })).toBeUndefined()
  })
})

it('orders by the product, and ties by id', () => {
  expect([0, 0.25, 1, 16].map(useFactor)).toEqual([1, 1, 1, 2])
  expect(reliability(0, 0)).toBe(0.95)
  expect(reliability(1980, 0)).toBeCloseTo(0.9995, 4)
  const places = rank([listing(3), listing(2), listing(1, { failed: 20 }), listing(4, { exam: null })], [], [])
  expect(places.map(({ modelId }) => modelId)).toEqual([id(2), id(3), id(1), id(4)])
  expect(places[0]!.score).toBeCloseTo(0.75 * 0.95, 6)
})

describe('taste', () => {
  const listings = [listing(1), listing(2), listing(3)]
  // 50 pays a third builder what makes a payer count whole.
  const payments = [pays(50, 3, { days: 1 })]
  const verdict = { payer: address(50), winner: id(1), losers: [id(2)] }

  it('counts what an independent payer chose, within a tenth, and says so', () => {
    expect(
      [
        { won: 0, lost: 0 },
        { won: 1000, lost: 0 },
        { won: 0, lost: 1000 },
      ]
        .map(tasteFactor)
        .map((one) => Number(one.toFixed(2))),
    ).toEqual([1, 1.1, 0.9])
    const places = rank(listings, payments, [], [verdict])
    expect(placeOf(places, 1)).toMatchObject({ auditions: { won: 1, lost: 0 } })
    expect(placeOf(places, 2)).toMatchObject({ auditions: { won: 0, lost: 1 } })
    expect(placeOf(places, 1).score).toBeGreaterThan(placeOf(places, 3).score)
    expect(placeOf(places, 2).score).toBeLessThan(placeOf(places, 3).score)
    expect(whyHere(placeOf(places, 1), null).join('\n')).toContain('chosen by 1.00 and not chosen by 0.00')
  })

  it('counts the last word of each purse once', () => {
    const turned = { ...verdict, winner: id(2), losers: [id(1)] }
    const funding = [{ from: address(50), to: address(51) }]
    const places = rank(listings, [...payments, pays(51, 3)], funding, [verdict, verdict, { ...verdict, payer: address(51) }, turned])
    expect(placeOf(places, 1).auditions).toEqual({ won: 0, lost: 1 })
    expect(placeOf(places, 2).auditions).toEqual({ won: 1, lost: 0 })
  })

  it('does not count the builder, the builder’s money, or who pays nobody but the two it is about', () => {
    const counted = (verdicts: Verdict[], more: PaymentEdge[] = [], funding: { from: Address; to: Address }[] = []) =>
      placeOf(rank(listings, [...payments, ...more], funding, verdicts), 2).auditions.lost
    expect(counted([verdict])).toBe(1)
    expect(counted([{ ...verdict, payer: address(1) }], [pays(1, 3)])).toBe(0)
    expect(counted([{ ...verdict, payer: address(60) }], [pays(60, 3)], [{ from: address(1), to: address(60) }])).toBe(0)
    expect(counted([{ ...verdict, payer: address(61) }], [pays(61, 1), pays(61, 2)])).toBe(0)
    expect(counted([{ ...verdict, payer: address(62) }], [pays(62, 3, { amount: 10n ** 17n })])).toBeCloseTo(0.25, 6)
  })
})

it('gives two places of a page to newcomers that are not on it anyway', () => {
  const page = withNewcomers([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [2, 20, 21, 22], (one, other) => one === other, 10)
  expect(page.map(({ one }) => one)).toEqual([1, 2, 20, 3, 4, 5, 6, 21, 7, 8])
  expect(page.filter(({ newcomer }) => newcomer).map(({ one }) => one)).toEqual([20, 21])
  expect(withNewcomers([1], [], (one, other) => one === other, 10)).toEqual([{ one: 1, newcomer: false }])
})

it('says in words why a listing is where it is', () => {
  const [place] = rank([listing(1, { exam: { score: 0.8, interval: [0.7, 0.9], attempts: 3 } })], [pays(1, 1), pays(9, 1, { days: 1 })], [])
  const lines = whyHere(place!, { score: 0.8, interval: [0.7, 0.9], attempts: 3 }, true).join('\n')
  for (const part of ['because it is new', '3 attempts', '10 paid queries', '1 account of the builder', '1 payer who paid on one day only'])
    expect(lines).toContain(part)
})

describe('attacks', () => {
  const market = comparableMarket({ models: 100, seed: 7 })
  const found = Object.fromEntries(attacks(market).map((attack) => [attack.name, attack]))

  it('self-pay of 1,000 OPEN moves no rank', () => {
    expect(found['self-pay']).toMatchObject({ open: 1000 })
    expect(found['self-pay']!.ranksGained).toBe(0)
  })

  it('a thousand OPEN through a ring of accounts moves no rank, whoever seems to have given them their money', () => {
    expect(found['sybil ring, one purse']!.ranksGained).toBe(0)
    expect(found['sybil ring, purses from a faucet']!.ranksGained).toBe(0)
  })

  it('is told what it does not see: purses that nothing ties together and that pay other builders, above all one of their own', () => {
    expect(found['two builders in league, purses from a faucet']!.meanRanksGained).toBeGreaterThan(1)
    expect(found['sybil ring, purses from a faucet, paying others too']!.meanRanksGained).toBeGreaterThan(1)
  })

  it('auditions among one’s own accounts move no rank', () => {
    expect(found['auditions of one’s own, purses from a faucet']!.ranksGained).toBe(0)
  })

  it('a price has no part in the score, and more attempts lower it', () => {
    expect(found['price spam']!.ranksGained).toBe(0)
    expect(found['exam overfitting, best of 20 without skill']!.meanRanksGained).toBeLessThan(found['exam overfitting, uncounted']!.meanRanksGained)
  })
})
