/** A payer for tests: signs whatever it is told, as an x402 client puts it on the wire. Judges nothing. */
import type { LocalAccount } from 'viem'
import { refuse } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import type { Authorization } from '../../ports/chain.ts'
import type { Payments, Quote } from '../../ports/payments.ts'
import { authorizationTypes } from '../chain/authorization.ts'

export type Signing = {
  account: LocalAccount
  payments: Payments
  quote: Quote
  domain: { name: string; version: string; chainId: number; verifyingContract: Address }
  message: Omit<Authorization, 'signature'>
}

/** The PAYMENT-SIGNATURE payload; `header` makes the header of it. */
export async function payload({ account, payments, quote, domain, message }: Signing): Promise<Record<string, unknown>> {
  const signature = await account.signTypedData({ domain, types: authorizationTypes, primaryType: 'TransferWithAuthorization', message })
  const { accepts, resource } = payments.required(quote, refuse('x', 'x', 'x')).body as { accepts: unknown[]; resource: unknown }
  const text = Object.fromEntries(Object.entries(message).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]))
  return { x402Version: 2, resource, accepted: accepts[0], payload: { signature, authorization: text } }
}

export const header = (wire: unknown): string => btoa(JSON.stringify(wire))
