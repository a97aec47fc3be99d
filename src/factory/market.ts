/**
 * The market: follows the chain's final blocks, reads the packages it lists, ranks them, and answers whoever searches. Every figure follows from the
 * chain's events and the packages, which {@link Market.recompute} shows. Knows nothing of HTTP.
 */
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { contentId, type Id } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import {
  type Builder,
  type BuilderPost,
  type BuilderView,
  type Demand,
  type Hit,
  type ListingView,
  MOST_COUNTED,
  plainText,
  type Review,
  type SearchQuery,
  type SearchView,
  type VersionAt,
  type Wanted,
  type WantedPost,
} from '../core/market.ts'
import { NEWCOMER_PLACES, type Verdict, whyHere, withNewcomers } from '../core/ranking.ts'
import { Report } from '../core/report.ts'
import { amount } from '../core/royalty.ts'
import type { Standing } from '../core/view.ts'
import { openDatabase } from '../drivers/database/pglite.ts'
import { tagsOf, termsIn } from '../drivers/planner/concepts.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database } from '../ports/database.ts'
import type { History, ListingRow } from '../ports/market.ts'
import type { Store } from '../ports/store.ts'
import { compare } from './market-compare.ts'
import { openMarketIndex } from './market-index.ts'

/** How often new blocks are looked for when nobody says that there are some. */
const LOOK_MS = 15_000
/** With less of what was asked for than this, a listing was not what was looked for. */
const MEANT = 0.5
const SHOWN_REVIEWS = 50
const SHOWN_MODELS = 50

export type Recomputed = { listings: number; events: number; same: boolean; differences: string[] }

export interface Market {
  /** Says that something happened on chain: the market looks soon. */
  look(): void
  /** A paid question got its answer, which began after so many milliseconds, or the server failed it; written down when the market next looks. */
  served(modelId: Hex, answered: boolean, milliseconds?: number): void
  /** Everything that is final is in when it ends. */
  follow(): Promise<void>
  search(query: SearchQuery): Promise<SearchView>
  /** By the id on chain, or by the name of a model of this gateway. */
  listing(modelIdOrName: string): Promise<ListingView | Refusal>
  demand(): Promise<Demand[]>
  wanted(tag?: string): Promise<Wanted[]>
  want(post: WantedPost): Promise<Wanted>
  /** A review by whoever made the payment; `wallet` is who is signed in. */
  review(modelId: string, post: { tx: string; stars: number; text: string }, wallet: string | undefined): Promise<Review | Refusal>
  /** The builder's answer to a review; one for each. */
  reply(reviewId: string, text: string, wallet: string | undefined): Promise<Review | Refusal>
  /** What a builder says of themselves, and their models for sale. */
  builder(address: Address): Promise<BuilderView>
  /** `wallet` is who is signed in: everybody speaks for their own address. */
  introduce(post: BuilderPost, wallet: string | undefined): Promise<Builder | Refusal>
  report(modelId: string, reason: string, from: string | undefined): Promise<{ reported: true } | Refusal>
  reports(): Promise<{ modelId: Hex; reason: string; from: Address | null; at: number }[]>
  hide(modelId: string, hidden: boolean): Promise<{ modelId: Hex; hidden: boolean }>
  /** Keeps what an audition came to, for the ranking. */
  decided(verdict: Verdict & { id: string; cases: number }): Promise<void>
  /** Reads the chain and the packages anew into an empty database and compares what comes of it with what is shown. */
  recompute(): Promise<Recomputed>
  close(): Promise<void>
}

type Ports = { chain: Chain; database: Database; store: Store }

