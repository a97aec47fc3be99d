/**
 * The market's nouns: what happens to listings on chain, what their packages say, what is asked for and what is found. Pure data and schemas;
 * knows nothing of where any of it is kept.
 */
import { z } from 'zod'
import type { Health } from './health.ts'
import type { Id } from './id.ts'
import type { Address, Hex } from './listing.ts'
import type { Place } from './ranking.ts'
import type { Amount } from './royalty.ts'

/** Something the contracts said; `at` in Unix seconds of the block, `place` the log's in its block. */
export type MarketEvent = { block: number; place: number; at: number } & (
  | { kind: 'registered'; modelId: Hex; owner: Address; payout: Address; price: bigint }
  | { kind: 'version'; modelId: Hex; version: number; packageId: Id; reportId: Id }
  | { kind: 'price'; modelId: Hex; price: bigint }
  | { kind: 'price-rise'; modelId: Hex; price: bigint; effectiveAt: number }
  | { kind: 'exam'; modelId: Hex; examRoot: Hex }
  | { kind: 'attempt'; modelId: Hex; examRoot: Hex; attempts: number }
  | { kind: 'payout'; modelId: Hex; payout: Address }
  | { kind: 'owner'; modelId: Hex; owner: Address }
  | { kind: 'retired'; modelId: Hex }
  | { kind: 'paid'; modelId: Hex; payer: Address; builder: Address; amount: bigint }
  /** OPEN that one account gave another, other than for a query. */
  | { kind: 'funded'; from: Address; to: Address; amount: bigint }
)

/** What a listing's package says, as the market shows it; every text cleaned by {@link plainText}. */
export type Facts = {
  packageId: Id
  name: string
  words: string
  task: string
  /** BCP-47. */
  languages: string[]
  domain: string
  labels: string[]
  base: string
  licences: string[]
  exam: { n: number; metric: string; score: number; interval: [number, number]; baseline: number | null; baseScore: number | null; root: Id | null } | null
  verdict: 'proven' | 'unproven' | 'worse' | 'unverified'
  latencyMs: number
  /** Made for benches and tests; never in a market that people use. */
  synthetic?: true
}

/** What a search may ask for. */
export const SearchQuery = z.object({
  q: z.string().max(2000).default(''),
  task: z.enum(['answer', 'classify', 'extract', 'transform']).optional(),
  language: z.string().max(35).optional(),
  domain: z.string().max(100).optional(),
  base: z.string().max(200).optional(),
  licence: z.string().max(200).optional(),
  /** Highest price, a decimal number of OPEN. */
  maxPrice: z
    .string()
    .regex(/^\d{1,20}(\.\d{1,18})?$/, 'a decimal number of OPEN')
    .optional(),
  /** Lowest exam score shown at least, 0 to 1. */
  minQuality: z.coerce.number().min(0).max(1).optional(),
  maxLatencyMs: z.coerce.number().positive().optional(),
  verdict: z.enum(['proven', 'unproven']).optional(),
  sort: z.enum(['best', 'price', 'newest']).default('best'),
  limit: z.coerce.number().int().min(1).max(50).default(10),
  cursor: z.string().max(500).optional(),
  /** `likeness`: a builder looks at models like their own, which is no demand. */
  for: z.enum(['need', 'likeness']).optional(),
})
export type SearchQuery = z.infer<typeof SearchQuery>

export type Facet = { value: string; count: number }
export type Facets = Record<'task' | 'language' | 'domain' | 'base' | 'licence' | 'verdict', Facet[]>

/** A listing as a page of results shows it. */
export type Hit = {
  modelId: Hex
  name: string
  words: string
  task: string
  languages: string[]
  domain: string
  price: Amount
  verdict: Facts['verdict']
  exam: { score: number; interval: [number, number]; n: number; metric: string } | null
  latencyMs: number | null
  base: string
  licences: string[]
  /** Paid queries, and independent payers who came back, as they count. */
  paid: { queries: number; organic: number }
  score: number
  /** Made for benches and tests; never in a market that people use. */
  synthetic: boolean
  newcomer: boolean
  why: string[]
}

/** Matches are counted up to here: to count more of them would take longer than to find the best. */
export const MOST_COUNTED = 1000

export type SearchView = {
  hits: Hit[]
  /** Counted up to {@link MOST_COUNTED}; `more` when there may be more than that. */
  total: number
  more: boolean
  /** For the next page; null on the last. */
  next: string | null
  facets: Facets
  /** Words that were read as others, because nothing is written like them. */
  corrected: { from: string; to: string }[]
}

export type Review = { id: string; modelId: Hex; payer: Address; tx: Hex; stars: number; text: string; at: number; reply: { text: string; at: number } | null }

