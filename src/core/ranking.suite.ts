/**
 * A market of comparable models and what attackers try on it, for the tests and the benchmark of the ranking. Deterministic by its seed.
 * Knows nothing of databases.
 */
import type { Address, Hex } from './listing.ts'
import { rank } from './rank-ledger.ts'
import type { FundingEdge, PaymentEdge, Ranked, Verdict } from './ranking.ts'
import { random } from './report.ts'

export type Market = { listings: Ranked[]; payments: PaymentEdge[]; funding: FundingEdge[] }

/** What an attack did to the ranks of the listings it was tried for; `open` is what it moves, `lost` what the attacker does not get back, in OPEN. */
export type Attack = { name: string; open: number; lost: number; accounts: number; ranksGained: number; meanRanksGained: number }

const OPEN = 10n ** 18n
const PRICE = OPEN / 100n
const address = (group: number, number: number): Address => `0x${(group * 0x100000000 + number).toString(16).padStart(40, '0')}`
const id = (number: number): Hex => `0x${(number + 1).toString(16).padStart(64, '0')}`
const BUILDERS = 1
const PAYERS = 2
const FAUCET = address(9, 0)

/** Exams of 200 cases around 0.80; between none and some dozens of payers who pay several builders, all with money from one faucet. */
export function comparableMarket({ models, seed }: { models: number; seed: number }): Market {
  const next = random(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  const listings = Array.from({ length: models }, (_, number): Ranked => {
    const score = 0.8 + 0.03 * normal()
    return {
      ...{ modelId: id(number), builders: [address(BUILDERS, number)], servedLower: null, answered: Math.floor(next() * 500), failed: Math.floor(next() * 4) },
      exam: { score, interval: [score - 0.055, score + 0.055], attempts: 1 },
    }
  })
  const payments: PaymentEdge[] = []
  const funding: FundingEdge[] = []
  const payers = models * 4
  // Few models have many payers, most have few.
  const weights = listings.map(() => Math.exp(1.2 * normal()))
  let total = 0
  const reached = weights.map((weight) => (total += weight))
  const draw = () => {
    const drawn = next() * total
    let [low, high] = [0, reached.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (reached[middle]! >= drawn) high = middle
      else low = middle + 1
    }
    return low
  }
  for (let payer = 0; payer < payers; payer++) {
    funding.push({ from: FAUCET, to: address(PAYERS, payer) })
    const chosen = new Set(Array.from({ length: 1 + Math.floor(next() * 5) }, draw))
    for (const place of chosen) {
      const days = 1 + Math.floor(next() * 8)
      const queries = days * (1 + Math.floor(next() * 6))
      payments.push({ modelId: id(place), payer: address(PAYERS, payer), queries, days, amount: BigInt(queries) * PRICE })
    }
  }
  return { listings, payments, funding }
}

type Trial = { payments?: PaymentEdge[]; funding?: FundingEdge[]; listing?: Ranked; more?: Ranked[]; verdicts?: Verdict[] }

/** Each attack tried for every fifth listing by itself; ranks gained are counted against the market without it. */
export function attacks(market: Market): Attack[] {
  const before = new Map(rank(market.listings, market.payments, market.funding).map(({ modelId }, place) => [modelId, place]))
  const targets = market.listings.filter((_, number) => number % 5 === 0)
  const attempt = (name: string, cost: { open: number; lost: number; accounts: number }, make: (target: Ranked, number: number) => Trial): Attack => {
    const gains = targets.map((target, number) => {
      const trial = make(target, number)
      const listings = market.listings.map((listing) => (listing === target ? (trial.listing ?? target) : listing))
      const after = rank(
        [...listings, ...(trial.more ?? [])],
        [...market.payments, ...(trial.payments ?? [])],
        [...market.funding, ...(trial.funding ?? [])],
        trial.verdicts,
      )
      return before.get(target.modelId)! - after.findIndex(({ modelId }) => modelId === target.modelId)
    })
    return { name, ...cost, ranksGained: Math.max(...gains), meanRanksGained: gains.reduce((sum, gain) => sum + gain, 0) / gains.length }
  }
  /** A thousand OPEN paid to the target by so many accounts, over a month. */
  const wash = (target: Ranked, accounts: readonly Address[]): PaymentEdge[] => {
    const queries = Math.floor(100_000 / accounts.length)
    return accounts.map((payer) => ({ modelId: target.modelId, payer, queries, days: 30, amount: BigInt(queries) * PRICE }))
  }
  const ring = (group: number, size: number) => Array.from({ length: size }, (_, number) => address(group, number))
  const next = random(11)
  const luck = () => Math.max(...Array.from({ length: 20 }, () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())))
  const overfitted = (target: Ranked, attempts: number): Ranked => {
    // The standard error is what the interval says; a lucky draw moves score and interval alike.
    const up = (luck() * (target.exam!.interval[1] - target.exam!.interval[0])) / (2 * 1.96)
    const { score, interval } = target.exam!
    return { ...target, exam: { score: score + up, interval: [interval[0] + up, interval[1] + up], attempts } }
  }
  return [
    attempt('self-pay', { open: 1000, lost: 0, accounts: 11 }, (target) => {
      const accounts = [target.builders[0]!, ...ring(3, 10)]
      return { payments: wash(target, accounts), funding: ring(3, 10).map((to) => ({ from: target.builders[0]!, to })) }
    }),
    attempt('sybil ring, one purse', { open: 1000, lost: 0, accounts: 1000 }, (target) => ({
      payments: wash(target, ring(4, 1000)),
      funding: ring(4, 1000).map((to) => ({ from: address(5, 0), to })),
    })),
    attempt('sybil ring, purses from a faucet', { open: 1000, lost: 0, accounts: 100 }, (target) => ({
      payments: wash(target, ring(4, 100)),
      funding: ring(4, 100).map((to) => ({ from: FAUCET, to })),
    })),
    // The share of others is lost: one payment on each of two days.
    attempt('sybil ring, purses from a faucet, paying others too', { open: 1000, lost: 2, accounts: 100 }, (target, number) => {
      const other = market.listings[(number * 5 + 1) % market.listings.length]!
      const elsewhere = ring(4, 100).map((payer) => ({ modelId: other.modelId, payer, queries: 2, days: 2, amount: 2n * PRICE }))
      return { payments: [...wash(target, ring(4, 100)), ...elsewhere], funding: ring(4, 100).map((to) => ({ from: FAUCET, to })) }
    }),
    // The known hole: a second builder account of the attacker's that nothing on the chain ties to the first, so nothing is lost.
    attempt('two builders in league, purses from a faucet', { open: 1000, lost: 0, accounts: 102 }, (target) => {
      const league: Ranked = { ...target, modelId: id(1_000_000), builders: [address(8, 0)], exam: null }
      const there = ring(4, 100).map((payer) => ({ modelId: league.modelId, payer, queries: 20, days: 2, amount: 20n * PRICE }))
      return { payments: [...wash(target, ring(4, 100)), ...there], funding: ring(4, 100).map((to) => ({ from: FAUCET, to })), more: [league] }
    }),
    // A hundred auditions that the attacker's own accounts hold and win, against the ten listings above the target.
    attempt('auditions of one’s own, purses from a faucet', { open: 200, lost: 0, accounts: 100 }, (target) => {
      const rivals = [...before].filter(([, place]) => place < before.get(target.modelId)!).slice(-10)
      const losers = rivals.map(([modelId]) => modelId)
      return {
        payments: ring(4, 100).map((payer) => ({ modelId: target.modelId, payer, queries: 200, days: 1, amount: 200n * PRICE })),
        funding: ring(4, 100).map((to) => ({ from: FAUCET, to })),
        verdicts: ring(4, 100).map((payer) => ({ payer, winner: target.modelId, losers })),
      }
    }),
    attempt('price spam', { open: 0, lost: 0, accounts: 51 }, (target) => ({
      payments: [target.builders[0]!, ...ring(3, 50)].map((payer) => ({ modelId: target.modelId, payer, queries: 1_000_000, days: 30, amount: 1_000_000n })),
      funding: ring(3, 50).map((to) => ({ from: target.builders[0]!, to })),
    })),
    attempt('exam overfitting, uncounted', { open: 0, lost: 0, accounts: 0 }, (target) => ({ listing: overfitted(target, 1) })),
    attempt('exam overfitting, best of 20 without skill', { open: 0, lost: 0, accounts: 0 }, (target) => ({ listing: overfitted(target, 20) })),
  ]
}
