/**
 * Keystore: the accounts of a data folder by name, their keys encrypted at rest, never shown, never logged. Knows nothing of what they sign.
 */
import type { Address } from '../core/listing.ts'

/** An account made by the keystore; drivers narrow it. */
export type Account = { readonly name: string; readonly address: Address }

export interface Keystore {
  /** Makes the account on first use. Names are [a-z0-9-]. */
  account(name: string): Promise<Account>
  names(): Promise<string[]>
}
