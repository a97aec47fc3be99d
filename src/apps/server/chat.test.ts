/** Paid queries over HTTP, on a real chain: an unmodified openai client that pays by x402, our own client, and raw requests. */
import { ExactEvmScheme } from '@x402/evm'
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig, x402Client } from '@x402/fetch'
import OpenAI from 'openai'
import type { LocalAccount } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AnswerPart } from '../../core/answer.ts'
import type { EarningsExport } from '../../core/earnings.ts'
import { isRefusal } from '../../core/errors.ts'
import { contentId } from '../../core/id.ts'
import { explain, openClient, type PayError } from '../client/client.ts'
import { type Bench, canned, fluent, openBench, PRICE } from './bench.suite.ts'
import { type RunningServer, startServer } from './serve.ts'

let bench: Bench
let server: RunningServer
const faults: unknown[] = []

beforeAll(async () => {
  bench = await openBench()
  const started = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: '/nowhere', report: (fault) => faults.push(fault) })
  if (isRefusal(started)) throw new Error(started.message)
  server = started
})
afterAll(async () => {
  await server.close()
  await bench.close()
})
beforeEach(() => {
  bench.behaviour.run = fluent
  faults.length = 0
})

const network = 'eip155:31337'
const stock = (account: LocalAccount) => ({
  schemes: [{ network, client: new ExactEvmScheme(account) }] as [{ network: 'eip155:31337'; client: ExactEvmScheme }],
  spendControls: { allowedAssets: [{ network, asset: bench.chain.contracts.token, maxAmountPerPayment: PRICE.toString() }] } as const,
})
const openai = (pay: typeof fetch) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', fetch: pay })
const question = { model: 'heart', messages: [{ role: 'user' as const, content: 'My chest hurts. What should I do?' }] }
const post = (body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: signal ?? null,
  })
const held = async (account: LocalAccount) => (await bench.chain.balance(account.address)).open
const codeOf = async (response: Response) => [response.status, ((await response.json()) as { error: { code: string } }).error.code]

/** A header as a stock client signs it for the terms of the 402. */
async function signed(account: LocalAccount, body: unknown = question): Promise<string> {
  const { spendControls, schemes } = stock(account)
  const client = x402Client.fromConfig({ schemes, spendControls: { allowedAssets: [...spendControls.allowedAssets] } })
  const required = await post(body)
  return btoa(JSON.stringify(await client.createPaymentPayload(JSON.parse(atob(required.headers.get('payment-required')!)))))
}

type Extra = {
  modelfactory: { sources: unknown; receipt: { tx: string; amount: { open: string; atomic: string }; payer: string; builder: string; responseHash: string } }
}

