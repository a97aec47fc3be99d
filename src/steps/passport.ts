/**
 * Receipt -> passport: gathers what answered, what the chain recorded of its payment and of its version, and has the gateway
 * sign the whole. Knows nothing of RPC, of tries, or of who asks.
 */
import { isRefusal, type Refusal } from '../core/errors.ts'
import type { Address, Hex } from '../core/listing.ts'
import { Package } from '../core/package.ts'
import { Passport, signedContent, splitByShares } from '../core/passport.ts'
import type { Receipt } from '../core/receipt.ts'
import type { Report } from '../core/report.ts'
import type { Evidence, Recorded, Seal } from '../ports/evidence.ts'
import type { Store } from '../ports/store.ts'

export type PassportPorts = { evidence: Evidence; seal: Seal; store: Pick<Store, 'get'> }

/**
 * Makes the passport of one receipt, without the texts: those are the payer's to add. Refuses what the chain cannot prove (any more).
 * @throws when a part of the package is missing or damaged.
 */
export async function makePassport(
  ports: PassportPorts,
  options: { receipt: Receipt; chainId: number; contracts: { token: Address; registry: Address; router: Address } },
): Promise<Passport | Refusal> {
  const { evidence, seal, store } = ports
  const { receipt, chainId, contracts } = options
  const { packageId, requestHash, responseHash, sources } = receipt
  // As they were stored, and not as a newer schema reads them: the hash is of these bytes.
  const read = async (part: `0x${string}`) => JSON.parse(new TextDecoder().decode(await store.get(part))) as unknown
  const manifest = await read(packageId)
  const report = await read(Package.parse(manifest).files.report)
  const modelId = lower(receipt.modelId)
  const payment = await evidence.payment({ tx: receipt.tx, modelId, payer: receipt.payer, requestHash, nonce: receipt.nonce })
  if (isRefusal(payment)) return payment
  const publication = await evidence.publication({ modelId, packageId, until: payment.block })
  if (isRefusal(publication)) return publication
  const builder = lower(payment.builder)
  const unsigned = {
    format: 'modelfactory/passport@1' as const,
    modelId,
    packageId,
    package: manifest as Package,
    report: report as Report,
    query: { requestHash, responseHash, sources },
    payment: {
      chainId,
      contracts: { token: lower(contracts.token), registry: lower(contracts.registry), router: lower(contracts.router) },
      ...placeOf(payment),
      payer: lower(receipt.payer),
      builder,
      amount: payment.amount.toString(),
      nonce: lower(payment.nonce),
    },
    split: await splitOf(evidence, builder, payment.amount),
    publication: { version: publication.version, ...placeOf(publication) },
    proofs: { payment: payment.proof, publication: publication.proof },
    gateway: { address: seal.address, vouch: seal.vouch?.by === builder ? seal.vouch.signature : null },
  }
  const signature = lower(await seal.sign(signedContent(unsigned)))
  const made = { ...unsigned, gateway: { ...unsigned.gateway, signature } }
  Passport.parse(made)
  return made
}

async function splitOf(evidence: Evidence, builder: Address, amount: bigint): Promise<Passport['split']> {
  const holders = (await evidence.holders(builder)) ?? [{ recipient: builder, shares: 1n }]
  const parts = splitByShares(
    amount,
    holders.map(({ shares }) => shares),
  )
  return holders.map(({ recipient, shares }, place) => ({ recipient: lower(recipient), shares: `${shares}`, amount: `${parts[place]}` }))
}

function placeOf({ tx, block, logIndex }: Pick<Recorded<object>, 'tx' | 'block' | 'logIndex'>) {
  return { tx: lower(tx), block, logIndex }
}

function lower(hex: Hex): Hex {
  return hex.toLowerCase() as Hex
}
