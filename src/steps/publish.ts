/**
 * Package -> Listing: registers the model under its builder, sets the price, publishes the version's hashes. A version that did worse
 * than its own base is refused. Every part is idempotent, so a publish cut short is simply done again. Knows nothing of who asked.
 */
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { Hex } from '../core/listing.ts'
import type { Verdict } from '../core/report.ts'
import type { Chain } from '../ports/chain.ts'
import type { Account } from '../ports/keystore.ts'

/** `verdict` is the gate's; undefined for packages made before there was one, which are published as unproven. */
export async function publish(
  ports: { chain: Chain },
  options: { owner: Account; slug: string; price: bigint; packageId: Id; reportId: Id; verdict: Verdict | undefined },
): Promise<{ modelId: Hex; tx: Hex | null; price: bigint } | Refusal> {
  const { owner, price, verdict } = options
  if (verdict?.outcome === 'worse')
    return refuse(
      'worse_than_base',
      `The model "${options.slug}" did worse than its own base on its exam, so it cannot be published. ${verdict.why}`,
      'Add or correct examples and build it again; modelfactory ready says what would help.',
    )
  const registered = await ports.chain.register({ owner, slug: options.slug, payout: owner.address, price })
  if (isRefusal(registered)) return registered
  const listing = await ports.chain.listing(registered.modelId)
  let tx = registered.tx
  // The price first: a model is registered with one that nobody pays when its exam is committed, and no version may be sold at that.
  if (listing && listing.price !== price) {
    const priced = await ports.chain.setPrice({ owner, modelId: registered.modelId, price })
    if (isRefusal(priced)) return priced
    tx = priced.tx
  }
  if (listing?.packageId !== options.packageId || listing.reportId !== options.reportId) {
    const version = await ports.chain.publishVersion({ owner, modelId: registered.modelId, packageId: options.packageId, reportId: options.reportId })
    if (isRefusal(version)) return version
    tx = version.tx
  }
  // A rise takes effect after the registry's delay, so the price in force is read back, not assumed.
  const standing = await ports.chain.listing(registered.modelId)
  return { modelId: registered.modelId, tx, price: standing?.price ?? price }
}
