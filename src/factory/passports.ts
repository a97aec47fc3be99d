/**
 * Passports: made of the receipts of this data folder, and checked wherever they come from. Knows nothing of HTTP or files.
 */
import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import { signedIn } from '../core/offer.ts'
import { type Passport, Proof } from '../core/passport.ts'
import { rpcEvidence } from '../drivers/passport/evidence.ts'
import { notary, openSeal } from '../drivers/passport/notary.ts'
import { rpcWitness } from '../drivers/passport/witness.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database } from '../ports/database.ts'
import type { Evidence, Recorded } from '../ports/evidence.ts'
import type { Account } from '../ports/keystore.ts'
import type { Store } from '../ports/store.ts'
import { makePassport } from '../steps/passport.ts'
import { type Verdict, type VerifyOptions, verifyPassport, verifySigned } from '../steps/verify.ts'

export type Passports = {
  /** The passport of one paid query; `requestHash`, and for the same request twice `nonce`, tell apart what one transaction paid. */
  make(tx: string, requestHash?: string, nonce?: string): Promise<Passport | Refusal>
  /** Keeps the proof that a version was published, to be called soon after: chains forget old blocks, and passports need this one for ever. */
  published(version: { modelId: Hex; packageId: Id; block: number }): Promise<void>
}

export async function openPassports(parts: {
  chain: Chain
  store: Store
  database: Pick<Database, 'receipts' | 'settings'>
  gateway: Account
  builder: Account
}): Promise<Passports> {
  const { chain, store, database } = parts
  const { chainId } = chain.network
  const { contracts } = chain
  const router = contracts.router.toLowerCase() as Address
  const seal = await openSeal({ gateway: parts.gateway, builder: parts.builder, chainId, router })
  const evidence = keptPublications(rpcEvidence({ chain, url: () => chain.network.rpc }), database.settings)
  return {
    async published({ modelId, packageId, block }) {
      await evidence.publication({ modelId, packageId, until: block })
    },
    async make(tx, requestHash, nonce) {
      if (!/^0x[0-9a-f]{64}$/.test(tx))
        return refuse('tx_invalid', `"${tx}" is not the hash of a transaction.`, 'Give 0x and 64 lower-case hex digits, as the receipt has them.')
      const paid = await database.receipts.list({ tx: tx as Hex })
      const found = paid.filter(
        (receipt) => (requestHash === undefined || receipt.requestHash === requestHash) && (nonce === undefined || receipt.nonce === nonce),
      )
      const [receipt, second] = found
      if (!receipt)
        return refuse(
          'receipt_not_found',
          `There is no receipt of the transaction ${tx}${requestHash === undefined ? '' : ` for the request ${requestHash}`} here.`,
          'Look at /api/receipts.',
        )
      if (second)
        return refuse(
          'receipt_ambiguous',
          `The transaction ${tx} paid ${found.length} queries.`,
          'Add ?request= with the request hash of the receipt you mean, and &nonce= with its nonce.',
        )
      return makePassport({ evidence, seal, store }, { receipt, chainId, contracts })
    },
  }
}

/** Keeps each proof of a publication in the settings when it is first made, and hands it out from there. */
export function keptPublications(evidence: Evidence, settings: Database['settings']): Evidence {
  return {
    ...evidence,
    async publication(query) {
      const key = `publication of ${query.packageId} under ${query.modelId.toLowerCase()}`
      const kept = KeptPublication.safeParse(await settings.get(key))
      // Published again after the payment: what was kept does not say which version answered, and the chain may.
      if (kept.success && kept.data.block <= query.until) return kept.data as Recorded<{ version: number }>
      const found = await evidence.publication(query)
      if (!isRefusal(found)) await settings.set(key, found)
      return found
    },
  }
}

const hex = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]*$/.test(value))
const KeptPublication = z.object({ version: z.number(), tx: hex, block: z.number(), logIndex: z.number(), proof: Proof })

/** Checks a passport, or the x402 offers and receipts in a file, with no data folder: offline, by headers the holder trusts, or by a node's word. */
export async function checkPassport(options: VerifyOptions & { rpc?: string | undefined }): Promise<Verdict> {
  const offers = signedIn(options.passport)
  if (offers.length > 0) {
    const verdicts = await Promise.all(
      offers.map((signed) => verifySigned({ notary: notary() }, { signed, gateway: options.gateway, now: Math.floor(Date.now() / 1000) })),
    )
    return { holds: verdicts.every((verdict) => verdict.holds), checks: verdicts.flatMap((verdict) => verdict.checks) }
  }
  const { rpc, ...rest } = options
  return verifyPassport({ notary: notary(), witness: rpc === undefined ? undefined : rpcWitness(rpc) }, rest)
}

/** The hash of a block given as such, or as the RLP of its header. */
export async function blockHashOf(text: string): Promise<Hex | Refusal> {
  const hex = text.toLowerCase()
  if (/^0x[0-9a-f]{64}$/.test(hex)) return hex as Hex
  if (!/^0x([0-9a-f]{2}){200,4096}$/.test(hex))
    return refuse('header_invalid', `"${text.slice(0, 80)}" is neither a block hash nor the RLP of a header.`, 'Give 0x and hex digits.')
  const { keccak256 } = await import('viem')
  return keccak256(hex as Hex)
}
