/**
 * A synthetic market: listings, payers and payments made from topics, languages and tasks, every one marked as synthetic. For benches and tests of the
 * studio, never for a market that people use. The same seed gives the same market. Knows nothing of where it is kept.
 */
import { hashText } from '../../src/core/id.ts'
import type { Address, Hex } from '../../src/core/listing.ts'
import type { Facts, MarketEvent } from '../../src/core/market.ts'
import { random } from '../../src/core/report.ts'
import { languages, type Topic, topics } from './topics.ts'

export type Synthetic = { number: number; modelId: Hex; facts: Facts; topic: Topic['key']; language: string; task: string; reportId: Hex }

const DAY = 86_400
const OPEN = 10n ** 18n
/** Of all synthetic chains: a Monday. */
export const BEGAN = 1_793_000_000
const address = (group: number, number: number): Address => `0x${(BigInt(group) * 0x1000000000n + BigInt(number)).toString(16).padStart(40, '0')}`
const tasks = ['answer', 'classify', 'extract', 'transform'] as const
const licences = ['CC BY 4.0', 'CC0', 'Apache-2.0', 'own data'] as const

/** Listing by listing, so that a hundred thousand need not be held at once. */
export function* listingsOf(count: number, seed: number): Generator<Synthetic> {
  const next = random(seed)
  for (let number = 0; number < count; number++) {
    const topic = topics[Math.floor(next() * topics.length)]!
    // The first languages are the more frequent.
    const [language, spoken] = languages[Math.floor(next() ** 2 * languages.length)]!
    const task = tasks[Math.floor(next() * tasks.length)]!
    const says = topic.says[Math.floor(next() * 2)]!
    const score = 0.45 + 0.5 * next()
    const named = language === 'en' ? '' : next() < 0.7 ? `, in ${spoken}` : ''
    const slug = `${topic.domain.replace(/ /g, '-')}-${number}`
    yield {
      ...{ number, modelId: hashText(`synthetic model ${number}`), topic: topic.key, language, task, reportId: hashText(`synthetic report ${number}`) },
      facts: {
        ...{ packageId: hashText(`synthetic package ${number}`), name: slug, words: `${says}${named}.`, task, languages: [language], domain: topic.domain },
        ...{ labels: task === 'classify' ? [...topic.labels] : [], base: 'modelfactory-base-xs-v2', licences: [licences[Math.floor(next() * 4)]!] },
        exam: {
          ...{ n: 120, metric: 'macro-F1', score, interval: [score - 0.06, Math.min(1, score + 0.06)] },
          ...{ baseline: score - 0.02, baseScore: score - 0.2, root: hashText(`synthetic root ${number}`) },
        },
        ...{ verdict: next() < 0.6 ? 'proven' : 'unproven', latencyMs: 10 + Math.floor(next() * 300), synthetic: true },
      },
    }
  }
}

/** Registrations and first versions: two events a listing, a hundred listings a block. */
export function* listedEvents(listings: Iterable<Synthetic>): Generator<MarketEvent[]> {
  let events: MarketEvent[] = []
  let block = 1
  for (const { number, modelId, facts, reportId } of listings) {
    const where = { block, at: BEGAN + block }
    const owner = address(1, number % 5000)
    events.push(
      { ...where, place: events.length, kind: 'registered', modelId, owner, payout: owner, price: (BigInt(1 + (number % 20)) * OPEN) / 1000n },
      { ...where, place: events.length + 1, kind: 'version', modelId, version: 1, packageId: facts.packageId, reportId },
    )
    if (events.length >= 200) {
      yield events
      events = []
      block++
    }
  }
  if (events.length) yield events
}

/** Payments of `payers` accounts to `models` listings, a few hundred a block, from block `first` on, over sixty days. */
export function* paidEvents(options: { count: number; models: number; payers: number; first: number; seed: number }): Generator<MarketEvent[]> {
  const next = random(options.seed)
  const perBlock = 250
  const blocks = Math.ceil(options.count / perBlock)
  for (let index = 0; index < blocks; index++) {
    const block = options.first + index
    const at = BEGAN + Math.floor((60 * DAY * index) / blocks)
    yield Array.from({ length: Math.min(perBlock, options.count - index * perBlock) }, (_, place): MarketEvent => {
      // Few listings have most of the use.
      const number = Math.floor(next() ** 3 * options.models)
      const payer = address(2, Math.floor(next() * options.payers))
      return { block, place, at, kind: 'paid', modelId: hashText(`synthetic model ${number}`), payer, builder: address(1, number % 5000), amount: OPEN / 50n }
    })
  }
}
