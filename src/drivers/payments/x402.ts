/**
 * Payments by x402 v2, scheme `exact`, EIP-3009: what a 402 says, and how a payer's signed authorization is read and checked.
 * The payee is the builder. Knows nothing of settling, of reservations or of HTTP beyond header values.
 * Specs: x402 v2 (headers PAYMENT-REQUIRED, PAYMENT-SIGNATURE, PAYMENT-RESPONSE), EIP-3009, EIP-712, EIP-1271.
 */
import { decodePaymentSignatureHeader, encodePaymentRequiredHeader, encodePaymentResponseHeader } from '@x402/core/http'
import { PaymentPayloadV2Schema } from '@x402/core/schemas'
import type { Network as Caip2, PaymentRequirements, PaymentRequired as WireRequired } from '@x402/core/types'
import { getAddress, hashTypedData } from 'viem/utils'
import { z } from 'zod'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Address, Hex } from '../../core/listing.ts'
import { formatOpen } from '../../core/royalty.ts'
import type { Authorization, Network, Settlement } from '../../ports/chain.ts'
import type { PaymentRequired, Payments, Quote } from '../../ports/payments.ts'
import { authorizationTypes } from '../chain/authorization.ts'
import { refuseKnownKeys } from '../keystore/keystore.ts'
import { recoverSigner } from './recover.ts'

export type X402Options = {
  network: Pick<Network, 'chainId' | 'caip2' | 'currency'>
  /** The ERC-20 with EIP-3009 that pays, and its EIP-712 domain. */
  token: { address: Address; name: string; version: string }
  /** Atomic units of the token an address holds. */
  balance: (address: Address) => Promise<bigint>
  /** EIP-1271: asks a contract wallet whether it signed the hash. Without it only plain accounts can pay. */
  contractSigned?: (wallet: Address, hash: Hex, signature: Hex) => Promise<boolean>
  /** Unix milliseconds. */
  now?: () => number
}

/** How long a payer's signature holds, in seconds: long enough to settle it again after a crash of the gateway. */
const TIMEOUT_SECONDS = 3600
/** An authorization with less time left than this may run out while the model answers, in seconds. */
const MINIMUM_SECONDS_LEFT = 60
/** Half the order of secp256k1: a signature with a larger s is a copy of another one (EIP-2). */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n

const address = z.custom<Address>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value), 'is not an address')
const integer = z
  .string()
  .regex(/^\d{1,78}$/, 'is not a whole number of atomic units or seconds')
  .transform(BigInt)
const Payload = z.object({
  signature: z.custom<Hex>((value) => typeof value === 'string' && /^0x([0-9a-fA-F]{2}){65,4096}$/.test(value), 'is not a signature'),
  authorization: z.object({
    from: address,
    to: address,
    value: integer,
    validAfter: integer,
    validBefore: integer,
    nonce: z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value), 'is not 32 bytes of hex'),
  }),
})

/** x402's extension of this name: what the payer calls a payment, so that a retry is known whatever it is signed with. */
const IDENTIFIER = 'payment-identifier'
const Identifier = z.looseObject({ [IDENTIFIER]: z.looseObject({ info: z.looseObject({ id: z.unknown().optional() }).optional() }).optional() })
const identifierShape = /^[a-zA-Z0-9_-]{16,128}$/
const identifierOffer = {
  info: { required: false },
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { required: { type: 'boolean' }, id: { type: 'string', minLength: 16, maxLength: 128, pattern: '^[a-zA-Z0-9_-]+$' } },
    required: ['required'],
  },
}

const malformed = (what: string): Refusal =>
  refuse(
    'payment_malformed',
    `The PAYMENT-SIGNATURE header cannot be read: ${what}.`,
    'Send base64 JSON of an x402 version 2 payment payload (scheme exact, EIP-3009), as an x402 client makes it from the 402 reply.',
  )

const same = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase()

