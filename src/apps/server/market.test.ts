/** Who speaks for a builder over HTTP, and what is said to words that cannot be taken. */
import { Hono } from 'hono'
import { expect, it } from 'vitest'
import type { BuilderPost } from '../../core/market.ts'
import type { ModelFactory } from '../../factory/factory.ts'
import { marketRoutes } from './market.ts'
import type { SessionVariables } from './session.ts'

const owner = `0x${'a'.repeat(40)}`
const wallet = `0x${'b'.repeat(40)}`

/** The routes for somebody who is signed in with `id`, or is not, and whom the market heard. */
function server(id?: string) {
  const heard: { post: BuilderPost; wallet: string | undefined }[] = []
  const market = {
    builder: async (address: string) => ({ address, profile: null, models: [] }),
    introduce: async (post: BuilderPost, by: string | undefined) => {
      heard.push({ post, wallet: by })
      return by ? { ...post, address: by, at: 1 } : { refused: true, code: 'not_signed_in', message: 'Nobody is signed in.', hint: 'Sign in.' }
    },
  }
  const app = new Hono<SessionVariables>()
  app.use(async (context, next) => {
    if (id) context.set('session', { kind: 'wallet', id, expiresAt: Date.now() + 1000 } as never)
    await next()
  })
  app.route('/', marketRoutes({ market, owner } as unknown as Pick<ModelFactory, 'market' | 'owner'>))
  const ask = async (method: string, path: string, body?: unknown) => {
    const reply = await app.request(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return { status: reply.status, json: (await reply.json()) as { address?: string; error?: { code: string; message: string } } }
  }
  return { heard, ask }
}

it('lets a wallet speak for its own address and for no other, whatever the body says', async () => {
  const { heard, ask } = server(wallet)
  const said = await ask('PUT', '/builder', { name: 'Dr. Ada', address: owner, credentials: [{ title: 'FESC' }] })
  expect(said).toMatchObject({ status: 200, json: { address: wallet } })
  expect(heard).toEqual([{ post: { name: 'Dr. Ada', about: '', credentials: [{ title: 'FESC', url: '' }] }, wallet }])
  expect((await ask('GET', '/builder')).json.address).toBe(wallet)
})

it('knows nobody from elsewhere who is not signed in', async () => {
  const { heard, ask } = server()
  expect(await ask('GET', '/builder')).toMatchObject({ status: 401, json: { error: { code: 'not_signed_in' } } })
  expect(await ask('PUT', '/builder', { name: 'Dr. Ada' })).toMatchObject({ status: 401 })
  expect(heard).toMatchObject([{ wallet: undefined }])
  expect(await ask('GET', `/builders/${owner}`)).toMatchObject({ status: 200, json: { address: owner } })
})

it('says what is wrong with an introduction, and with an address', async () => {
  const { heard, ask } = server(wallet)
  for (const [body, part] of [
    [{}, 'name'],
    [{ name: 'A' }, 'at least 2 characters'],
    [{ name: 'Ada', credentials: [{ title: 'FESC', url: 'javascript:alert(1)' }] }, 'https://'],
    [{ name: 'Ada', credentials: Array.from({ length: 6 }, () => ({ title: 'FESC' })) }, 'at most 5'],
  ] as const) {
    const { status, json } = await ask('PUT', '/builder', body)
    expect([status, json.error?.code]).toEqual([400, 'invalid_request'])
    expect(json.error!.message).toContain(part)
  }
  expect(heard).toEqual([])
  expect(await ask('GET', '/builders/0x12')).toMatchObject({ status: 400, json: { error: { message: expect.stringContaining('0x12') } } })
})
