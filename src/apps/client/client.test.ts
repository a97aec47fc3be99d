/** The paying client against servers that answer, lie, vanish and change their minds; against the real gateway in `server/chat.test.ts`. */
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import type { Address } from '../../core/listing.ts'
import { type ClientOptions, openClient, type PayError } from './client.ts'

const account = privateKeyToAccount(generatePrivateKey())
const url = 'http://127.0.0.1:4020'
const network = 'eip155:31337'
const asset: Address = `0x${'11'.repeat(20)}`
const payTo = `0x${'22'.repeat(20)}`
const PRICE = 10n

type Reply = number | { status: number; body?: unknown; headers?: Record<string, string> } | 'gone'
const terms = (change: Record<string, unknown> = {}, envelope: Record<string, unknown> = {}) => ({
  x402Version: 2,
  resource: { url },
  accepts: [
    {
      scheme: 'exact',
      network,
      amount: `${PRICE}`,
      asset,
      payTo,
      maxTimeoutSeconds: 600,
      extra: { name: 'Wrapped OPEN', version: '1', modelId: '0x01' },
      ...change,
    },
  ],
  ...envelope,
})

/** A server that says what it is told to paid requests, and keeps what it was sent. */
function stand(replies: Reply[], required: unknown = terms()) {
  const payments: string[] = []
  const send = (async (input: Request) => {
    const header = input.headers.get('payment-signature')
    if (header === null) return new Response('{}', { status: 402, headers: { 'payment-required': btoa(JSON.stringify(required)) } })
    payments.push(header)
    const reply = replies.shift() ?? 200
    if (reply === 'gone') throw new TypeError('fetch failed')
    const { status, body = {}, headers = {} } = typeof reply === 'number' ? { status: reply } : reply
    const settled: Record<string, string> =
      status === 200 ? { 'payment-response': btoa(JSON.stringify({ success: true, transaction: `0x${payments.length}` })) } : {}
    return new Response(JSON.stringify(body), { status, headers: { 'retry-after': '0.001', ...settled, ...headers } })
  }) as typeof fetch
  return { send, payments, nonces: () => payments.map((header) => JSON.parse(atob(header)).payload.authorization.nonce as string) }
}

const open = (server: { send: typeof fetch }, change: Partial<ClientOptions> = {}) =>
  openClient({ url, account: account as never, network, asset, maximum: 100n, fetch: server.send, ...change })
const ask = (question: string, model = 'heart') => ({ method: 'POST', body: JSON.stringify({ model, question }) })
const path = `${url}/v1/chat/completions`
const codeOf = (work: Promise<unknown>) => work.then(() => undefined).catch((error: PayError) => error.refusal?.code ?? error.name)

/** Keeps one text, as a browser's storage does. */
function shelf() {
  const kept: string[] = []
  return {
    load: () => kept.at(-1),
    save(text: string) {
      kept.push(text)
    },
  }
}

