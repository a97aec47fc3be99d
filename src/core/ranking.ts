/**
 * Ranking: where a listing stands in the market, and why, from its sealed exam, from payments, and from what this gateway saw: answers that failed,
 * and auditions that the chain shows as paid. The formula is open and pure, so anyone can compute a place again. Knows nothing of search, databases or
 * where payments are read.
 *
 * score = quality x use x reliability x taste
 * - quality: the lower end of the exam's 95 % interval, moved down for repeated attempts at one exam (Bonferroni) and by a failed twin check;
 * - use: 1 + log2(max(1, independent repeat payers)) / 4: everybody has one friend, so the first adds nothing. A payer does not count when it is the
 *   builder or has its money from the builder; it must have paid on two days or more; and payers with one purse count as their best one. What a payer gives
 *   to other builders is what it cannot get back, whoever stands behind it: it counts (gives / {@link GIVEN_ELSEWHERE})^2, at most 1, and so not at all when
 *   it pays nobody else;
 * - reliability: (answered + 19) / (answered + failed + 20), so that a new listing starts at 0.95 (a Beta prior);
 * - taste: 0.9 + 0.2 (won + 5) / (won + lost + 10), of blind auditions paid for by independent payers, so that a new listing starts at 1.
 */
import type { Address, Hex } from './listing.ts'

/** What one payer paid one listing, all together; `days` are the distinct UTC days. */
export type PaymentEdge = { modelId: Hex; payer: Address; queries: number; days: number; amount: bigint }

/** An account that got OPEN from another before it paid for anything; the first such transfer of each pair. */
export type FundingEdge = { from: Address; to: Address }

/** What a payer chose in a blind audition and paid for. */
export type Verdict = { payer: Address; winner: Hex; losers: readonly Hex[] }

export type Ranked = {
  modelId: Hex
  /** Of the listing now and before: owner, payout. Payments by any of them are the builder's own. */
  builders: readonly Address[]
  exam: { score: number; interval: readonly [number, number]; attempts: number } | null
  /** Lower end of the interval of the exam run again as it is sold, where that was worse than the report says. */
  servedLower: number | null
  answered: number
  failed: number
}

export type Use = {
  /** Queries paid, whoever paid. */
  raw: number
  /** Independent repeat payers, as they count. */
  organic: number
  /** Why payments do not count, each with the payers it is about. */
  discounted: { own: number; funded: number; once: number; single: number; together: number }
}

/** Auditions won and lost, as they count. */
export type Taste = { won: number; lost: number }

export type Place = { modelId: Hex; score: number; quality: number; use: number; reliability: number; taste: number; counts: Use; auditions: Taste }

/** A funder whose accounts pay this many unrelated builders is a faucet or an exchange, and ties nobody together. */
export const PUBLIC_FUNDER_BUILDERS = 5
/**
 * What a payer must have paid to other builders to count whole: 0.2 OPEN, in atomic units. Fixed, because whatever is taken from the market itself,
 * a median say, an attacker can move.
 */
export const GIVEN_ELSEWHERE = 2n * 10n ** 17n

/** Standard normal quantile (Acklam 2003; relative error below 1.2e-9). */
function quantile(p: number): number {
  const [a, b, c, d] = [
    [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239],
    [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572],
    [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783],
    [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416],
  ] as const
  const polynomial = (coefficients: readonly number[], x: number) => coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0)
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p))
    return polynomial(c, q) / (polynomial(d, q) * q + 1)
  }
  if (p > 1 - 0.02425) return -quantile(1 - p)
  const q = p - 0.5
  return (polynomial(a, q * q) * q) / (polynomial(b, q * q) * q * q + 1)
}

/**
 * What the exam shows at least: the lower end of its interval. Whoever sits one exam k times and publishes the best has k chances to be lucky, so
 * the interval is widened to hold for all of them at once (Bonferroni). 0 without an exam.
 */
