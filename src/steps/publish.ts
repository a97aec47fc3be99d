/**
 * Package -> Listing: registers the model under its builder, publishes the version's hashes, sets the price.
 * Every part is idempotent, so a publish cut short is simply done again. Knows nothing of who asked.
 */
import { isRefusal, type Refusal } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { Hex } from '../core/listing.ts'
import type { Account, Chain } from '../ports/chain.ts'

export async function publish(
  ports: { chain: Chain },
  options: { owner: Account; slug: string; price: bigint; packageId: Id; reportId: Id },
): Promise<{ modelId: Hex; tx: Hex | null; price: bigint } | Refusal> {
  const { owner, price } = options
  const registered = await ports.chain.register({ owner, slug: options.slug, payout: owner.address, price })
  if (isRefusal(registered)) return registered
  const listing = await ports.chain.listing(registered.modelId)
  let tx = registered.tx
  if (listing?.packageId !== options.packageId || listing.reportId !== options.reportId) {
    const version = await ports.chain.publishVersion({ owner, modelId: registered.modelId, packageId: options.packageId, reportId: options.reportId })
    if (isRefusal(version)) return version
    tx = version.tx
  }
  if (listing && listing.price !== price) {
    const priced = await ports.chain.setPrice({ owner, modelId: registered.modelId, price })
    if (isRefusal(priced)) return priced
    tx = priced.tx
  }
  // A rise takes effect after the registry's delay, so the price in force is read back, not assumed.
  const standing = await ports.chain.listing(registered.modelId)
  return { modelId: registered.modelId, tx, price: standing?.price ?? price }
}