describe('budgets', () => {
  it('of a day are kept to the last unit, and begin anew at midnight UTC', async () => {
    let now = Date.UTC(2026, 10, 25, 23, 59)
    const client = await open(stand([]), { budget: { perDay: 3n * PRICE + 5n }, now: () => now })
    for (const question of ['1', '2', '3']) expect((await client.fetch(path, ask(question))).status).toBe(200)
    expect(await codeOf(client.fetch(path, ask('4')))).toBe('budget_of_day_reached')
    expect(client.spentToday()).toEqual({ day: '2026-11-25', total: 3n * PRICE, models: { heart: 3n * PRICE } })
    now += 120_000
    expect((await client.fetch(path, ask('4'))).status).toBe(200)
    expect(client.spentToday()).toMatchObject({ day: '2026-11-26', total: PRICE })
  })

  it('of a model are its own, whatever it is called', async () => {
    const client = await open(stand([]), { budget: { perModelPerDay: { heart: PRICE, constructor: 0n } } })
    expect((await client.fetch(path, ask('1'))).status).toBe(200)
    expect(await codeOf(client.fetch(path, ask('2')))).toBe('budget_of_model_reached')
    expect(await codeOf(client.fetch(path, ask('2', 'constructor')))).toBe('budget_of_model_reached')
    for (const model of ['lungs', '__proto__', 'toString']) expect((await client.fetch(path, ask('2', model))).status).toBe(200)
    expect(client.spentToday().total).toBe(4n * PRICE)
  })

  it('hold for many at once', async () => {
    const server = stand([])
    const client = await open(server, { budget: { perDay: 5n * PRICE } })
    const codes = await Promise.all(Array.from({ length: 20 }, (_, place) => codeOf(client.fetch(path, ask(`${place}`)))))
    expect([server.payments.length, codes.filter((code) => code === 'budget_of_day_reached').length]).toEqual([5, 15])
  })

  it('count what a server that lies could use: a signature it was sent', async () => {
    const server = stand(Array.from({ length: 9 }, () => ({ status: 402, body: { error: { message: 'No.', code: 'payment_wrong_amount' } } })))
    const client = await open(server, { budget: { perDay: 2n * PRICE } })
    expect((await client.fetch(path, ask('1'))).status).toBe(402)
    expect((await client.fetch(path, ask('1'))).status).toBe(402)
    expect(await codeOf(client.fetch(path, ask('1')))).toBe('budget_of_day_reached')
    expect(server.payments.length).toBe(2)
  })

  it('do not count a signature the wallet refused to make', async () => {
    const refusing = { address: account.address, signTypedData: () => Promise.reject(new Error('User rejected')) }
    const client = await open(stand([]), { account: refusing, budget: { perDay: PRICE } })
    for (let time = 0; time < 3; time++) await expect(client.fetch(path, ask('1'))).rejects.toThrow('User rejected')
    expect(client.spentToday().total).toBe(0n)
  })
})

describe('one request is one payment', () => {
  it('while its outcome is not known: busy, unsure, gone, all with the very same header', async () => {
    const server = stand([503, 409, 'gone', 502, 200])
    const client = await open(server, { budget: { perDay: PRICE } })
    expect((await client.fetch(path, ask('1'))).status).toBe(200)
    expect([server.payments.length, new Set(server.payments).size]).toEqual([5, 1])
    expect(client.paid()).toMatchObject([{ tx: '0x5', model: 'heart', price: PRICE }])
  })

  it('over the end of a process as well', async () => {
    const keep = shelf()
    const server = stand([
      'gone',
      'gone',
      'gone',
      'gone',
      'gone',
      'gone',
      { status: 500, body: { error: { message: 'Cut off.', code: 'answer_cut_off' } } },
      200,
    ])
    expect(await codeOf((await open(server, { keep })).fetch(path, ask('1')))).toBe('server_lost')
    expect((await (await open(server, { keep })).fetch(path, ask('1'))).status).toBe(500)
    const last = await open(server, { keep, budget: { perDay: PRICE } })
    expect((await last.fetch(path, ask('1'))).status).toBe(200)
    expect([server.payments.length, new Set(server.payments).size]).toEqual([8, 1])
    // Paid and answered: the same question is a new one now, and the kept budget is used up.
    expect(await codeOf(last.fetch(path, ask('1')))).toBe('budget_of_day_reached')
    await expect(open(server, { keep: { load: () => '{"version":1}', save: () => {} } })).rejects.toThrow('damaged')
  }, 20_000)

  it('when the wallet was empty, once it is filled', async () => {
    const server = stand([{ status: 402, body: { error: { message: 'Empty.', code: 'payer_without_open' } } }, 200])
    const client = await open(server, { budget: { perDay: PRICE } })
    expect((await client.fetch(path, ask('1'))).status).toBe(402)
    expect((await client.fetch(path, ask('1'))).status).toBe(200)
    expect(new Set(server.payments).size).toBe(1)
  })

  it('when it is asked twice at once', async () => {
    const server = stand([])
    const slow = (async (input, init) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      return server.send(input, init)
    }) as typeof fetch
    const client = await open({ send: slow }, { budget: { perDay: PRICE } })
    const both = await Promise.all([client.fetch(path, ask('1')), client.fetch(path, ask('1'))])
    expect(both.map(({ status }) => status)).toEqual([200, 200])
    expect(new Set(server.payments).size).toBe(1)
  })

  it('when it is asked twice while the wallet’s owner is still reading', async () => {
    let asked = 0
    const slow = {
      address: account.address,
      async signTypedData(message: object) {
        asked++
        await new Promise((resolve) => setTimeout(resolve, 100))
        return account.signTypedData(message as never)
      },
    }
    const server = stand([])
    // Both have passed the first look at what is under way before either hears of a price.
    const far = (async (input, init) => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      return server.send(input, init)
    }) as typeof fetch
    const client = await open({ send: far }, { account: slow, budget: { perDay: 2n * PRICE } })
    await Promise.all([client.fetch(path, ask('1')), client.fetch(path, ask('1'))])
    expect([asked, new Set(server.payments).size]).toEqual([1, 1])
  })

  it('whose signature has run out is signed anew', async () => {
    let now = Date.now()
    const server = stand(['gone', 'gone', 'gone', 'gone', 'gone', 'gone', 200])
    const client = await open(server, { now: () => now })
    expect(await codeOf(client.fetch(path, ask('1')))).toBe('server_lost')
    now += 601_000
    expect((await client.fetch(path, ask('1'))).status).toBe(200)
    expect(new Set(server.payments).size).toBe(2)
  }, 20_000)
})