export function openMarket(ports: Ports, options: { standing: (packageId: Id) => Promise<Standing>; now: () => number }): Market {
  const { chain, database, store } = ports
  const records = database.market
  const index = openMarketIndex({ chain, store }, records, options.standing)
  const seconds = (): number => Math.floor(options.now() / 1000)
  const outcomes = new Map<Hex, { answered: number; failed: number; times: number[] }>()
  let following: Promise<void> = Promise.resolve()
  /** Places must be computed anew though the chain is the same: nothing was yet, or an audition was decided. */
  let stale = true
  let closed = false
  let soon: NodeJS.Timeout | undefined

  const follow = (): Promise<void> => {
    following = following
      .catch(() => {})
      .then(async () => {
        if (closed) return
        const served = [...outcomes.keys()]
        for (const [modelId, counts] of outcomes) {
          outcomes.delete(modelId)
          await records.served(modelId, { ...counts, at: seconds() })
        }
        await records.alive(seconds())
        const again = stale
        stale = false
        await index.follow({ again, served }).catch((error: unknown) => {
          stale = true
          throw error
        })
      })
    return following
  }
  const look = (): void => {
    if (soon || closed) return
    soon = setTimeout(() => {
      soon = undefined
      follow().catch((error: unknown) => console.error('The market could not follow the chain:', error))
    }, 500)
    soon.unref()
  }
  const looking = setInterval(look, LOOK_MS)
  looking.unref()
  look()

  /** Its row, whether named by id or by the name this gateway knows it under. */
  async function find(modelIdOrName: string): Promise<ListingRow | Refusal> {
    const modelId = /^0x[0-9a-fA-F]{64}$/.test(modelIdOrName) ? modelIdOrName : (await database.models.get(modelIdOrName))?.modelId
    const row = modelId ? await records.listing(modelId as Hex, seconds()) : undefined
    return row ?? refuse('listing_unknown', `The market knows no listing "${plainText(modelIdOrName, 80)}".`, 'Search for it: /api/market/search?q=...')
  }

  return {
    look,
    follow,
    served(modelId, answered, milliseconds) {
      const counts = outcomes.get(modelId) ?? { answered: 0, failed: 0, times: [] }
      outcomes.set(modelId, counts)
      if (answered) counts.answered++
      else counts.failed++
      if (milliseconds !== undefined) counts.times.push(milliseconds)
      look()
    },

    async search(query) {
      const terms = termsIn(query.q, 1)
      const now = seconds()
      const found = await records.search(query, terms, now)
      const first = query.cursor === undefined
      const facets = await records.facets(query, terms, now)
      if (first && query.for !== 'likeness' && query.q.trim()) {
        const meant = found.rows.filter(({ relevance }) => relevance >= MEANT).length
        await records.searched({ words: plainText(query.q, 200), tags: tagsOf(terms), found: meant, at: now })
      }
      const newcomers =
        first && query.sort === 'best'
          ? (await records.newcomers(query, terms, now, NEWCOMER_PLACES.length + query.limit)).filter(({ relevance }) => !query.q.trim() || relevance >= MEANT)
          : []
      const fresh = newcomers.filter((one) => !found.rows.some(({ modelId }) => modelId === one.modelId)).slice(0, NEWCOMER_PLACES.length)
      // Beside the page, not in the place of any of it: the next page goes on where this one ends.
      const page = withNewcomers(found.rows, fresh, (one, other) => one.modelId === other.modelId, found.rows.length + fresh.length)
      return {
        hits: page.map(({ one, newcomer }) => hitOf(one, newcomer)),
        total: found.total,
        more: found.total >= MOST_COUNTED,
        next: found.next,
        facets,
        corrected: found.corrected,
      }
    },

    async listing(modelIdOrName) {
      const row = await find(modelIdOrName)
      if (isRefusal(row)) return row
      const [history, reviews, builder, here, [newest]] = await Promise.all([
        records.history(row.modelId),
        records.reviews(row.modelId, SHOWN_REVIEWS),
        records.builder(row.owner),
        database.models.list(),
        database.receipts.list({ modelId: row.modelId, limit: 1 }),
      ])
      const answersHere = here.some(({ modelId }) => modelId?.toLowerCase() === row.modelId.toLowerCase())
      const { owner, payout, version, packageId, reportId, retired, registeredAt, place, facts } = row
      return {
        ...hitOf(row, false),
        builder: builder ?? null,
        ...{ owner, payout, version, packageId, reportId, retired, registeredAt, place, facts },
        prices: offered(history).map(({ at, price }) => ({ at, price: amount(price) })),
        ...{ versions: await withExams(store, history.versions), exams: history.exams, reviews },
        sample: newest ? { tx: newest.tx, requestHash: newest.requestHash } : null,
        usage: { queries: history.usage.queries, payers: history.usage.payers, open: amount(history.usage.amount) },
        health: answersHere ? await records.health(row.modelId, seconds(), history.versions[0]?.at ?? row.registeredAt) : null,
      }
    },

    demand: () => records.demand(50),
    wanted: (tag) => records.wanted({ ...(tag ? { tags: [tag] } : {}), limit: 100 }),
    async want(post) {
      const clean = {
        need: plainText(post.need),
        cases: post.cases.map(({ input, output }) => ({ input: plainText(input), output: plainText(output) })),
        contact: plainText(post.contact, 200),
      }
      const wanted = { id: contentId(clean), at: seconds(), tags: tagsOf(termsIn(clean.need)), ...clean }
      await records.want(wanted)
      return wanted
    },

    async review(modelIdOrName, post, wallet) {
      const row = await find(modelIdOrName)
      if (isRefusal(row)) return row
      if (!wallet) return refuse('not_signed_in', 'A review is signed by the wallet that paid.', 'Sign in with that wallet and try again.')
      const tx = post.tx.toLowerCase()
      const paid = (await chain.queriesPaid({ modelId: row.modelId })).find(
        (one) => one.tx.toLowerCase() === tx && one.payer.toLowerCase() === wallet.toLowerCase(),
      )
      if (!paid)
        return refuse(
          'not_paid',
          `Transaction ${post.tx.slice(0, 12)}… is no payment of ${wallet} for this model.`,
          'Give the transaction of a query that this wallet paid for.',
        )
      const review = {
        ...{ id: contentId({ tx, payer: wallet.toLowerCase(), modelId: row.modelId }), modelId: row.modelId, payer: paid.payer, tx: paid.tx },
        ...{ stars: post.stars, text: plainText(post.text), at: seconds() },
      }
      await records.review(review)
      return { ...review, reply: null }
    },

    async reply(reviewId, text, wallet) {
      const review = await records.reviewOf(reviewId)
      if (!review) return refuse('review_unknown', 'There is no such review.', 'Take its id from the listing.')
      const row = await find(review.modelId)
      if (isRefusal(row)) return row
      if (!wallet || wallet.toLowerCase() !== row.owner.toLowerCase())
        return refuse('not_the_builder', 'Only the model’s owner answers its reviews.', `Sign in with ${row.owner}.`)
      await records.reply(reviewId, { text: plainText(text), at: seconds() })
      return (await records.reviewOf(reviewId))!
    },

    async builder(address) {
      const [profile, rows] = await Promise.all([records.builder(address), records.listingsOf(address, seconds(), SHOWN_MODELS)])
      const models = rows.map(({ modelId, facts }) => ({
        modelId,
        name: facts?.name ?? modelId.slice(0, 12),
        verdict: facts?.verdict ?? ('unverified' as const),
      }))
      return { address, profile: profile ?? null, models }
    },
    async introduce(post, wallet) {
      if (!wallet) return refuse('not_signed_in', 'Nobody is signed in, so nobody can be introduced.', 'Sign in with the wallet that builds.')
      const builder = {
        ...{ address: wallet as Address, at: seconds(), name: plainText(post.name, 80), about: plainText(post.about, 1000) },
        credentials: post.credentials.map(({ title, url }) => ({ title: plainText(title, 120), url })),
      }
      await records.introduce(builder)
      return builder
    },

    async report(modelIdOrName, reason, from) {
      const row = await find(modelIdOrName)
      if (isRefusal(row)) return row
      await records.report({ modelId: row.modelId, reason: plainText(reason, 2000), from: (from as Address | undefined) ?? null, at: seconds() })
      return { reported: true }
    },
    reports: () => records.reports(200),
    async hide(modelId, hidden) {
      await records.hide(modelId as Hex, hidden)
      return { modelId: modelId as Hex, hidden }
    },

    async decided(verdict) {
      await records.verdict({ ...verdict, at: seconds() })
      stale = true
      look()
    },

    async recompute() {
      await follow()
      const until = await records.indexedUntil()
      const anew = await openDatabase({ folder: null })
      try {
        const events = await openMarketIndex({ chain, store }, anew.market, options.standing).follow({ until })
        return { events, ...(await compare(records, anew.market, seconds())) }
      } finally {
        await anew.close()
      }
    },

    async close() {
      clearInterval(looking)
      clearTimeout(soon)
      await following.catch(() => {})
      closed = true
    },
  }
}

