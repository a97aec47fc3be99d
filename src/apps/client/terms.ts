/**
 * The wire of one x402 payment (version 2, scheme `exact`, EIP-3009), as small as it can be: terms read from a 402, one signature,
 * one header. Checked by hand and not by Zod, because this goes into browsers. Knows nothing of budgets or of sending.
 */
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Address, Hex } from '../../core/listing.ts'
import { formatOpen } from '../../core/royalty.ts'

/** Who pays: a viem LocalAccount, or anything that signs EIP-712 like one. */
export type Payer = {
  readonly address: Address
  signTypedData(message: {
    domain: Record<string, unknown>
    types: Record<string, unknown>
    primaryType: string
    message: Record<string, unknown>
  }): Promise<Hex>
}

/** What may be signed for: this token on this network, at most so much at once. */
export type Allowed = { network: string; asset: Address; maximum: bigint }

export type Terms = {
  price: bigint
  payTo: Address
  seconds: number
  domain: { name: string; version: string; chainId: number; verifyingContract: Address }
  /** The server's own words, repeated to it. */
  accepted: Record<string, unknown>
  resource: unknown
  extensions: Record<string, unknown>
}

/** A signature holds at least and at most so long, in seconds: long enough to be sent again, short enough to be forgotten. */
const LEAST_SECONDS = 120
const MOST_SECONDS = 3600

const types = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
}

type Json = Record<string, unknown>

/** The terms of a 402 that may be signed, or why none may. `header` is its PAYMENT-REQUIRED. */
export function readTerms(header: string | null, allowed: Allowed): Terms | Refusal {
  const required = decode(header)
  const offers = (Array.isArray(required?.accepts) ? required.accepts : []) as Json[]
  const [first] = offers
  if (required?.x402Version !== 2 || !first)
    return refuse('terms_missing', 'The server asks for a payment but does not say which.', 'Check that the address is that of a ModelFactory server.')
  const accepted = offers.find(
    (offer) => offer?.scheme === 'exact' && offer.network === allowed.network && String(offer.asset).toLowerCase() === allowed.asset.toLowerCase(),
  )
  if (!accepted) return unacceptable(first, allowed)
  const extra = accepted.extra as Json | undefined
  const [, chainId] = /^eip155:(\d{1,15})$/.exec(allowed.network) ?? []
  const price = /^\d{1,78}$/.test(String(accepted.amount)) ? BigInt(String(accepted.amount)) : undefined
  if (
    !chainId ||
    price === undefined ||
    !/^0x[0-9a-fA-F]{40}$/.test(String(accepted.payTo)) ||
    typeof extra?.name !== 'string' ||
    typeof extra.version !== 'string'
  )
    return refuse('terms_not_understood', 'The server asks for a payment in a form that cannot be signed here.', 'Tell its operator.')
  if (price > allowed.maximum)
    return refuse(
      'price_above_maximum',
      `The query costs ${formatOpen(price)} OPEN, above your maximum of ${formatOpen(allowed.maximum)}.`,
      'Raise the maximum if that is fine.',
    )
  return {
    price,
    payTo: accepted.payTo as Address,
    seconds: Math.min(Math.max(Number(accepted.maxTimeoutSeconds) || LEAST_SECONDS, LEAST_SECONDS), MOST_SECONDS),
    domain: { name: extra.name, version: extra.version, chainId: Number(chainId), verifyingContract: allowed.asset },
    accepted,
    resource: required.resource,
    extensions: (required.extensions as Json | undefined) ?? {},
  }
}

/** Why none of the server's terms may be signed. */
function unacceptable({ network, asset, scheme }: Json, allowed: Allowed): Refusal {
  if (network !== allowed.network)
    return refuse(
      'terms_other_network',
      `The server wants to be paid on ${String(network)}, and this wallet is on ${allowed.network}.`,
      'Use a wallet of that network.',
    )
  if (String(asset).toLowerCase() !== allowed.asset.toLowerCase())
    return refuse(
      'terms_other_asset',
      `The server wants to be paid in the token ${String(asset)}, not ${allowed.asset}.`,
      'Check that the server is the one you mean.',
    )
  return refuse('terms_not_understood', `The server asks for a payment by "${String(scheme)}" that cannot be signed here.`, 'Tell its operator.')
}

/** Signs one payment. `now` is Unix seconds. The header pays exactly these terms, once, until `validBefore`. */
export async function signPayment(payer: Payer, terms: Terms, nonce: Hex, now: number): Promise<{ header: string; validBefore: number }> {
  const [validAfter, validBefore] = [now - 600, now + terms.seconds]
  const fields = { from: payer.address, to: terms.payTo, value: terms.price, validAfter: BigInt(validAfter), validBefore: BigInt(validBefore), nonce }
  const signature = await payer.signTypedData({ domain: terms.domain, types, primaryType: 'TransferWithAuthorization', message: fields })
  const authorization = { ...fields, value: `${fields.value}`, validAfter: `${validAfter}`, validBefore: `${validBefore}` }
  const { accepted, resource, extensions } = terms
  return { header: encode({ x402Version: 2, resource, accepted, payload: { signature, authorization }, extensions }), validBefore }
}

/** What the server says it settled: PAYMENT-RESPONSE; undefined for none, or for one that failed. */
export function readSettled(header: string | null): { tx: Hex; extensions: Json } | undefined {
  const response = decode(header)
  if (response?.success !== true || typeof response.transaction !== 'string') return undefined
  return { tx: response.transaction as Hex, extensions: (response.extensions as Json | undefined) ?? {} }
}

/** What a header of our own says was accepted. */
export function readPayment(header: string): { accepted: { extra?: Json }; extensions: Json } {
  return decode(header) as { accepted: { extra?: Json }; extensions: Json }
}

/** Base64 of UTF-8 JSON, in any JavaScript; undefined for anything else. */
function decode(header: string | null): Json | undefined {
  if (header === null) return undefined
  try {
    const bytes = Uint8Array.from(atob(header), (character) => character.charCodeAt(0))
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === 'object' && value !== null ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

function encode(value: Json): string {
  let text = ''
  for (const byte of new TextEncoder().encode(JSON.stringify(value))) text += String.fromCharCode(byte)
  return btoa(text)
}