describe('terms', () => {
  it('that are no terms, or want a stream as well, are refused before any payment', async () => {
    for (const [terms, field] of [
      [{ polite: true }, 'terms'],
      [{ withinSeconds: -1 }, 'terms.withinSeconds'],
      [{ schema: { type: 'string', pattern: '(a+)+$' } }, 'terms.schema'],
    ] as const) {
      const response = await post({ ...question, terms })
      expect([response.status, ((await response.json()) as { error: { param: string } }).error.param]).toEqual([400, field])
    }
    expect(await codeOf(await post({ ...question, terms: { answered: true }, stream: true }))).toEqual([400, 'terms_not_streamed'])
  })

  it('are judged: failed nothing is charged, met the receipt says so', async () => {
    const before = await held(bench.builder)
    const failing = { ...question, terms: { cites: ['elsewhere.md'] } }
    expect(await codeOf(await post(failing, { 'payment-signature': await signed(bench.payer, failing) }))).toEqual([422, 'terms_not_met'])
    expect(await held(bench.builder)).toBe(before)
    const terms = { cites: ['angina.md'], withinSeconds: 60 }
    const response = await post({ ...question, terms }, { 'payment-signature': await signed(bench.payer, { ...question, terms }) })
    expect(await response.json()).toMatchObject({ modelfactory: { receipt: { terms: { asked: terms, judgedBy: 'gateway' } } } })
    expect(await held(bench.builder)).toBe(before + PRICE)
  })

  it('an abstention is answered, and says that nothing was charged', async () => {
    const silence = { text: 'The pages do not cover this.', citations: [], abstained: true }
    bench.behaviour.run = async function* (): AsyncGenerator<AnswerPart> {
      yield { answer: silence }
    }
    const before = await held(bench.builder)
    const payment = await signed(bench.payer)
    for (const stream of [false, true]) {
      const response = await post({ ...question, stream }, { 'payment-signature': payment })
      const text = await response.text()
      expect([response.status, response.headers.get('payment-response')]).toEqual([200, null])
      expect(text).toContain(silence.text)
      expect(text).toContain('nothing was charged')
    }
    expect(await held(bench.builder)).toBe(before)
  })

  it('keeps a question without an answer for the builder when its caller allows it, and no other', async () => {
    const gaps = async (headers: Record<string, string> = {}) => fetch(`${server.url}/api/gaps`, { headers })
    const asked = async (text: string, store?: boolean) => {
      const body = { model: 'heart', messages: [{ role: 'user' as const, content: text }], ...(store !== undefined && { store }) }
      return (await post(body, { 'payment-signature': await signed(bench.payer, body) })).status
    }
    expect(await asked('An answered question?', true)).toBe(200)
    bench.behaviour.run = async function* (): AsyncGenerator<AnswerPart> {
      yield { answer: { text: 'The pages do not cover this.', citations: [], abstained: true } }
    }
    expect([await asked('A private question?'), await asked('Another private question?', false)]).toEqual([200, 200])
    expect(await (await gaps()).json()).toEqual({ models: [] })
    expect([await asked('May I fly with\u202e angina?', true), await asked('may i fly with angina?', true)]).toEqual([200, 200])
    const question = { question: 'May I fly with angina?', times: 2, last: expect.any(Number) }
    expect(await (await gaps()).json()).toEqual({
      models: [{ model: 'heart', times: 2, topics: [{ topic: null, times: 2, questions: [question] }] }],
    })
    expect((await gaps({ 'x-forwarded-for': '203.0.113.7' })).status).toBe(403)
    expect(await (await fetch(`${server.url}/api/gaps/heart`, { method: 'DELETE' })).json()).toEqual({ models: [] })
  })
})

