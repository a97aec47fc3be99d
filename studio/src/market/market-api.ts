/**
 * The market as the studio asks for it: search and listings of the whole chain where the server keeps a market, else the models of this server
 * in the same shape. Knows nothing of React.
 */
import type { Facets, Hit, ListingView, SearchView } from '../../../src/core/market.ts'
import type { Amount } from '../../../src/core/royalty.ts'
import type { ModelView, ReceiptView, StateView } from '../../../src/core/view.ts'
import { ask, Failed, get } from '../fetching.ts'

export type { Facet, Hit, ListingView, Review, SearchView } from '../../../src/core/market.ts'

/** What is searched by, as it stands in the page's address. */
export type Search = Partial<Record<'q' | 'task' | 'language' | 'domain' | 'base' | 'licence' | 'verdict' | 'maxPrice' | 'minQuality' | 'sort', string>>
export const FACETS = ['task', 'language', 'domain', 'base', 'licence', 'verdict'] as const

export type WalletView = {
  address: string
  balance: Amount
  currency: string
  test: boolean
  limits: { perQuery: Amount; perDay: Amount; perModelPerDay: Amount | null }
  today: { day: string; total: Amount; models: Record<string, Amount> }
  paid: ReceiptView[]
}

/** `local` says that only the models of this server are shown, because it keeps no market. */
export type Found = SearchView & { local: boolean }

export async function search(query: Search, cursor?: string, signal?: AbortSignal): Promise<Found> {
  const parameters = new URLSearchParams(Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1])))
  if (cursor) parameters.set('cursor', cursor)
  try {
    return { ...(await get<SearchView>(`/api/market/search?${parameters}`, signal)), local: false }
  } catch (error) {
    if (!noMarket(error)) throw error
    return { ...localSearch(await get<StateView>('/api/state', signal), query), local: true }
  }
}

/** By on-chain id, or by name where there is no market. */
export async function listing(id: string, signal?: AbortSignal): Promise<ListingView | null> {
  try {
    return await get<ListingView>(`/api/market/listings/${encodeURIComponent(id)}`, signal)
  } catch (error) {
    if (!noMarket(error)) throw error
    const { models } = await get<StateView>('/api/state', signal)
    const model = models.find((one) => one.modelId !== null && (one.modelId === id || one.name === id))
    return model ? listingOf(model) : null
  }
}

const noMarket = (error: unknown): boolean => error instanceof Failed && error.code === 'not_found'

export const wallet = (signal?: AbortSignal): Promise<WalletView> => get<WalletView>('/api/wallet', signal)
export const setLimits = (limits: { perQuery: string; perDay: string; perModelPerDay: string | null }) => ask<unknown>('PUT', '/api/wallet/limits', limits)
/** Questions a visitor may ask a day before paying, where this gateway answers for the model. */
export const freeOf = (name: string, signal: AbortSignal) => get<{ questions: number; left: number }>(`/api/models/${encodeURIComponent(name)}/free`, signal)
export const fund = () => ask<{ tx: string }>('POST', '/api/wallet/fund', {})

/** Models of this server whose words hold every word asked for, and every facet of what is left. */
export function localSearch(state: Pick<StateView, 'models'>, query: Search): SearchView {
  const wanted = (query.q ?? '')
    .toLocaleLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length > 2)
  const all = state.models.filter((model) => model.modelId !== null).map(listingOf)
  const heard = (hit: Hit) => {
    const text = `${hit.name} ${hit.words}`.toLocaleLowerCase()
    return wanted.filter((word) => text.includes(word)).length
  }
  const value = (hit: Hit, facet: (typeof FACETS)[number]): string[] =>
    facet === 'language' ? hit.languages : facet === 'licence' ? hit.licences : [facet === 'verdict' ? hit.verdict : hit[facet]]
  const fits = all.filter(
    (hit) =>
      (!wanted.length || heard(hit) > 0) &&
      FACETS.every((facet) => !query[facet] || value(hit, facet).includes(query[facet])) &&
      (!query.maxPrice || Number(hit.price.open) <= Number(query.maxPrice)) &&
      (!query.minQuality || (hit.exam !== null && hit.exam.interval[0] >= Number(query.minQuality))),
  )
  const facets = Object.fromEntries(
    FACETS.map((facet) => {
      const counts = new Map<string, number>()
      for (const hit of fits) for (const one of value(hit, facet)) if (one) counts.set(one, (counts.get(one) ?? 0) + 1)
      return [facet, [...counts].map(([name, count]) => ({ value: name, count }))]
    }),
  ) as Facets
  const hits = fits.sort((one, other) =>
    query.sort === 'price' ? Number(one.price.open) - Number(other.price.open) : heard(other) - heard(one) || other.score - one.score,
  )
  return { hits, total: hits.length, more: false, next: null, facets, corrected: [] }
}

/** A model of this server as a listing. What only the whole chain tells is left empty. */
function listingOf(model: ModelView): ListingView {
  const { name, words, task, packageId, exam, standing, queries, earned } = model
  const arm = exam.arms.find((one) => one.name === 'tuned')
  return {
    ...{ modelId: model.modelId as `0x${string}`, name, words, task, languages: [], domain: '', price: model.price!, base: '', licences: [] },
    ...{ verdict: standing ?? exam.verdict?.outcome ?? 'unproven', score: arm?.interval[0] ?? 0, latencyMs: null, synthetic: false, newcomer: false, why: [] },
    exam: arm ? { score: arm.score, interval: arm.interval, n: exam.n, metric: exam.metric } : null,
    paid: { queries, organic: 0 },
    ...{ owner: model.payout as `0x${string}`, payout: model.payout as `0x${string}`, version: 0, packageId: packageId as `0x${string}`, reportId: '0x' },
    ...{
      retired: false,
      registeredAt: 0,
      place: null,
      facts: null,
      prices: [],
      versions: [],
      exams: [],
      usage: { queries, payers: 0, open: earned },
      ...{ reviews: [], builder: null, health: null, sample: null },
    },
  }
}