describe('nonces', () => {
  it('follow one another within a word of 256, then another word is drawn; kept over runs', async () => {
    const keep = shelf()
    const server = stand([])
    const client = await open(server, { keep })
    for (let place = 0; place < 250; place++) await client.fetch(path, ask(`${place}`))
    const again = await open(server, { keep })
    for (let place = 250; place < 258; place++) await again.fetch(path, ask(`${place}`))
    const nonces = server.nonces()
    expect(new Set(nonces).size).toBe(258)
    expect(new Set(nonces.slice(0, 256).map((nonce) => nonce.slice(0, 64))).size).toBe(1)
    expect(nonces[0]!.slice(64) + nonces[255]!.slice(64) + nonces[256]!.slice(64)).toBe('00ff00')
    expect(nonces[256]!.slice(0, 64)).not.toBe(nonces[0]!.slice(0, 64))
  }, 60_000)
})

describe('what is never signed', () => {
  const wrong: [string, unknown][] = [
    ['price_above_maximum', terms({ amount: '101' })],
    ['terms_other_network', terms({ network: 'eip155:1' })],
    ['terms_other_asset', terms({ asset: payTo })],
    ['terms_not_understood', terms({ scheme: 'upto' })],
    ['terms_not_understood', terms({ amount: '-1' })],
    ['terms_not_understood', terms({ payTo: 'me' })],
    ['terms_not_understood', terms({ extra: null })],
    ['terms_missing', terms({}, { x402Version: 1 })],
    ['terms_missing', terms({}, { accepts: [] })],
    ['terms_missing', 'nonsense'],
    ['terms_missing', null],
  ]
  for (const [code, required] of wrong)
    it(`${code}: ${JSON.stringify(required)?.slice(0, 60)}`, async () => {
      const server = stand([], required)
      expect(await codeOf((await open(server)).fetch(path, ask('1')))).toBe(code)
      expect(server.payments).toEqual([])
    })

  it('anything for another server than the one that was named', async () => {
    const server = stand([])
    expect(await codeOf((await open(server)).fetch('http://127.0.0.1:9999/v1/chat/completions', ask('1')))).toBe('server_not_yours')
    expect(server.payments).toEqual([])
  })

  it('signs what an x402 client signs, for the token’s domain', async () => {
    const server = stand([])
    await (await open(server)).fetch(path, ask('1'))
    const { payload, accepted, x402Version } = JSON.parse(atob(server.payments[0]!))
    expect([x402Version, accepted.payTo, payload.authorization]).toMatchObject([2, payTo, { from: account.address, to: payTo, value: `${PRICE}` }])
    expect(Number(payload.authorization.validBefore) - Number(payload.authorization.validAfter)).toBe(1200)
  })
})