/** What a builder says of themselves. Nobody has checked it; a credential may name a page where a reader can. */
export const BuilderPost = z.object({
  name: z.string().trim().min(2, 'at least two characters').max(80),
  about: z.string().trim().max(1000).default(''),
  credentials: z
    .array(
      z.object({
        title: z.string().trim().min(2, 'at least two characters').max(120),
        url: z
          .string()
          .trim()
          .max(300)
          .refine((url) => url === '' || /^https:\/\/[^\s/]+/.test(url), 'an address that begins with https://, or nothing')
          .default(''),
      }),
    )
    .max(5, 'at most five')
    .default([]),
})
export type BuilderPost = z.infer<typeof BuilderPost>
export type Builder = BuilderPost & { address: Address; at: number }
/** A builder, and their models that are for sale. */
export type BuilderView = { address: Address; profile: Builder | null; models: { modelId: Hex; name: string; verdict: Facts['verdict'] }[] }

/** What stood on the chain from when; `at` in Unix seconds. */
export type VersionAt = { at: number; version: number; packageId: Id; reportId: Id }

export type ListingView = Hit & {
  /** What the owner says of themselves, if anything. */
  builder: Builder | null
  owner: Address
  payout: Address
  version: number
  packageId: Id
  reportId: Id
  retired: boolean
  registeredAt: number
  place: Place | null
  facts: Facts | null
  prices: { at: number; price: Amount }[]
  /** `exam` as its report says, where that is here; `worse` when it did worse than the version before it, beyond chance. */
  versions: (VersionAt & { exam: { score: number; interval: [number, number]; n: number } | null; worse: boolean })[]
  /** A payment of it whose passport anybody can fetch and check: what a buyer gets with every answer. */
  sample: { tx: Hex; requestHash: Id } | null
  exams: { examRoot: Hex; committedAt: number; attempts: number }[]
  usage: { queries: number; payers: number; open: Amount }
  /** How this gateway saw it do, of models that answer here; null of others. */
  health: Health | null
  reviews: Review[]
}

export const WantedPost = z.object({
  need: z.string().trim().min(10, 'at least ten characters').max(4000),
  /** What it should say for what, so that an expert sees what is meant. */
  cases: z.array(z.object({ input: z.string().min(1).max(4000), output: z.string().max(4000) })).max(20),
  contact: z.string().max(200).default(''),
})
export type WantedPost = z.infer<typeof WantedPost>
export type Wanted = WantedPost & { id: string; at: number; tags: string[] }

/** Cases of one's own for a blind audition, among named models or those that are found by need. */
export const AuditionPost = z
  .object({
    need: z.string().trim().min(3, 'at least three characters').max(4000).optional(),
    models: z.array(z.string().min(1).max(200)).min(2, 'at least two').max(3, 'at most three').optional(),
    cases: z.array(z.string().trim().min(1).max(20_000)).min(1).max(20, 'at most twenty'),
  })
  .refine(({ need, models }) => (need === undefined) !== (models === undefined), { message: 'either "need" or "models"', path: ['need'] })
export type AuditionPost = z.infer<typeof AuditionPost>
export type AuditionView = {
  id: string
  at: number
  cases: string[]
  /** Answers in the order of the cases; `model` is null until one is chosen. */
  contestants: { letter: string; answers: string[]; model: { name: string; modelId: Hex; price: Amount } | null }[]
  /** What choosing the dearest would cost. */
  most: Amount
  picked: string | null
  /** Answers of the chosen one that are paid on the chain. */
  paid: number
  settled: boolean
}

/** What people looked for and hardly found. */
export type Demand = { tags: string[]; words: string; searches: number; found: number; last: number }

export const ReviewPost = z.object({
  tx: z.string().regex(/^0x[0-9a-fA-F]{64}$/, 'the hash of a payment'),
  stars: z.number().int().min(1).max(5),
  text: z.string().trim().max(4000),
})
export const ReplyPost = z.object({ text: z.string().trim().min(1).max(4000) })
export const ReportPost = z.object({ reason: z.string().trim().min(3).max(2000) })

/** Characters that a listing may write a name with to look like another's: controls, direction marks, joiners at the edges. */
const DECEIVING = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu

/** A stranger's text as it can be shown and indexed: well formed, without controls and direction marks, on one line, cut at `most` characters. */
export function plainText(text: string, most = 4000): string {
  const clean = text
    .slice(0, most * 4)
    .replace(/\s+/gu, ' ')
    .replace(DECEIVING, '')
    .normalize('NFC')
    .trim()
  const letters = [...clean]
  return letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : clean
}