export function qualityLower(exam: Ranked['exam'], servedLower: number | null = null): number {
  if (!exam) return 0
  const attempts = Math.max(1, exam.attempts)
  const widened = quantile(1 - 0.025 / attempts) / quantile(0.975)
  const lower = exam.score - (exam.score - exam.interval[0]) * widened
  return Math.max(0, servedLower === null ? lower : Math.min(lower, servedLower))
}

export const useFactor = (organic: number): number => 1 + Math.log2(Math.max(1, organic)) / 4
export const tasteFactor = ({ won, lost }: Taste): number => 0.9 + (0.2 * (won + 5)) / (won + lost + 10)
export const reliability = (answered: number, failed: number): number => (answered + 19) / (answered + failed + 20)

/** Where a listing stands by what is known of it. */
export function placeOf(listing: Ranked, counts: Use, auditions: Taste): Place {
  const quality = qualityLower(listing.exam, listing.servedLower)
  const [use, trust, taste] = [useFactor(counts.organic), reliability(listing.answered, listing.failed), tasteFactor(auditions)]
  return { modelId: listing.modelId, score: quality * use * trust * taste, quality, use, reliability: trust, taste, counts, auditions }
}

/** Places on a page that go to the best newcomers by exam alone, counted from 0. */
export const NEWCOMER_PLACES: readonly number[] = [2, 7]
/** With fewer independent payers than this a listing is a newcomer. */
export const NEWCOMER_PAYERS = 3

/** A page's order with the newcomers' places filled: the best newcomer that does not stand on the page by its own score. */
export function withNewcomers<One>(
  ranked: readonly One[],
  newcomers: readonly One[],
  same: (one: One, other: One) => boolean,
  size: number,
): { one: One; newcomer: boolean }[] {
  const page = ranked.slice(0, size)
  const waiting = newcomers.filter((one) => !page.some((other) => same(one, other)))
  const filled: { one: One; newcomer: boolean }[] = []
  const rest = [...page]
  while (filled.length < size && (rest.length || waiting.length)) {
    const next = NEWCOMER_PLACES.includes(filled.length) ? waiting.shift() : undefined
    if (next) filled.push({ one: next, newcomer: true })
    else if (rest.length) filled.push({ one: rest.shift()!, newcomer: false })
    else break
  }
  return filled
}

const rounded = (value: number): string => value.toFixed(2)
const people = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

/** "Why is this here": the three factors in plain words, and what was not counted. */
export function whyHere(place: Place, exam: Ranked['exam'], newcomer = false): string[] {
  const { counts } = place
  const { own, funded, once, single, together } = counts.discounted
  return [
    ...(newcomer ? ['Shown here because it is new: this place goes to the best exam among listings that hardly anybody has paid for yet.'] : []),
    exam
      ? `Quality ${rounded(place.quality)}: its sealed exam says ${rounded(exam.score)}, at least ${rounded(exam.interval[0])} in 95 of 100 draws${exam.attempts > 1 ? `, counted lower because it took ${exam.attempts} attempts` : ''}.`
      : 'Quality 0: no exam of it can be read here.',
    `Use ${rounded(place.use)}: ${people(counts.raw, 'paid query', 'paid queries')}, which count as ${rounded(counts.organic)} independent payers who came back.`,
    ...(own ? [`Not counted: ${people(own, 'account', 'accounts')} of the builder.`] : []),
    ...(funded ? [`Not counted: ${people(funded, 'payer', 'payers')} with money from the builder.`] : []),
    ...(once ? [`Not counted yet: ${people(once, 'payer', 'payers')} who paid on one day only.`] : []),
    ...(single ? [`Counted in part or not at all: ${people(single, 'payer', 'payers')} who pay others little or nothing.`] : []),
    ...(together ? [`Counted as one: ${people(together, 'payer', 'payers')} who share a purse with another.`] : []),
    `Reliability ${rounded(place.reliability)}: how often a paid question got its answer.`,
    ...(place.auditions.won + place.auditions.lost > 0
      ? [
          `Taste ${rounded(place.taste)}: in blind auditions it was chosen by ${rounded(place.auditions.won)} and not chosen by ${rounded(place.auditions.lost)} independent payers.`,
        ]
      : []),
  ]
}