/** Decodes a header without judging it. */
function decode(header: string): { authorization: Authorization; accepted: PaymentRequirements; identifier: string | undefined } | Refusal {
  if (header.length > 32_768) return malformed(`it is ${header.length} characters long`)
  let raw: unknown
  try {
    raw = decodePaymentSignatureHeader(header)
  } catch {
    return malformed('it is not base64 of JSON')
  }
  const version = (raw as { x402Version?: unknown } | null)?.x402Version
  if (version !== 2) return malformed(`x402Version is ${JSON.stringify(version) ?? 'missing'}, not 2`)
  const envelope = PaymentPayloadV2Schema.safeParse(raw)
  if (!envelope.success) return malformed(`${envelope.error.issues[0]?.path.join('.')} ${envelope.error.issues[0]?.message.toLowerCase()}`)
  const payload = Payload.safeParse(envelope.data.payload)
  if (!payload.success) return malformed(`payload.${payload.error.issues[0]?.path.join('.')} ${payload.error.issues[0]?.message}`)
  const extensions = Identifier.safeParse(envelope.data.extensions ?? {})
  const identifier = extensions.success ? extensions.data[IDENTIFIER]?.info?.id : undefined
  if (identifier !== undefined && (typeof identifier !== 'string' || !identifierShape.test(identifier)))
    return malformed(`extensions.${IDENTIFIER}.info.id is not 16 to 128 letters, digits, hyphens and underscores`)
  const { authorization, signature } = payload.data
  const nonce = authorization.nonce.toLowerCase() as Hex
  return {
    authorization: {
      ...authorization,
      from: authorization.from.toLowerCase() as Address,
      to: authorization.to.toLowerCase() as Address,
      nonce,
      signature: normalise(signature),
    },
    accepted: envelope.data.accepted as PaymentRequirements,
    identifier,
  }
}

/** Lower case, and the recovery byte as 27 or 28, which is the only form contracts accept. */
function normalise(signature: Hex): Hex {
  const lower = signature.toLowerCase() as Hex
  if (lower.length !== 132) return lower
  const recovery = Number.parseInt(lower.slice(130), 16)
  return recovery < 2 ? (`${lower.slice(0, 130)}${(recovery + 27).toString(16)}` as Hex) : lower
}

