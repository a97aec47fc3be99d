/** The owner's budget wallet over a real socket and chain: it pays, keeps to its limits, and obeys its owner alone. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { type Bench, openBench, PRICE } from './bench.suite.ts'
import { type RunningServer, startServer } from './serve.ts'

let bench: Bench
let server: RunningServer

beforeAll(async () => {
  bench = await openBench()
  const started = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: bench.folder })
  if (isRefusal(started)) throw new Error(started.message)
  server = started
})
afterAll(async () => {
  await server.close()
  await bench.close()
})

type Body = {
  error?: { code: string; hint: string }
  balance: { atomic: string }
  today: { total: { open: string; atomic: string }; models: Record<string, { atomic: string }> }
  limits: { perQuery: { open: string }; perDay: { open: string }; perModelPerDay: { open: string } | null }
  paid: { tx: string }[]
  choices: { message: { content: string } }[]
  modelfactory: { receipt: { tx: string; payer: string } | null }
}
async function call(method: string, path = '', body?: unknown, headers: Record<string, string> = {}) {
  const reply = await fetch(`${server.url}/api/wallet${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return { status: reply.status, body: (await reply.json()) as Body }
}
const ask = (text: string) => call('POST', '/ask', { model: 'heart', text })
const limits = (perQuery: string, perDay: string, perModelPerDay: string | null = null) => call('PUT', '/limits', { perQuery, perDay, perModelPerDay })

it('pays one question whole to its builder, and remembers it', async () => {
  const before = await call('GET')
  expect(before.body).toMatchObject({ address: bench.payer.address, currency: 'test OPEN', test: true, today: { total: { open: '0' } }, paid: [] })
  const earned = (await bench.chain.balance(bench.builder.address)).open
  const { status, body } = await ask('what helps?')
  expect([status, body.choices[0]!.message.content]).toEqual([200, 'Sit down and rest. Call for help.'])
  expect(body.modelfactory.receipt!.payer.toLowerCase()).toBe(bench.payer.address.toLowerCase())
  expect((await bench.chain.balance(bench.builder.address)).open - earned).toBe(PRICE)
  const after = await call('GET')
  expect(BigInt(before.body.balance.atomic) - BigInt(after.body.balance.atomic)).toBe(PRICE)
  expect([after.body.today.total.atomic, after.body.today.models.heart!.atomic]).toEqual([`${PRICE}`, `${PRICE}`])
  await expect.poll(async () => (await call('GET')).body.paid.map(({ tx }) => tx)).toEqual([body.modelfactory.receipt!.tx])
})

it('keeps to its limits, which stay set, and changing them forgets nothing that was spent', async () => {
  expect((await limits('0.005', '1')).body.limits).toEqual({
    perQuery: expect.objectContaining({ open: '0.005' }),
    perDay: expect.objectContaining({ open: '1' }),
    perModelPerDay: null,
  })
  expect((await ask('too dear?')).status).toBe(422)
  expect((await limits('0.01', '0.015')).status).toBe(200)
  const refused = await ask('over the day?')
  expect([refused.status, refused.body.error?.code]).toEqual([422, 'budget_of_day_reached'])
  await limits('0.01', '1', '0.01')
  expect((await ask('over the model?')).body.error?.code).toBe('budget_of_model_reached')
  await limits('0.01', '0.03')
  // All at once: what is left of the day is two questions.
  const many = await Promise.all(['a', 'b', 'c', 'd'].map(ask))
  expect(many.map(({ status }) => status).sort()).toEqual([200, 200, 422, 422])
  const { body } = await call('GET')
  expect([body.today.total.open, body.limits.perDay.open]).toEqual(['0.03', '0.03'])
})

it('turns down what is no amount, limits that cross, and an empty question, with a way on', async () => {
  for (const [reply, code] of [
    [await limits('x', '1'), 'amount_not_decimal'],
    [await limits('-1', '1'), 'amount_not_decimal'],
    [await limits('2', '1'), 'limits_crossed'],
    [await call('PUT', '/limits', {}), 'invalid_request'],
    [await ask(' '), 'invalid_request'],
  ] as const) {
    expect(reply.body.error?.code).toBe(code)
    expect(reply.body.error?.hint).not.toBe('')
  }
  expect(await call('POST', '/ask', { model: 'nobody', text: 'x' })).toMatchObject({ status: 404, body: { error: { code: 'model_not_found' } } })
})

it('gets play money on a chain of its own', async () => {
  const before = BigInt((await call('GET')).body.balance.atomic)
  expect((await call('POST', '/fund')).status).toBe(200)
  expect(BigInt((await call('GET')).body.balance.atomic) - before).toBe(10n * 10n ** 18n)
})

it('obeys its owner alone', async () => {
  const away = { 'x-forwarded-for': '203.0.113.7' }
  const calls = [
    ['GET', ''],
    ['PUT', '/limits', { perQuery: '1', perDay: '1', perModelPerDay: null }],
    ['POST', '/fund'],
    ['POST', '/ask', { model: 'heart', text: 'x' }],
  ] as const
  for (const [method, path, body] of calls) expect((await call(method, path, body, away)).body.error?.code, path).toBe('not_the_owner')
  const elsewhere = await fetch(`${server.url}/api/wallet/ask`, {
    method: 'POST',
    headers: { origin: 'http://evil.example' },
    body: '{"model":"heart","text":"x"}',
  })
  expect(elsewhere.status).toBe(403)
})
