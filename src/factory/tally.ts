/**
 * Tally: what QueryPaid events add up to, by model and builder, without adding all of them up again each time. Events of final blocks are
 * added once; what may still be reorganised is added anew. Knows nothing of who looks at it.
 */

import type { QueryPaid } from '../core/earnings.ts'
import type { Address, Hex } from '../core/listing.ts'
import type { Chain } from '../ports/chain.ts'

export type PaidTotal = { modelId: Hex; builder: Address; queries: number; amount: bigint }

export function openTally(chain: Pick<Chain, 'queriesPaid' | 'finalBlock'>): () => Promise<PaidTotal[]> {
  const kept = new Map<string, PaidTotal>()
  let until = -1
  let reading: Promise<unknown> = Promise.resolve()

  const read = async (): Promise<PaidTotal[]> => {
    // Asked before the events, so that no block is called final whose events were not there yet.
    const final = await chain.finalBlock()
    const fresh = await chain.queriesPaid({ fromBlock: until + 1 })
    add(
      kept,
      fresh.filter(({ block }) => block <= final),
    )
    until = Math.max(until, final)
    const open = fresh.filter(({ block }) => block > final)
    if (open.length === 0) return [...kept.values()]
    const all = new Map([...kept].map(([key, total]) => [key, { ...total }]))
    add(all, open)
    return [...all.values()]
  }
  return () => {
    const result = reading.then(read)
    reading = result.catch(() => {})
    return result
  }
}

function add(totals: Map<string, PaidTotal>, events: readonly QueryPaid[]): void {
  for (const { modelId, builder, amount } of events) {
    const key = `${modelId}:${builder}`.toLowerCase()
    const total = totals.get(key) ?? { modelId, builder, queries: 0, amount: 0n }
    totals.set(key, total)
    total.queries++
    total.amount += amount
  }
}