describe('an unmodified openai client whose fetch is wrapped by @x402/fetch', () => {
  it('gets an answer, and the builder gets the whole price', async () => {
    const before = [await held(bench.payer), await held(bench.builder)] as const
    let outcome: string | null = null
    const { schemes, spendControls } = stock(bench.payer)
    const pay = wrapFetchWithPaymentFromConfig(fetch, { schemes, spendControls: { allowedAssets: [...spendControls.allowedAssets] } })
    const completion = await openai(async (input, init) => {
      const response = await pay(input, init)
      outcome = response.headers.get('payment-response')
      return response
    }).chat.completions.create(question)
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model: 'heart',
      choices: [{ message: { role: 'assistant', content: canned.text }, finish_reason: 'stop' }],
    })
    const { modelfactory } = completion as unknown as Extra
    expect(modelfactory).toMatchObject({
      sources: canned.citations,
      abstained: false,
      receipt: {
        amount: { open: '0.01', atomic: PRICE.toString() },
        responseHash: contentId(canned),
        payer: expect.stringMatching(new RegExp(bench.payer.address, 'i')),
      },
    })
    expect(decodePaymentResponseHeader(outcome!)).toMatchObject({ success: true, transaction: modelfactory.receipt.tx, network })
    expect([before[0] - (await held(bench.payer)), (await held(bench.builder)) - before[1]]).toEqual([PRICE, PRICE])
  })

  it('gets a stream whose last chunk carries the receipt', async () => {
    const { schemes, spendControls } = stock(bench.payer)
    const pay = wrapFetchWithPaymentFromConfig(fetch, { schemes, spendControls: { allowedAssets: [...spendControls.allowedAssets] } })
    const stream = await openai(pay).chat.completions.create({ ...question, stream: true })
    let text = ''
    let last: unknown
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      last = chunk
    }
    expect(text).toBe(canned.text)
    const { receipt } = (last as Extra).modelfactory
    const paid = await bench.chain.queriesPaid()
    expect(paid.at(-1)).toMatchObject({ tx: receipt.tx, amount: PRICE })
    expect((await bench.database.receipts.list()).map(({ tx }) => tx)).toEqual(paid.map(({ tx }) => tx).reverse())
    // Every payment so far can be handed to an accountant, and each names its proof.
    const exported = (await (await fetch(`${server.url}/api/earnings/export.json`)).json()) as EarningsExport
    expect(exported.payments.map(({ tx }) => tx)).toEqual(paid.map(({ tx }) => tx))
    expect(exported.total.atomic).toBe(String(PRICE * BigInt(paid.length)))
    expect(exported.payments.at(-1)).toMatchObject({ model: 'heart', version: expect.stringMatching(/^0x/), amount: { open: '0.01' } })
    expect(await (await fetch(`${server.url}${exported.payments.at(-1)!.passport}`)).json()).toMatchObject({ payment: { tx: receipt.tx } })
    const csv = await fetch(`${server.url}/api/earnings/export.csv`)
    expect(csv.headers.get('content-disposition')).toContain('earnings.csv')
    expect((await csv.text()).split('\r\n')).toHaveLength(paid.length + 2)
  })

  it('streams as the model speaks, after the payment', async () => {
    let release = () => {}
    bench.behaviour.run = async function* (): AsyncGenerator<AnswerPart> {
      yield { delta: 'Sit ' }
      await new Promise<void>((resolve) => {
        release = resolve
      })
      yield { answer: canned }
    }
    const before = await held(bench.builder)
    const response = await post({ ...question, stream: true }, { 'payment-signature': await signed(bench.payer) })
    expect(decodePaymentResponseHeader(response.headers.get('payment-response')!)).toMatchObject({ success: true })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let heard = ''
    while (!heard.includes('Sit ')) heard += (await reader.read()).value
    expect((await held(bench.builder)) - before).toBe(PRICE)
    release()
    for (let part = await reader.read(); !part.done; part = await reader.read()) heard += part.value
    expect(heard).toMatch(/data: \[DONE\]\n\n$/)
  })
})

describe('our own client', () => {
  const paying = async (account: LocalAccount, maximum = PRICE) =>
    (await openClient({ url: server.url, account: account as never, network, asset: bench.chain.contracts.token, maximum })).fetch
  const ask = { method: 'POST', body: JSON.stringify(question) }

  it('pays', async () => {
    const response = await (await paying(bench.payer))(`${server.url}/v1/chat/completions`, ask)
    expect(response.status).toBe(200)
    expect(await explain(response)).toBeUndefined()
  })

  it('sends the very same payment again while its outcome is not known, and pays once', async () => {
    const before = await held(bench.builder)
    const { query } = bench.factory
    const seen: (string | undefined)[] = []
    bench.factory.query = async (options) => {
      seen.push(options.payment)
      if (seen.length === 2) throw new Error('the disk hiccups')
      if (seen.length === 3) return { kind: 'reply', status: 409, headers: { 'Retry-After': '1' }, body: {} }
      return query(options)
    }
    try {
      const response = await (await paying(bench.payer))(`${server.url}/v1/chat/completions`, ask)
      expect(response.status).toBe(200)
    } finally {
      bench.factory.query = query
    }
    expect(seen[0]).toBeUndefined()
    expect(seen.length).toBe(4)
    expect(new Set(seen.slice(1)).size).toBe(1)
    expect((await held(bench.builder)) - before).toBe(PRICE)
  })

  it('says why it will not sign: price above the maximum', async () => {
    const pay = await paying(bench.payer, PRICE - 1n)
    const error = (await pay(`${server.url}/v1/chat/completions`, ask).catch((thrown: unknown) => thrown)) as PayError
    expect(error.refusal).toMatchObject({ code: 'price_above_maximum' })
    expect(error.message).toContain('0.01 OPEN')
  })

  it('passes on why the server refused: a wallet without OPEN', async () => {
    const response = await (await paying(bench.pauper))(`${server.url}/v1/chat/completions`, ask)
    expect(response.status).toBe(402)
    const why = await explain(response)
    expect(why).toMatchObject({ code: 'payer_without_open' })
    expect(why?.message).toContain(bench.pauper.address)
  })
})

