/**
 * A fetch that pays: x402 v2 `exact` from a local wallet. Whatever goes wrong on the way, one signed payment stands for one
 * query: it is sent again as it is, and never replaced by a second one. Knows nothing of models.
 */
import { z } from 'zod'
import { BaseError, type Refusal, refuse } from '../../core/errors.ts'
import type { Address, Hex } from '../../core/listing.ts'
import { formatOpen } from '../../core/royalty.ts'

export type PayingOptions = {
  /** Who pays: a viem LocalAccount or anything that signs EIP-712 like one. */
  account: {
    readonly address: Address
    signTypedData(message: {
      domain: Record<string, unknown>
      types: Record<string, unknown>
      primaryType: string
      message: Record<string, unknown>
    }): Promise<Hex>
  }
  /** CAIP-2, e.g. `eip155:31337`. */
  network: string
  /** The token that pays. */
  asset: Address
  /** The most one query may cost, in atomic units. */
  maximum: bigint
}

/** Times a paid request is sent at most: the server may be answering it still, or not yet know whether it was paid. */
const TRIES = 6
const PAUSE_MS = 1000

/**
 * Builds the fetch. The reply of a query that was turned down comes back as it is; see {@link explain}.
 * @throws {PayError} when the terms are not acceptable, or the server is lost while it holds a signed payment.
 */
export async function payingFetch(options: PayingOptions): Promise<typeof fetch> {
  const { account, network, asset, maximum } = options
  const [{ wrapFetchWithPaymentFromConfig }, { ExactEvmScheme }, { decodePaymentRequiredHeader }] = await Promise.all([
    import('@x402/fetch'),
    import('@x402/evm/exact/client'),
    import('@x402/core/http'),
  ])
  return async (input, init) => {
    let terms: string | null = null
    const sending: typeof fetch = async (request, more) => {
      const response = await insist(new Request(request, more))
      terms = response.headers.get('payment-required') ?? terms
      return response
    }
    const pay = wrapFetchWithPaymentFromConfig(sending, {
      schemes: [{ network: network as `${string}:${string}`, client: new ExactEvmScheme(account) }],
      spendControls: { allowedAssets: [{ network: network as `${string}:${string}`, asset, maxAmountPerPayment: maximum.toString() }] },
    })
    try {
      return await pay(input, init)
    } catch (error) {
      if (error instanceof PayError || terms === null) throw error
      throw new PayError(unacceptable(decodePaymentRequiredHeader(terms), options), error)
    }
  }
}

/** Sends a request; one that carries a payment is sent again, the very same, until its outcome is known. */
async function insist(request: Request): Promise<Response> {
  if (!request.headers.has('payment-signature')) return fetch(request)
  for (let attempt = 1; ; attempt++) {
    const outcome = await fetch(request.clone()).catch((error: unknown) => ({ error }))
    if (request.signal.aborted) throw request.signal.reason
    if (!('error' in outcome) && outcome.status !== 409 && outcome.status !== 503) return outcome
    if (attempt === TRIES) {
      if (!('error' in outcome)) return outcome
      throw new PayError(
        refuse('server_lost', 'The server went away while it held a signed payment.', 'It may have been paid: see the receipts once the server is back.'),
        outcome.error,
      )
    }
    const wait = 'error' in outcome ? 0 : Number(outcome.headers.get('retry-after')) * 1000
    if (!('error' in outcome)) await outcome.body?.cancel()
    await new Promise((resolve) => setTimeout(resolve, Math.min(Number.isFinite(wait) && wait > 0 ? wait : PAUSE_MS, 10_000)))
  }
}

/** Why none of the server's terms can be signed. */
function unacceptable(required: { accepts: { network: string; asset: string; amount: string; scheme: string }[] }, options: PayingOptions): Refusal {
  const [terms] = required.accepts
  if (!terms) return refuse('terms_missing', 'The server asks for a payment but does not say which.', 'Tell its operator.')
  if (terms.network !== options.network)
    return refuse(
      'terms_other_network',
      `The server wants to be paid on ${terms.network}, and this wallet is on ${options.network}.`,
      'Use a wallet of that network.',
    )
  if (terms.asset.toLowerCase() !== options.asset.toLowerCase())
    return refuse(
      'terms_other_asset',
      `The server wants to be paid in the token ${terms.asset}, not ${options.asset}.`,
      'Check that the server is the one you mean.',
    )
  const price = /^\d+$/.test(terms.amount) ? BigInt(terms.amount) : undefined
  if (price !== undefined && price > options.maximum)
    return refuse(
      'price_above_maximum',
      `The query costs ${formatOpen(price)} OPEN, above your maximum of ${formatOpen(options.maximum)}.`,
      'Raise the maximum if that is fine.',
    )
  return refuse('terms_not_understood', `The server asks for a payment by "${terms.scheme}" that cannot be signed here.`, 'Tell its operator.')
}

const ErrorBody = z.object({ error: z.object({ message: z.string(), code: z.string().nullish(), hint: z.string().nullish() }) })

/** The server's own sentence about a reply that is no answer; undefined for an answer. Reads the body of the former only. */
export async function explain(response: Response): Promise<Refusal | undefined> {
  if (response.ok) return undefined
  const body = ErrorBody.safeParse(await response.json().catch(() => undefined))
  if (!body.success)
    return refuse(
      'server_unclear',
      `The server replied with status ${response.status} and no reason.`,
      'Check that the address is that of a ModelFactory server.',
    )
  const { message, code, hint } = body.data.error
  return refuse(code ?? `status_${response.status}`, message, hint ?? '')
}

/** A payment that was not made, or whose reply was lost. */
export class PayError extends BaseError {
  override readonly name = 'Pay.PayError'
  readonly refusal: Refusal
  constructor(refusal: Refusal, cause?: unknown) {
    super(`${refusal.message} ${refusal.hint}`, { cause })
    this.refusal = refusal
  }
}
