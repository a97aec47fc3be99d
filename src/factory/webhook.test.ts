/** The webhook against a real receiver: in order, signed, once each where it says yes, and nothing forgotten where it says no or the gateway dies. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { verifyMessage } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { QueryPaid } from '../core/earnings.ts'
import { isRefusal } from '../core/errors.ts'
import { openWebhook, SIGNATURE, TIME, type Webhook } from './webhook.ts'

const gateway = privateKeyToAccount(generatePrivateKey())
const builder = privateKeyToAccount(generatePrivateKey()).address
let server: Server
let url: string
let status = 200
/** Answers wait for it. */
let held: Promise<void> | undefined
let heard: { body: string; time: string; signature: string }[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', async () => {
      heard.push({ body, time: String(request.headers[TIME.toLowerCase()]), signature: String(request.headers[SIGNATURE.toLowerCase()]) })
      await held
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/paid`
})
afterAll(() => void server.close())

const kept = new Map<string, string>()
let paid: QueryPaid[] = []
let final = 0
let open: Webhook[] = []
beforeEach(() => {
  kept.clear()
  paid = []
  heard = []
  final = 10
  status = 200
})
afterEach(async () => {
  for (const one of open) await one.close()
  open = []
})

/** A gateway, or the same one started again: what it knows is in `kept`. */
function started(): Webhook {
  const settings = {
    // As a database would: what is kept is a copy.
    get: async (key: string) => (kept.has(key) ? JSON.parse(kept.get(key)!) : undefined),
    set: async (key: string, value: unknown) => void (value === undefined ? kept.delete(key) : kept.set(key, JSON.stringify(value))),
  }
  const chain = { queriesPaid: async ({ fromBlock = 0 } = {}) => paid.filter(({ block }) => block >= fromBlock), finalBlock: async () => final }
  const models = { get: async () => undefined } as never
  const webhook = openWebhook({ chain, database: { settings, models } }, { payees: () => [builder], gateway, now: Date.now, beat: 20 })
  open.push(webhook)
  return webhook
}
const hex = (number: number) => `0x${number.toString(16).padStart(64, '0')}` as const
function pay(block: number, nonce: number): void {
  const parties = { modelId: hex(7), payer: builder, builder, requestHash: hex(9) }
  paid.push({ ...parties, amount: 10n ** 16n, nonce: hex(nonce), tx: hex(1000 + nonce), block })
}
const ids = () => heard.map(({ body }) => Number(BigInt(JSON.parse(body).id.split(':')[1])))

it('tells each payment that stays once, in order, signed by the gateway', async () => {
  pay(10, 1)
  const webhook = started()
  await webhook.set(url)
  pay(11, 2)
  pay(11, 3)
  pay(12, 4)
  final = 11
  await expect.poll(ids).toEqual([2, 3])
  expect((await webhook.view()).waiting).toBe(0)
  final = 12
  pay(12, 5)
  await expect.poll(ids).toEqual([2, 3, 4, 5])
  const [{ body, time, signature }] = heard as [(typeof heard)[0]]
  expect(JSON.parse(body)).toMatchObject({ type: 'payment', payer: builder, amount: { open: '0.01', atomic: '10000000000000000' }, block: 11 })
  expect(await verifyMessage({ address: gateway.address, message: `${time}.${body}`, signature: signature as `0x${string}` })).toBe(true)
  expect(await webhook.view()).toEqual({ url, told: 4, waiting: 0, failing: null, signer: gateway.address })
})

it('keeps what was not taken, through a restart, and says what is wrong', async () => {
  const first = started()
  await first.set(url)
  status = 500
  pay(11, 1)
  pay(12, 2)
  final = 12
  await expect.poll(async () => (await first.view()).failing?.why).toBe('it answered 500')
  expect((await first.view()).waiting).toBe(2)
  await first.close()
  heard = []
  status = 200
  started()
  await expect.poll(ids).toEqual([1, 2])
})

it('does not follow a redirect, which would carry payments to an address nobody set', async () => {
  const webhook = started()
  await webhook.set(url)
  status = 302
  const tested = await webhook.test()
  expect(isRefusal(tested) && tested.message).toContain('it answered 302')
  expect(heard).toHaveLength(1)
})

it('forgets the old address at once, and refuses what is none', async () => {
  const webhook = started()
  for (const wrong of ['ftp://example.org', 'javascript:alert(1)', 'somewhere', ''])
    expect(isRefusal(await webhook.set(wrong)) && (await webhook.view()).url).toBe(null)
  await webhook.set(url)
  await webhook.set(null)
  pay(11, 1)
  final = 11
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(heard).toEqual([])
  expect(isRefusal(await webhook.test())).toBe(true)
})

it('stays off that was taken off while a message was under way, and does not wait for it', async () => {
  const webhook = started()
  await webhook.set(url)
  let release = () => {}
  held = new Promise((resolve) => (release = resolve))
  pay(11, 1)
  final = 11
  await expect.poll(ids).toEqual([1])
  expect(await webhook.set(null)).toMatchObject({ url: null })
  release()
  held = undefined
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect((await webhook.view()).url).toBe(null)
})
