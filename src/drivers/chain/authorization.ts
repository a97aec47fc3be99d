/**
 * EIP-3009 authorizations: whether one is well-formed, and the EIP-712 message it signs. Knows nothing of chains.
 */
import { getAddress, isAddress, isHex, size, type TypedDataDomain } from 'viem'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Authorization, Chain } from '../../ports/chain.ts'

/** EIP-3009's TransferWithAuthorization. */
export const authorizationTypes = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const

/** The domain a payer signs for: this token on this chain and no other. */
export function tokenDomain(chain: Pick<Chain, 'network' | 'contracts' | 'token'>): TypedDataDomain {
  return { ...chain.token, chainId: chain.network.chainId, verifyingContract: chain.contracts.token }
}

/** The same authorization with checksummed addresses; refuses values that cannot be put into a transaction at all. */
export function wellFormed(authorization: Authorization): Authorization | Refusal {
  const { from, to, value, validAfter, validBefore, nonce, signature } = authorization
  const wrong = (what: string, value: unknown) =>
    refuse(
      'authorization_malformed',
      `The ${what} of the payment authorization is ${String(value).slice(0, 80)}.`,
      'Sign an EIP-3009 TransferWithAuthorization.',
    )
  if (!isAddress(from, { strict: false })) return wrong('payer', from)
  if (!isAddress(to, { strict: false })) return wrong('payee', to)
  for (const [what, number] of Object.entries({ value, validAfter, validBefore }))
    if (typeof number !== 'bigint' || number < 0n || number >= 2n ** 256n) return wrong(what, number)
  if (!isHex(nonce) || size(nonce) !== 32) return wrong('nonce', nonce)
  // A wallet that is a contract (EIP-1271) may sign with more than 65 bytes, within reason.
  if (!isHex(signature) || signature.length % 2 !== 0 || size(signature) > 4096) return wrong('signature', signature)
  return { ...authorization, from: getAddress(from.toLowerCase()), to: getAddress(to.toLowerCase()) }
}
