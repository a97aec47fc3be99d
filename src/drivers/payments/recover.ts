/**
 * Who signed a hash: secp256k1's recovery in WebAssembly (libsecp256k1), some eight times as fast as in JavaScript, which was most of
 * what a payment cost the gateway. Knows nothing of what was signed.
 */
import { hexToBytes, keccak256 } from 'viem/utils'
import type { Address, Hex } from '../../core/listing.ts'

/** The address that signed `hash`, lower case; undefined when the 65 bytes are no signature of anybody. */
export async function recoverSigner(hash: Hex, signature: Hex): Promise<Address | undefined> {
  const { recover } = await import('tiny-secp256k1')
  const bytes = hexToBytes(signature)
  const parity = bytes[64]! >= 27 ? bytes[64]! - 27 : bytes[64]!
  if (bytes.length !== 65 || parity > 1) return undefined
  try {
    // r and s are copied, because the library reads them in its own memory.
    const key = recover(hexToBytes(hash), bytes.slice(0, 64), parity as 0 | 1, false)
    return key ? `0x${keccak256(key.slice(1)).slice(-40)}` : undefined
  } catch {
    return undefined
  }
}
