/**
 * Session: who is signed in at a server, by a wallet (EIP-4361) or by a key of the device. Here is what a sign-in message must say
 * to be this server's, fresh and unused. Knows nothing of signatures, cookies or HTTP.
 */
import { type Refusal, refuse } from './errors.ts'

export type Session = {
  kind: 'wallet' | 'device'
  /** The wallet's address in lower case, or `device:` and the hash of the device's public key. */
  id: string
  chainId: number
  /** Unix milliseconds. */
  signedInAt: number
  expiresAt: number
}

/** What a sign-in message is for: this server, as the request addressed it. */
export type Place = { domain: string; origin: string; chainId: number }

/** The fields of a sign-in message, whichever key signed it; times in Unix milliseconds. */
export type SignIn = {
  domain: string
  uri: string
  chainId: number
  nonce: string
  issuedAt: number | undefined
  expirationTime?: number | undefined
  notBefore?: number | undefined
}

/** Who signs in takes a nonce first. */
export type Challenge = Place & { nonce: string; expiresAt: number }

export interface Sessions {
  challenge(place: Place): Challenge
  /** Signs in by an EIP-4361 message. */
  signIn(place: Place, message: string, signature: string): Promise<{ token: string; session: Session } | Refusal>
  /** Signs in by a key of the device: ECDSA over P-256 and SHA-256, as browsers make it; `publicKey` is a JWK. */
  signInDevice(place: Place, message: string, publicKey: unknown, signature: string): Promise<{ token: string; session: Session } | Refusal>
  /** Who a cookie's token stands for. */
  find(token: string | undefined): Session | undefined
  signOut(token: string | undefined): void
}

/** How far the clocks of a browser and a server may be apart, and how old a message may be. */
const SKEW_MS = 5 * 60_000

/** Why a message does not sign anybody in here and now; whether its nonce was given out is the caller's to know. */
export function judgeSignIn(message: SignIn, place: Place, now: number): Refusal | undefined {
  const again = 'Ask for a new nonce, and sign again.'
  if (message.domain.toLowerCase() !== place.domain.toLowerCase())
    return refuse(
      'sign_in_other_domain',
      `The message signs in at ${message.domain}, and this is ${place.domain}.`,
      'Do not sign messages of one site for another.',
    )
  if (originOf(message.uri) !== place.origin.toLowerCase())
    return refuse('sign_in_other_uri', `The message is for ${message.uri}, and this is ${place.origin}.`, 'Sign the message of this page.')
  if (message.chainId !== place.chainId)
    return refuse(
      'sign_in_other_chain',
      `The message is for chain ${message.chainId}, and this server is on ${place.chainId}.`,
      'Switch the wallet to that chain.',
    )
  if (message.issuedAt === undefined || Math.abs(now - message.issuedAt) > SKEW_MS)
    return refuse('sign_in_stale', 'The message was not signed just now.', `Check the clock. ${again}`)
  if (message.expirationTime !== undefined && message.expirationTime <= now) return refuse('sign_in_expired', 'The message has run out.', again)
  if (message.notBefore !== undefined && message.notBefore > now) return refuse('sign_in_too_early', 'The message is not valid yet.', again)
  return undefined
}

/** What a device signs: every field on a line of its own, so that there is one text for one sign-in. */
export function deviceMessage({ domain, origin, chainId, nonce }: Omit<Challenge, 'expiresAt'>, issuedAt: string): string {
  return [`${domain} wants this device to sign in.`, `URI: ${origin}`, `Chain ID: ${chainId}`, `Nonce: ${nonce}`, `Issued At: ${issuedAt}`].join('\n')
}

/** Reads {@link deviceMessage} back; undefined for any other text. */
export function readDeviceMessage(text: string): SignIn | undefined {
  const match = /^(\S+) wants this device to sign in\.\nURI: (\S+)\nChain ID: (\d{1,15})\nNonce: ([A-Za-z0-9]{8,96})\nIssued At: (\S+)$/.exec(text)
  if (!match) return undefined
  const [, domain, uri, chainId, nonce, issuedAt] = match as unknown as [string, string, string, string, string, string]
  const time = Date.parse(issuedAt)
  return { domain, uri, chainId: Number(chainId), nonce, issuedAt: Number.isNaN(time) ? undefined : time }
}

function originOf(uri: string): string | undefined {
  return /^(https?:\/\/[^/?#]+)(?:[/?#]|$)/i.exec(uri)?.[1]?.toLowerCase()
}
