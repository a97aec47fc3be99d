/**
 * Identity: every noun is named by the hash of its own content.
 * Knows nothing of files, chains or databases; an id is a bytes32, so it can stand on chain as it is.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { z } from 'zod'

/** A SHA-256 digest, `0x` and 64 lower-case hex digits. */
export type Id = `0x${string}`

/** Schema of an {@link Id}. */
export const Id = z.string().regex(/^0x[0-9a-f]{64}$/, 'an id is 0x and 64 lower-case hex digits') as unknown as z.ZodType<Id>

/**
 * Canonical JSON (RFC 8785): keys sorted by UTF-16 code unit, no white space, `undefined` members left out.
 * @throws {NotCanonicalError} for NaN, infinities, bigint and functions, which JSON cannot carry exactly.
 */
export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new NotCanonicalError(String(value))
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`
  if (typeof value === 'object') {
    const record = value as Record<string, unknown>
    const keys = Object.keys(record)
      .filter((key) => record[key] !== undefined)
      .sort()
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(record[key])}`).join(',')}}`
  }
  throw new NotCanonicalError(typeof value)
}

/** SHA-256 of raw bytes, as an {@link Id}. */
export function hashBytes(bytes: Uint8Array): Id {
  return `0x${bytesToHex(sha256(bytes))}`
}

/** SHA-256 of a string's UTF-8 bytes, as an {@link Id}. */
export function hashText(text: string): Id {
  return hashBytes(utf8ToBytes(text))
}

/** Content hash of any JSON value: SHA-256 of its canonical JSON. */
export function contentId(value: unknown): Id {
  return hashText(canonical(value))
}

/** A value has no exact JSON form, so it has no content hash. */
export class NotCanonicalError extends Error {
  override readonly name = 'Id.NotCanonicalError'
  constructor(what: string) {
    super(`${what} has no canonical JSON form, so it cannot be hashed; use a string or a finite number.`)
  }
}
