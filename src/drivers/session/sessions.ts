/**
 * Sessions in memory: nonces given out once, sign-ins checked (EIP-4361 by viem, EIP-191 and EIP-1271 signatures; devices by Web
 * Crypto), tokens kept by their hash. They end with the process. Knows nothing of cookies or HTTP.
 */
import { createHash, randomBytes, webcrypto } from 'node:crypto'
import { hashMessage, isHex, size } from 'viem'
import { createSiweMessage, parseSiweMessage } from 'viem/siwe'
import { recoverAddress } from 'viem/utils'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Address, Hex } from '../../core/listing.ts'
import { judgeSignIn, type Place, readDeviceMessage, type Session, type Sessions, type SignIn } from '../../core/session.ts'

export type SessionOptions = {
  /** EIP-1271: asks a contract wallet whether it signed a hash. Without it only plain accounts sign in. */
  contractSigned?: (wallet: Address, hash: Hex, signature: Hex) => Promise<boolean>
  /** Unix milliseconds. */
  now?: () => number
}

const NONCE_MS = 5 * 60_000
const SESSION_MS = 12 * 3600_000
/** The oldest go first when there are more: whoever asks for nonces without end cannot fill the memory. */
const MOST_NONCES = 10_000
const MOST_SESSIONS = 10_000
const MOST_CHARACTERS = 8_192

export function openSessions(options: SessionOptions = {}): Sessions {
  const now = options.now ?? Date.now
  const nonces = new Map<string, number>()
  const sessions = new Map<string, Session>()

  /** True once for each nonce that was given out and has not run out. */
  const spend = (nonce: string): boolean => {
    const expiresAt = nonces.get(nonce)
    nonces.delete(nonce)
    return expiresAt !== undefined && expiresAt > now()
  }

  const begin = (kind: Session['kind'], id: string, chainId: number, expirationTime: number | undefined) => {
    const token = randomBytes(32).toString('base64url')
    const signedInAt = now()
    const session: Session = { kind, id, chainId, signedInAt, expiresAt: Math.min(signedInAt + SESSION_MS, expirationTime ?? Number.POSITIVE_INFINITY) }
    sessions.set(hash(token), session)
    trim(sessions, MOST_SESSIONS)
    return { token, session }
  }

  /** The nonce goes with the first try, right or wrong, so no message is ever judged twice. */
  const judge = (message: SignIn, place: Place): Refusal | undefined => {
    const fresh = spend(message.nonce)
    const refused = judgeSignIn(message, place, now())
    if (refused) return refused
    return fresh
      ? undefined
      : refuse('sign_in_nonce', 'The nonce of this message was not given out here, has run out, or was used.', 'Ask for a new one, and sign again.')
  }

  return {
    challenge(place) {
      const nonce = randomBytes(16).toString('hex')
      const expiresAt = now() + NONCE_MS
      nonces.set(nonce, expiresAt)
      trim(nonces, MOST_NONCES)
      return { ...place, nonce, expiresAt }
    },

    async signIn(place, message, signature) {
      const fields = readSiwe(message)
      if (!fields)
        return refuse('sign_in_malformed', 'This is not a sign-in message as EIP-4361 writes it.', 'Make it with viem/siwe or another library for it.')
      if (!isHex(signature) || size(signature) > 4096) return refuse('sign_in_malformed', 'The signature is not hex.', 'Send it as the wallet gave it.')
      const refused = judge(fields, place)
      if (refused) return refused
      const digest = hashMessage(message)
      const signer = size(signature) === 65 ? await recoverAddress({ hash: digest, signature }).catch(() => undefined) : undefined
      const genuine = signer?.toLowerCase() === fields.address || ((await options.contractSigned?.(fields.address, digest, signature)) ?? false)
      if (!genuine) return refuse('sign_in_forged', `The message was not signed by ${fields.address}.`, 'Sign with that wallet.')
      return begin('wallet', fields.address, place.chainId, fields.expirationTime)
    },

    async signInDevice(place, message, publicKey, signature) {
      const fields = message.length <= MOST_CHARACTERS ? readDeviceMessage(message) : undefined
      if (!fields) return refuse('sign_in_malformed', 'This is not the message a device signs.', 'Sign what the page shows.')
      const refused = judge(fields, place)
      if (refused) return refused
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
      const key = await webcrypto.subtle.importKey('jwk', publicKey as webcrypto.JsonWebKey, algorithm, true, ['verify']).catch(() => undefined)
      if (!key) return refuse('sign_in_malformed', 'The public key is not a JWK of the curve P-256.', 'Export it with Web Crypto as "jwk".')
      const bytes = new TextEncoder().encode(message)
      if (!(await webcrypto.subtle.verify(algorithm, key, Buffer.from(signature, 'base64url'), bytes)))
        return refuse('sign_in_forged', 'The message was not signed by this device’s key.', 'Sign with the key whose public part is sent.')
      const raw = new Uint8Array(await webcrypto.subtle.exportKey('raw', key))
      return begin('device', `device:${createHash('sha256').update(raw).digest('hex')}`, place.chainId, undefined)
    },

    find(token) {
      if (token === undefined) return undefined
      const session = sessions.get(hash(token))
      if (session && session.expiresAt <= now()) sessions.delete(hash(token))
      return session && session.expiresAt > now() ? session : undefined
    },
    signOut(token) {
      if (token !== undefined) sessions.delete(hash(token))
    },
  }
}

/** An EIP-4361 message that reads back to the very same text; libraries are laxer than the standard. */
function readSiwe(message: string): (SignIn & { address: Address; nonce: string }) | undefined {
  if (message.length > MOST_CHARACTERS) return undefined
  try {
    const parsed = parseSiweMessage(message)
    if (createSiweMessage(parsed as Parameters<typeof createSiweMessage>[0]) !== message) return undefined
    const { domain, uri, chainId, nonce, address, issuedAt, expirationTime, notBefore } = parsed
    if (!address || !domain || !uri || !chainId || !nonce) return undefined
    const time = (date: Date | undefined) => date?.getTime()
    return {
      address: address.toLowerCase() as Address,
      domain,
      uri,
      chainId,
      nonce,
      issuedAt: time(issuedAt),
      expirationTime: time(expirationTime),
      notBefore: time(notBefore),
    }
  } catch {
    return undefined
  }
}

/** A token is kept as its hash, so that a copy of the memory signs nobody in. */
function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function trim(map: Map<string, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) return
    map.delete(oldest)
  }
}
