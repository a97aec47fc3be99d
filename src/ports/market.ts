/**
 * Market records: the listings of a chain, what their packages say, who paid them, and what people look for, in a database that can search.
 * Every figure follows from the chain's events and the packages. Knows nothing of how either is read, nor of how a place is computed.
 */
import type { Gap } from '../core/gaps.ts'
import type { Health } from '../core/health.ts'
import type { Id } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import type { Builder, Demand, Facets, Facts, ListingView, MarketEvent, Review, SearchQuery, VersionAt, Wanted } from '../core/market.ts'
import type { FundingEdge, PaymentEdge, Place, Ranked, Verdict } from '../core/ranking.ts'

/** A listing as it is kept; prices as of `now`. */
export type ListingRow = Pick<ListingView, 'modelId' | 'owner' | 'payout' | 'version' | 'packageId' | 'reportId' | 'retired' | 'registeredAt' | 'synthetic'> & {
  price: bigint
  facts: Facts | null
  place: Place | null
  /** Attempts the chain counts at the exam of the package's report. */
  attempts: number
}

export type History = {
  prices: { at: number; price: bigint }[]
  versions: VersionAt[]
  exams: ListingView['exams']
  usage: { queries: number; payers: number; amount: bigint }
}

/** Words and concepts of a text, as they are indexed and asked for; `weight` says how much of a match each is. */
export type Terms = { term: string; weight: number }[]

export type Found = {
  rows: (ListingRow & { relevance: number })[]
  total: number
  /** What the next page starts after; null on the last. */
  next: string | null
  corrected: { from: string; to: string }[]
}

/** What the chain lists of a model. */
export type Version = { modelId: Hex; packageId: Id; reportId: Id }

export interface MarketRecords {
  /** The last block whose events are in; -1 before the first. */
  indexedUntil(): Promise<number>
  /**
   * Takes all events of the blocks after `after` up to `until`. Atomic, and idempotent: false, and nothing changes, unless the index stands
   * exactly at `after`, so that two indexers count nothing twice and a gap cannot come about.
   */
  append(events: readonly MarketEvent[], range: { after: number; until: number }): Promise<boolean>
  /** Forgets all that follows from the chain, to be read again; what packages say and people wrote stays. */
  reset(): Promise<void>

  /** Listings whose present package is not described yet. */
  undescribed(limit: number): Promise<Version[]>
  /** What the package of a listing says, with its terms; null where it cannot be had or does not match its hash, which is kept too. */
  describe(version: Version, facts: { facts: Facts; terms: Terms } | null): Promise<void>

  /**
   * All that ranking needs; listings that are retired, hidden or without a package here are left out. With `some`: of it no more than those listings,
   * what those accounts paid, and who first gave the others money.
   */
  ranked(some?: { models: readonly Hex[]; payers: readonly Address[]; funded: readonly Address[] }): Promise<{
    listings: (Ranked & { registeredAt: number })[]
    payments: PaymentEdge[]
    funding: FundingEdge[]
    verdicts: Verdict[]
  }>
  /** Keeps places as computed; those not given have none. */
  place(places: readonly Place[]): Promise<void>
  /** Keeps these places as computed; the others stay. */
  move(places: readonly Place[]): Promise<void>

  /**
   * Listings that match all that is asked, best first by relevance and place, then by id. `terms` are those of `query.q`; without any, every
   * listing matches. `next` of one page, as `cursor` of the same query, gives the page after it.
   */
  search(query: SearchQuery, terms: Terms, now: number): Promise<Found>
  /** How many listings that match hold each value, most first, at most twenty of each. */
  facets(query: SearchQuery, terms: Terms, now: number): Promise<Facets>
  /** The best newcomers by exam alone that match. */
  newcomers(query: SearchQuery, terms: Terms, now: number, limit: number): Promise<(ListingRow & { relevance: number })[]>
  listing(modelId: Hex, now: number): Promise<ListingRow | undefined>
  history(modelId: Hex): Promise<History>

  /** Answers and failures of paid queries, as this gateway saw them; `times` in milliseconds until an answer began, `at` in Unix seconds. */
  served(modelId: Hex, outcome: { answered: number; failed: number; times: readonly number[]; at: number }): Promise<void>
  /** This gateway is there in this minute; `at` in Unix seconds. */
  alive(at: number): Promise<void>
  /** How a listing did in the days before `at`, and whether the gateway was there, of both no longer ago than `since`. */
  health(modelId: Hex, at: number, since: number): Promise<Health>

  /** What an audition came to; the same one twice is one. */
  verdict(verdict: Verdict & { id: string; cases: number; at: number }): Promise<void>

  /** Remembers what was looked for, under what it is about, and how many were found. */
  searched(entry: { words: string; tags: readonly string[]; found: number; at: number }): Promise<void>
  /** What is looked for and hardly found, most searched first. */
  demand(limit: number): Promise<Demand[]>

  want(wanted: Wanted): Promise<void>
  wanted(options: { tags?: readonly string[]; limit: number }): Promise<Wanted[]>

  /** One review for a payment; a later one of the same payment takes its place. */
  review(review: Omit<Review, 'reply'>): Promise<void>
  reply(id: string, reply: { text: string; at: number }): Promise<boolean>
  reviews(modelId: Hex, limit: number): Promise<Review[]>
  reviewOf(id: string): Promise<Review | undefined>

  /** What a builder says of themselves; a later word takes the place of the one before. */
  introduce(builder: Builder): Promise<void>
  builder(address: Address): Promise<Builder | undefined>
  /** Listings of an owner that are for sale, the best first. */
  listingsOf(owner: Address, now: number, limit: number): Promise<ListingRow[]>

  /** Keeps a question that a model had no answer to; the same one again counts. Of a model the newest thousand stay. `at` in Unix seconds. */
  gap(gap: { model: string; question: string; tags: readonly string[]; at: number }): Promise<void>
  /** Newest first of each model. */
  gaps(): Promise<Gap[]>
  forgetGaps(model: string): Promise<void>

  report(report: { modelId: Hex; reason: string; from: Address | null; at: number }): Promise<void>
  reports(limit: number): Promise<{ modelId: Hex; reason: string; from: Address | null; at: number }[]>
  /** Takes a listing out of search, or puts it back; the chain is not asked. */
  hide(modelId: Hex, hidden: boolean): Promise<void>
}