/** Builds the {@link Payments} of one token on one chain. */
export function x402Payments(options: X402Options): Payments {
  const { network, token, balance, contractSigned } = options
  const seconds = () => BigInt(Math.floor((options.now ?? Date.now)() / 1000))
  const money = (atomic: bigint) => `${formatOpen(atomic)} ${network.currency}`

  function requirements(quote: Quote): PaymentRequirements {
    return {
      scheme: 'exact',
      network: network.caip2 as Caip2,
      amount: quote.price.toString(),
      asset: token.address,
      payTo: quote.payTo,
      maxTimeoutSeconds: TIMEOUT_SECONDS,
      extra: { name: token.name, version: token.version, modelId: quote.modelId, model: quote.model },
    }
  }

  async function signed(authorization: Authorization): Promise<boolean> {
    const { signature, ...message } = authorization
    const domain = { name: token.name, version: token.version, chainId: network.chainId, verifyingContract: token.address }
    const hash = hashTypedData({ domain, types: authorizationTypes, primaryType: 'TransferWithAuthorization', message })
    if (signature.length === 132 && BigInt(`0x${signature.slice(66, 130)}`) <= HALF_ORDER) {
      const signer = await recoverSigner(hash, signature)
      if (signer && same(signer, authorization.from)) return true
    }
    return (await contractSigned?.(authorization.from, hash, signature)) ?? false
  }

  return {
    required(quote: Quote, reason: Refusal): PaymentRequired {
      const accepted = requirements(quote)
      const wire: WireRequired = {
        x402Version: 2,
        error: reason.message,
        resource: { url: quote.resource, description: quote.description, mimeType: 'application/json' },
        accepts: [accepted],
        extensions: { [IDENTIFIER]: identifierOffer },
      }
      return {
        headers: { 'PAYMENT-REQUIRED': encodePaymentRequiredHeader(wire), 'Cache-Control': 'no-store' },
        body: {
          ...wire,
          error: { message: `${reason.message} ${reason.hint}`, type: 'payment_required', code: reason.code, param: null },
          howToPay: {
            inWords: `One query costs ${money(quote.price)}. All of it goes to the builder, ${quote.payTo}, in one transaction.`,
            abstention:
              quote.abstention === 'free'
                ? 'When the model has no answer, nothing is charged and the payment is released.'
                : 'An honest "not covered" costs the same as an answer; to pay for answers only, send terms: {"answered": true}.',
            install: 'npm install @x402/fetch @x402/evm viem',
            // A stock client turns down tokens it does not know unless its owner allows them.
            spendControls: { allowedAssets: [{ network: network.caip2, asset: token.address, maxAmountPerPayment: quote.price.toString() }] },
            quickStart: quickStart(network.caip2, token.address, quote.price),
          },
        },
      }
    },

    read(header) {
      const decoded = decode(header)
      if ('refused' in decoded) return decoded
      const { authorization, identifier } = decoded
      return identifier === undefined ? { authorization } : { authorization, identifier }
    },

    async verify(header, quote) {
      const decoded = decode(header)
      if ('refused' in decoded) return decoded
      const { authorization, accepted } = decoded
      const again = 'Ask without a payment to get the current terms, and sign those.'
      if (accepted.scheme !== 'exact')
        return refuse('payment_scheme_unsupported', `The payment uses the scheme "${accepted.scheme}", but only "exact" is taken here.`, again)
      if (!same(accepted.network, network.caip2))
        return refuse('payment_wrong_network', `The payment is for the network ${accepted.network}, but this gateway is on ${network.caip2}.`, again)
      if (!same(accepted.asset, token.address))
        return refuse('payment_wrong_asset', `The payment is in the token ${accepted.asset}, but OPEN here is ${token.address}.`, again)
      if (!same(accepted.payTo, quote.payTo) || !same(authorization.to, quote.payTo)) {
        const payee = same(authorization.to, quote.payTo) ? accepted.payTo : authorization.to
        return refuse('payment_wrong_payee', `The payment goes to ${payee}, but the builder of ${quote.model} is paid at ${quote.payTo}.`, again)
      }
      if (authorization.value !== quote.price || accepted.amount !== quote.price.toString()) {
        const offered = authorization.value !== quote.price ? money(authorization.value) : `${accepted.amount} atomic units`
        return refuse('payment_wrong_amount', `The payment is ${offered}, but a query of ${quote.model} costs exactly ${money(quote.price)}.`, again)
      }
      const known = refuseKnownKeys(authorization.from, { chainId: network.chainId, test: network.currency === 'test OPEN' })
      if (known) return known
      if (same(authorization.from, quote.payTo))
        return refuse(
          'payment_to_self',
          `The payer ${authorization.from} is the builder of ${quote.model}.`,
          'Pay from another wallet, or ask your own model for free in the studio.',
        )
      const now = seconds()
      if (authorization.validAfter >= now)
        return refuse(
          'payment_not_yet_valid',
          `The payment is valid only after ${authorization.validAfter} (Unix seconds), and it is ${now} now.`,
          'Check the clock of the paying machine and sign again.',
        )
      if (authorization.validBefore <= now)
        return refuse('payment_expired', `The payment was valid until ${authorization.validBefore} (Unix seconds), and it is ${now} now.`, again)
      if (authorization.validBefore < now + BigInt(MINIMUM_SECONDS_LEFT))
        return refuse(
          'payment_expires_too_soon',
          `The payment has ${authorization.validBefore - now} seconds left, and ${MINIMUM_SECONDS_LEFT} are needed.`,
          `Sign one that holds ${TIMEOUT_SECONDS} seconds.`,
        )
      if (!(await signed(authorization)))
        return refuse(
          'payment_forged',
          `The signature of the payment was not made by ${authorization.from}.`,
          `Sign with that wallet, for the token "${token.name}" version ${token.version} on chain ${network.chainId}.`,
        )
      const held = await balance(authorization.from)
      if (held < quote.price)
        return refuse(
          'payer_without_open',
          `The wallet ${getAddress(authorization.from)} holds ${money(held)}, and a query of ${quote.model} costs ${money(quote.price)}.`,
          `Put OPEN (token ${token.address}) into it and try again.`,
        )
      return { authorization }
    },

    settled(settlement: Settlement) {
      if (settlement.status === 'unknown') return {}
      const outcome =
        settlement.status === 'settled'
          ? { success: true, transaction: settlement.tx, payer: settlement.payer, amount: settlement.amount.toString() }
          : { success: false, transaction: '', errorReason: settlement.code, errorMessage: settlement.message }
      return { 'PAYMENT-RESPONSE': encodePaymentResponseHeader({ ...outcome, network: network.caip2 as Caip2 }), 'Cache-Control': 'private, no-store' }
    },
  }
}

/** The whole program that pays once, for the body of a 402. */
function quickStart(caip2: string, asset: string, price: bigint): string {
  return [
    "import { wrapFetchWithPaymentFromConfig } from '@x402/fetch'",
    "import { ExactEvmScheme } from '@x402/evm'",
    "import { privateKeyToAccount } from 'viem/accounts'",
    'const client = new ExactEvmScheme(privateKeyToAccount(process.env.PAYER_KEY))',
    'const pay = wrapFetchWithPaymentFromConfig(fetch, {',
    `  schemes: [{ network: '${caip2}', client }],`,
    `  spendControls: { allowedAssets: [{ network: '${caip2}', asset: '${asset}', maxAmountPerPayment: '${price}' }] },`,
    '})',
    '// then use `pay` as fetch: new OpenAI({ baseURL, apiKey: "none", fetch: pay })',
  ].join('\n')
}
