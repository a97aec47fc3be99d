/** Whom a model pays, over a real socket and a real chain: for the owner alone, and a paid query goes where it says. */
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import type { SharesView } from '../../core/shares.ts'
import { type Bench, openBench } from './bench.suite.ts'
import { type RunningServer, startServer } from './serve.ts'

let bench: Bench
let server: RunningServer
const friend = privateKeyToAccount(generatePrivateKey()).address

beforeAll(async () => {
  bench = await openBench()
  const started = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: bench.folder, report: () => {} })
  if (isRefusal(started)) throw new Error(started.message)
  server = started
})
afterAll(async () => {
  await server.close()
  await bench.close()
})

async function ask(path: string, method = 'GET', body?: unknown, headers: Record<string, string> = {}) {
  const reply = await fetch(`${server.url}/api/shares${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
  return { status: reply.status, body: (await reply.json()) as SharesView & { error?: { code: string; message: string }; sent?: object[] } }
}

it('is the owner’s alone to see and to set', async () => {
  const holders = [{ recipient: friend, shares: '1' }]
  for (const [path, method, body] of [
    ['/heart', 'GET', undefined],
    ['/heart/cited', 'GET', undefined],
    ['/heart', 'PUT', { holders }],
    ['/heart/send', 'POST', {}],
  ] as const)
    expect(await ask(path, method, body, { 'x-forwarded-for': '203.0.113.7' })).toMatchObject({ status: 403, body: { error: { code: 'not_the_owner' } } })
  expect((await bench.chain.listing(bench.modelId))!.payout).toBe(bench.builder.address)
})

it('refuses what is no division, in a sentence', async () => {
  for (const holders of [[{ recipient: 'me', shares: '1' }], [{ recipient: friend, shares: '-1' }], [{ recipient: friend, shares: 1 }], 'all', undefined])
    expect(await ask('/heart', 'PUT', { holders })).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_request', message: expect.stringContaining('holders') } },
    })
  expect(await ask('/heart', 'PUT', { holders: [{ recipient: friend, shares: '0' }] })).toMatchObject({ body: { error: { code: 'share_out_of_range' } } })
  expect(await ask('/heart/cited?own=much')).toMatchObject({ body: { error: { code: 'own_part_out_of_range' } } })
  expect(await ask('/nothing')).toMatchObject({ status: 404, body: { error: { code: 'unknown_model' } } })
  expect(await ask('/heart/send', 'POST', {})).toMatchObject({ body: { error: { code: 'nothing_gathered' } } })
})

it('divides, and sends on', async () => {
  const holders = [
    { recipient: bench.builder.address, shares: '3' },
    { recipient: friend, shares: '1' },
  ]
  const { status, body } = await ask('/heart', 'PUT', { holders })
  expect(status).toBe(200)
  expect(body.holders).toEqual(expect.arrayContaining([expect.objectContaining({ recipient: friend, shares: '1', yours: false })]))
  expect((await bench.chain.listing(bench.modelId))!.payout).toBe(body.payout)
  await bench.chain.fund(body.payout as `0x${string}`, 8n)
  expect((await ask('/heart')).body.gathered.atomic).toBe('8')
  // Pressed twice, it is sent once.
  const [sent, again] = await Promise.all([ask('/heart/send', 'POST', {}), ask('/heart/send', 'POST', {})])
  expect(sent.body.sent).toMatchObject([{ payout: body.payout, amount: { atomic: '8' } }])
  expect(again.body.error).toMatchObject({ code: 'nothing_gathered' })
  expect((await bench.chain.balance(friend)).open).toBe(2n)
})
