/**
 * The market's index: brings records up to the chain's final blocks, reads the packages that are listed, and keeps the places. When all that is new is
 * payments, only the places that they move are computed anew. Knows nothing of who searches.
 */
import type { Id } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import { type Facts, type MarketEvent, plainText } from '../core/market.ts'
import { type Ledger, openLedger } from '../core/rank-ledger.ts'
import type { Standing } from '../core/view.ts'
import { termsIn } from '../drivers/planner/concepts.ts'
import type { Chain } from '../ports/chain.ts'
import type { MarketRecords, Terms, Version } from '../ports/market.ts'
import type { Store } from '../ports/store.ts'
import { unpack } from '../steps/pack.ts'

/** Blocks asked for at once. */
const RANGE = 5000
/** Packages read before the others have their turn. */
const DESCRIBED = 50

export interface MarketIndex {
  /**
   * Brings records up to the chain's final blocks, or to `until`; the number of events that were taken. `again`: places are computed in any case;
   * `served`: listings whose answers were counted since.
   */
  follow(options?: { again?: boolean; served?: readonly Hex[]; until?: number }): Promise<number>
}

export function openMarketIndex(
  ports: { chain: Pick<Chain, 'finalBlock' | 'marketEvents'>; store: Store },
  records: MarketRecords,
  standing: (packageId: Id) => Promise<Standing>,
): MarketIndex {
  let ledger: Ledger | undefined
  /** The block up to which the ledger knows what was paid. */
  let known = -1
  return {
    async follow({ again = false, served = [], until } = {}) {
      const final = until ?? (await ports.chain.finalBlock())
      const touched = new Touched(served)
      let taken = 0
      // Another process that indexes into the same records was here: what it took in, this ledger has not heard.
      let anew = again || (await records.indexedUntil()) !== known
      for (let after = await records.indexedUntil(); after < final; after = await records.indexedUntil()) {
        const last = Math.min(final, after + RANGE)
        const events = await ports.chain.marketEvents({ fromBlock: after + 1, toBlock: last })
        // When somebody else was faster, their events stand and the next range follows theirs; what they were is not known here.
        if (!(await records.append(events, { after, until: last }))) anew = true
        else {
          taken += events.length
          if (!touched.add(events)) anew = true
        }
      }
      for (let some = await records.undescribed(DESCRIBED); some.length; some = await records.undescribed(DESCRIBED)) {
        for (const version of some) await records.describe(version, await describe(ports, version, standing))
        anew = true
      }
      known = await records.indexedUntil()
      if (!anew && touched.nothing) return taken
      try {
        const moved = ledger && !anew ? ledger.update(await records.ranked(touched.some())) : undefined
        if (moved) {
          await records.move(moved)
          return taken
        }
        ledger = openLedger(await records.ranked())
        await records.place(ledger.places())
      } catch (error) {
        // What the ledger took in may not be what is written.
        ledger = undefined
        known = -1
        throw error
      }
      return taken
    },
  }
}

/** Who paid and who was paid, as far as that is all that happened. */
class Touched {
  readonly #models: Set<Hex>
  readonly #payers = new Set<Address>()
  readonly #funded = new Set<Address>()

  constructor(served: readonly Hex[]) {
    this.#models = new Set(served)
  }

  get nothing(): boolean {
    return this.#models.size + this.#payers.size + this.#funded.size === 0
  }

  some(): { models: Hex[]; payers: Address[]; funded: Address[] } {
    return { models: [...this.#models], payers: [...this.#payers], funded: [...this.#funded] }
  }

  /** False when something else happened too. */
  add(events: readonly MarketEvent[]): boolean {
    for (const event of events) {
      if (event.kind === 'paid') this.#payers.add(event.payer)
      else if (event.kind === 'funded') this.#funded.add(event.to)
      else return false
    }
    return true
  }
}

/** What a package says, or null: it is not here, is damaged, or its report is another than the one that stands on chain. */
async function describe(
  ports: { store: Store },
  { packageId, reportId }: Version,
  standing: (packageId: Id) => Promise<Standing>,
): Promise<{ facts: Facts; terms: Terms } | null> {
  const unpacked = await unpack(ports, packageId).catch(() => undefined)
  if (!unpacked || unpacked.manifest.reportId !== reportId) return null
  const { manifest, spec, weights, report } = unpacked
  const arm = (name: string) => report.arms.find((one) => one.name === name)
  const tuned = arm('tuned')
  const facts: Facts = {
    packageId,
    name: plainText(manifest.name, 80),
    words: plainText(spec.words, 1000),
    task: spec.task,
    languages: [...new Set([...spec.language, ...spec.outputLanguage])].map((one) => plainText(one, 35)),
    domain: plainText(spec.domain ?? '', 100),
    labels: (spec.labels ?? []).slice(0, 200).map((label) => plainText(label, 120)),
    base: plainText(weights.base.name, 200),
    licences: [...new Set([...manifest.licences, weights.base.licence].map((licence) => plainText(licence, 200)).filter(Boolean))],
    exam: tuned
      ? {
          ...{ n: report.n, metric: report.metric, score: tuned.score, interval: tuned.interval },
          ...{ baseline: arm('baseline')?.score ?? null, baseScore: arm('base')?.score ?? null, root: report.root ?? null },
        }
      : null,
    verdict: await standing(packageId),
    latencyMs: report.latencyMs,
  }
  return { facts, terms: termsOf(facts) }
}

/** What a listing is found by: its name and field whole, its words and kinds less. */
export function termsOf(facts: Facts): Terms {
  const languages = facts.languages.map((language) => ({ term: `lang:${language.split('-')[0]}`, weight: 1.5 }))
  return [
    ...languages,
    ...termsIn(`${facts.name.replace(/-/g, ' ')} . ${facts.domain}`, 1),
    ...termsIn(facts.words, 0.5).map(({ term, weight }) => ({ term, weight: term.includes(':') ? Math.min(weight, 1) : weight })),
    ...termsIn(facts.labels.join(' . ').slice(0, 4000), 0.4).filter(({ term }) => !term.includes(':')),
  ]
}
