/** Signing in: by a wallet, by a device, once for each nonce, only where the message says, and only as long as it lasts. */
import { webcrypto } from 'node:crypto'
import { Hono } from 'hono'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { createSiweMessage } from 'viem/siwe'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Challenge, deviceMessage, type Session } from '../../core/session.ts'
import { openSessions } from '../../drivers/session/sessions.ts'
import { guard } from './guard.ts'
import { type SessionVariables, sessionRoutes, whoIsSignedIn } from './session.ts'

const host = '127.0.0.1:4020'
const origin = `http://${host}`
const account = privateKeyToAccount(generatePrivateKey())
let now: number
let server: Hono<SessionVariables>
const contracts: string[] = []

beforeEach(() => {
  now = Date.UTC(2026, 10, 25, 12)
  const sessions = openSessions({ now: () => now, contractSigned: async (wallet) => contracts.includes(wallet) })
  server = new Hono<SessionVariables>()
  server.use(guard(() => new Set([host])))
  server.use(whoIsSignedIn(sessions))
  server.route('/api/session', sessionRoutes(sessions, 31337))
  server.get('/api/who', (context) => context.json(context.get('session')?.id ?? null))
})

async function ask(method: string, path = '', body?: unknown, headers: Record<string, string> = {}) {
  const reply = await server.request(`${origin}/api/session${path}`, {
    method,
    headers: { host, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const json = (await reply.json()) as { session?: Session | null; error?: { code: string } } & Partial<Challenge>
  return { status: reply.status, json, cookie: reply.headers.get('set-cookie'), code: json.error?.code }
}

const fields = (nonce: string, change: object = {}) => ({
  domain: host,
  address: account.address,
  uri: `${origin}/studio`,
  version: '1' as const,
  chainId: 31337,
  nonce,
  issuedAt: new Date(now),
  ...change,
})
const nonce = async () => (await ask('POST', '/nonce')).json.nonce!
async function signIn(change: object = {}, signer = account) {
  const message = createSiweMessage(fields(await nonce(), change) as never)
  return { message, signature: await signer.signMessage({ message }) }
}
const tokenIn = (cookie: string | null) => ({ cookie: /^modelfactory-session=[^;]+/.exec(cookie!)![0] })

describe('a wallet', () => {
  it('signs in, is known to every route, and signs out', async () => {
    expect((await ask('GET')).json).toEqual({ session: null })
    const signedIn = await ask('POST', '', await signIn())
    expect(signedIn.status).toBe(200)
    expect(signedIn.json.session).toMatchObject({ kind: 'wallet', id: account.address.toLowerCase(), chainId: 31337, expiresAt: now + 12 * 3600_000 })
    expect(signedIn.cookie).toMatch(/^modelfactory-session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
    const cookie = tokenIn(signedIn.cookie)
    expect((await ask('GET', '', undefined, cookie)).json.session).toEqual(signedIn.json.session)
    expect(await (await server.request(`${origin}/api/who`, { headers: { host, ...cookie } })).json()).toBe(account.address.toLowerCase())
    const out = await ask('DELETE', '', undefined, cookie)
    expect([out.json, out.cookie]).toEqual([{ session: null }, expect.stringContaining('Max-Age=0')])
    expect((await ask('GET', '', undefined, cookie)).json).toEqual({ session: null })
  })

  it('is signed in until the session or its message runs out, and no longer', async () => {
    const day = tokenIn((await ask('POST', '', await signIn())).cookie)
    const short = tokenIn((await ask('POST', '', await signIn({ expirationTime: new Date(now + 60_000) }))).cookie)
    now += 60_000
    expect((await ask('GET', '', undefined, short)).json.session).toBeNull()
    expect((await ask('GET', '', undefined, day)).json.session).not.toBeNull()
    now += 12 * 3600_000
    expect((await ask('GET', '', undefined, day)).json.session).toBeNull()
  })

  it('that signs in again leaves no session behind', async () => {
    const first = tokenIn((await ask('POST', '', await signIn())).cookie)
    await ask('POST', '', await signIn(), first)
    expect((await ask('GET', '', undefined, first)).json.session).toBeNull()
  })

  it('that is a contract signs in by its own word', async () => {
    const wallet = privateKeyToAccount(generatePrivateKey()).address
    expect((await ask('POST', '', await signIn({ address: wallet }))).code).toBe('sign_in_forged')
    contracts.push(wallet.toLowerCase())
    expect((await ask('POST', '', await signIn({ address: wallet }))).json.session).toMatchObject({ id: wallet.toLowerCase() })
  })

  const other = privateKeyToAccount(generatePrivateKey())
  const wrong: [string, object][] = [
    ['sign_in_other_domain', { domain: 'evil.example' }],
    ['sign_in_other_uri', { uri: 'http://evil.example/studio' }],
    ['sign_in_other_uri', { uri: `${origin}.evil.example/` }],
    ['sign_in_other_uri', { uri: `https://${host}/` }],
    ['sign_in_other_chain', { chainId: 1 }],
    ['sign_in_stale', { issuedAt: new Date(Date.UTC(2026, 10, 25, 11)) }],
    ['sign_in_stale', { issuedAt: new Date(Date.UTC(2026, 10, 25, 13)) }],
    ['sign_in_expired', { expirationTime: new Date(Date.UTC(2026, 10, 25, 12)) }],
    ['sign_in_too_early', { notBefore: new Date(Date.UTC(2026, 10, 25, 12, 1)) }],
    ['sign_in_nonce', { nonce: 'f'.repeat(32) }],
    ['sign_in_forged', { address: other.address }],
  ]
  for (const [index, [code, change]] of wrong.entries())
    it(`is refused: ${code} (${index})`, async () => {
      const refused = await ask('POST', '', await signIn(change))
      expect([refused.status, refused.code, refused.cookie]).toEqual([401, code, null])
    })

  it('cannot use a message twice, nor a nonce after five minutes, nor one spent on a failed try', async () => {
    const once = await signIn()
    expect((await ask('POST', '', once)).status).toBe(200)
    expect((await ask('POST', '', once)).code).toBe('sign_in_nonce')
    const tried = await signIn()
    expect((await ask('POST', '', { ...tried, signature: `0x${'11'.repeat(65)}` })).code).toBe('sign_in_forged')
    expect((await ask('POST', '', tried)).code).toBe('sign_in_nonce')
    const late = await signIn({ issuedAt: new Date(now + 4 * 60_000) })
    now += 5 * 60_000
    expect((await ask('POST', '', late)).code).toBe('sign_in_nonce')
  })

  it('sends what can be read', async () => {
    const good = await signIn()
    for (const body of ['', 'null', '{}', { message: 'hello', signature: 1 }]) expect((await ask('POST', '', body)).status).toBe(400)
    for (const message of ['hello', `${good.message}\n`, good.message.replace('Version: 1', 'Version: 2'), `Please: ${good.message}`])
      expect((await ask('POST', '', { message, signature: good.signature })).code).toBe('sign_in_malformed')
    expect((await ask('POST', '', { ...good, signature: 'no hex' })).code).toBe('sign_in_malformed')
    expect((await ask('POST', '', good)).status).toBe(200)
  })

  it('of another site cannot even ask', async () => {
    expect((await ask('POST', '/nonce', undefined, { origin: 'http://evil.example' })).code).toBe('origin_not_allowed')
  })
})

describe('a device', () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  async function device() {
    const { publicKey, privateKey } = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
    const jwk = await webcrypto.subtle.exportKey('jwk', publicKey)
    return async (change: object = {}) => {
      const challenge = { ...((await ask('POST', '/nonce')).json as Challenge), ...change }
      const message = deviceMessage(challenge, new Date(now).toISOString())
      const signature = Buffer.from(await webcrypto.subtle.sign(algorithm, privateKey, new TextEncoder().encode(message))).toString('base64url')
      return { message, signature, publicKey: jwk }
    }
  }

  it('signs in with a key that never leaves it, always as the same one', async () => {
    const sign = await device()
    const first = await ask('POST', '', await sign())
    expect(first.json.session).toMatchObject({ kind: 'device', id: expect.stringMatching(/^device:[0-9a-f]{64}$/) })
    expect((await ask('POST', '', await sign())).json.session?.id).toBe(first.json.session?.id)
    expect((await ask('POST', '', await (await device())())).json.session?.id).not.toBe(first.json.session?.id)
  })

  it('is refused a used message, another key’s signature, another place, and what is no key', async () => {
    const sign = await device()
    const once = await sign()
    expect((await ask('POST', '', once)).status).toBe(200)
    expect((await ask('POST', '', once)).code).toBe('sign_in_nonce')
    const { publicKey } = await (await device())()
    expect((await ask('POST', '', { ...(await sign()), publicKey })).code).toBe('sign_in_forged')
    expect((await ask('POST', '', await sign({ domain: 'evil.example' }))).code).toBe('sign_in_other_domain')
    expect((await ask('POST', '', { ...(await sign()), publicKey: { kty: 'oct', k: 'AA' } })).code).toBe('sign_in_malformed')
    expect((await ask('POST', '', { ...(await sign()), message: 'hello' })).code).toBe('sign_in_malformed')
  })
})