describe('raw requests', () => {
  it('without a payment: 402 with the terms in the header and the body', async () => {
    const response = await post(question)
    expect(response.status).toBe(402)
    const body = (await response.json()) as { error: { type: string }; accepts: unknown[] }
    expect(body.error.type).toBe('payment_required')
    const terms = JSON.parse(atob(response.headers.get('payment-required')!))
    expect(terms).toMatchObject({ x402Version: 2, accepts: [{ payTo: bench.builder.address, amount: PRICE.toString(), network }] })
    expect(body.accepts).toEqual(terms.accepts)
  })

  const wrong: [string, () => Promise<Response>, [number, string]][] = [
    ['a payment that is not base64', () => post(question, { 'payment-signature': '%%%' }), [400, 'payment_malformed']],
    ['a model nobody made', () => post({ ...question, model: 'lungs' }), [404, 'model_not_found']],
    ['a model not published', () => post({ ...question, model: 'draft' }), [404, 'model_not_found']],
    ['no JSON', () => post('{"model"'), [400, 'invalid_request']],
    ['null', () => post('null'), [400, 'invalid_request']],
    ['no messages', () => post({ model: 'heart' }), [400, 'invalid_request']],
    ['no user message', () => post({ model: 'heart', messages: [{ role: 'system', content: 'x' }] }), [400, 'input_empty']],
    ['an empty question', () => post({ model: 'heart', messages: [{ role: 'user', content: '  ' }] }), [400, 'input_empty']],
    ['several answers', () => post({ ...question, n: 2 }), [400, 'invalid_request']],
    ['two megabytes', () => post({ ...question, padding: 'x'.repeat(2_000_000) }), [413, 'body_too_large']],
    ['a route that is not there', () => fetch(`${server.url}/v1/embeddings`, { method: 'POST', body: '{}' }), [404, 'not_found']],
  ]
  for (const [what, send, expected] of wrong)
    it(`${what}: ${expected.join(' ')}`, async () => {
      expect(await codeOf(await send())).toEqual(expected)
      expect(faults).toEqual([])
    })

  it('lists the published models', async () => {
    const models = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: unknown[] }
    expect(models.data).toMatchObject([{ id: 'heart', object: 'model', modelfactory: { price: { open: '0.01' }, task: 'answer', exam: { n: 40 } } }])
  })

  it('the same payment eight times at once: one answer, one payment, and later the same answer for nothing', async () => {
    const before = await held(bench.builder)
    const header = { 'payment-signature': await signed(bench.payer) }
    const replies = await Promise.all(Array.from({ length: 8 }, () => post(question, header)))
    const statuses = replies.map(({ status }) => status)
    expect(statuses).toContain(200)
    expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([])
    const texts = await Promise.all(replies.map((reply) => reply.json() as Promise<Extra>))
    const first = texts.find((_, index) => replies[index]!.status === 200)!
    const again = await post(question, header)
    expect(((await again.json()) as Extra).modelfactory).toEqual(first.modelfactory)
    expect((await held(bench.builder)) - before).toBe(PRICE)
    expect(await codeOf(await post({ ...question, temperature: 0 }, header))).toEqual([402, 'payment_spent'])
  })

  it('a client that leaves before the answer begins is not charged', async () => {
    const before = await held(bench.builder)
    const header = { 'payment-signature': await signed(bench.payer) }
    const leaving = new AbortController()
    const stopped = new Promise<void>((resolve) => {
      bench.behaviour.run = async function* (signal) {
        setTimeout(() => leaving.abort(), 20)
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        yield { answer: canned }
      }
      void bench.database.payments.inState(['reserved']).then(async () => {
        while ((await bench.database.payments.inState(['reserved'])).length === 0) await new Promise((next) => setTimeout(next, 5))
        while ((await bench.database.payments.inState(['reserved'])).length > 0) await new Promise((next) => setTimeout(next, 5))
        resolve()
      })
    })
    await expect(post(question, header, leaving.signal)).rejects.toThrow()
    await stopped
    bench.behaviour.run = fluent
    expect((await held(bench.builder)) - before).toBe(0n)
    expect((await post(question, header)).status).toBe(200)
  })

  it('a client that leaves in the middle has its answer kept whole', async () => {
    let release = () => {}
    bench.behaviour.run = async function* (signal): AsyncGenerator<AnswerPart> {
      yield { delta: 'Sit ' }
      await new Promise<void>((resolve) => {
        release = resolve
      })
      signal.throwIfAborted()
      yield { answer: canned }
    }
    const header = { 'payment-signature': await signed(bench.payer, { ...question, stream: true }) }
    const leaving = new AbortController()
    const response = await post({ ...question, stream: true }, header, leaving.signal)
    await response.body!.getReader().read()
    leaving.abort()
    await new Promise((resolve) => setTimeout(resolve, 50))
    release()
    bench.behaviour.run = async function* (): AsyncGenerator<AnswerPart> {
      yield* []
      throw new Error('must not run again')
    }
    let text = ''
    for (let tries = 0; tries < 50 && !text.includes('[DONE]'); tries++) {
      text = await (await post({ ...question, stream: true }, header)).text()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(text).toContain(canned.text)
  })

  it('a model that fails first is not charged; one that fails after the payment says so and does not invite a second one', async () => {
    const before = await held(bench.builder)
    bench.behaviour.run = async function* () {
      yield* []
      throw new Error('weights at /secret')
    }
    const header = { 'payment-signature': await signed(bench.payer) }
    const failed = await post(question, header)
    expect(failed.status).toBe(500)
    expect(await failed.text()).not.toContain('secret')
    expect((await held(bench.builder)) - before).toBe(0n)
    bench.behaviour.run = async function* (): AsyncGenerator<AnswerPart> {
      yield { delta: 'Sit ' }
      await new Promise((resolve) => setTimeout(resolve, 60))
      throw new Error('weights at /secret')
    }
    const cut = await post(question, header)
    expect([cut.status, cut.headers.get('x-should-retry')]).toEqual([500, 'false'])
    expect(await cut.text()).toContain('without paying again')
    bench.behaviour.run = fluent
    expect((await post(question, header)).status).toBe(200)
    expect((await held(bench.builder)) - before).toBe(PRICE)
  })

  it('a fault while it holds a payment never asks for another one', async () => {
    const header = { 'payment-signature': await signed(bench.payer) }
    const { query } = bench.factory
    bench.factory.query = async () => {
      throw new Error('disk at /secret full')
    }
    try {
      const reply = await post(question, header)
      expect([reply.status, reply.headers.get('x-should-retry'), reply.headers.get('retry-after')]).toEqual([503, 'false', '2'])
      expect(await reply.text()).toMatch(/^(?!.*secret).*same PAYMENT-SIGNATURE/)
      expect(String(faults.at(-1))).toContain('/secret')
      expect((await post(question)).status).toBe(500)
    } finally {
      bench.factory.query = query
    }
  })
})