/** Versions with what their exams said, read from the reports that are here. */
async function withExams(store: Store, versions: readonly VersionAt[]): Promise<ListingView['versions']> {
  const read: ListingView['versions'] = []
  for (const version of versions) {
    const bytes = (await store.has(version.reportId)) ? await store.get(version.reportId).catch(() => undefined) : undefined
    const report = bytes && Report.safeParse(readJson(bytes)).data
    const arm = report?.arms.find(({ name }) => name === 'tuned')
    const exam = report && arm ? { score: arm.score, interval: arm.interval, n: report.n } : null
    const before = read.findLast((one) => one.exam !== null)?.exam
    // Two exams need not be of the same cases, so it is worse only when either lies outside what the other shows.
    read.push({ ...version, exam, worse: Boolean(exam && before && exam.score < before.interval[0] && before.score > exam.interval[1]) })
  }
  return read
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

/** Prices that somebody could pay: the one that stood when the first version came, and those after it. */
function offered({ prices, versions }: History): History['prices'] {
  const since = versions[0]?.at ?? 0
  const before = prices.filter(({ at }) => at <= since).slice(-1)
  return [...before.map((one) => ({ ...one, at: since })), ...prices.filter(({ at }) => at > since)]
}

function hitOf(row: ListingRow & { relevance?: number }, newcomer: boolean): Hit {
  const { facts, place } = row
  const exam = facts?.exam ? { score: facts.exam.score, interval: facts.exam.interval, attempts: Math.max(1, row.attempts) } : null
  return {
    modelId: row.modelId,
    ...{ name: facts?.name ?? row.modelId.slice(0, 12), words: facts?.words ?? '', task: facts?.task ?? '' },
    ...{ languages: facts?.languages ?? [], domain: facts?.domain ?? '', price: amount(row.price), verdict: facts?.verdict ?? 'unverified' },
    exam: facts?.exam ? { score: facts.exam.score, interval: facts.exam.interval, n: facts.exam.n, metric: facts.exam.metric } : null,
    ...{ latencyMs: facts?.latencyMs ?? null, base: facts?.base ?? '', licences: facts?.licences ?? [] },
    paid: { queries: place?.counts.raw ?? 0, organic: place?.counts.organic ?? 0 },
    ...{ score: place?.score ?? 0, synthetic: row.synthetic, newcomer },
    why: place ? whyHere(place, exam, newcomer) : ['It has no place yet: its package cannot be read here, or it was listed a moment ago.'],
  }
}
