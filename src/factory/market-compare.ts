/**
 * Market compare: whether two sets of market records show the same, field by field. Knows nothing of how either came about.
 */
import type { MarketRecords } from '../ports/market.ts'

/** Where two sets of records differ, in sentences. */
export async function compare(shown: MarketRecords, anew: MarketRecords, now: number): Promise<{ listings: number; same: boolean; differences: string[] }> {
  const differences: string[] = []
  const [one, other] = [await shown.ranked(), await anew.ranked()]
  const ids = [...new Set([...one.listings, ...other.listings].map(({ modelId }) => modelId))].sort()
  for (const modelId of ids) {
    const of = async (records: MarketRecords) => {
      const row = await records.listing(modelId, now)
      if (!row) return undefined
      const { usage, exams } = await records.history(modelId)
      const { price, version, owner, payout, packageId, retired, place } = row
      // Reliability is what this gateway saw of its own answers; all else follows from the chain and the packages.
      return {
        price: price.toString(),
        version,
        owner,
        payout,
        packageId,
        retired,
        quality: place?.quality ?? null,
        use: place?.use ?? null,
        ...usage,
        amount: usage.amount.toString(),
        exams,
      }
    }
    const [is, should] = [await of(shown), await of(anew)]
    if (!is || !should) differences.push(`${modelId} is ${is ? 'shown, but does not follow from the chain' : 'on the chain, but not shown'}.`)
    else
      for (const field of Object.keys(is) as (keyof typeof is)[])
        if (JSON.stringify(is[field]) !== JSON.stringify(should[field]))
          differences.push(`${modelId}: ${field} is shown as ${JSON.stringify(is[field])}, but is ${JSON.stringify(should[field])}.`)
  }
  return { listings: ids.length, same: differences.length === 0, differences }
}
