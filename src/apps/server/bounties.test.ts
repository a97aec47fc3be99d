/** Bounties over a real socket and a real chain: the owner's alone to offer, enter and take back; and a model that passes is paid. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { BountyView } from '../../core/bounty.ts'
import { isRefusal } from '../../core/errors.ts'
import type { Wanted } from '../../core/market.ts'
import { type Bench, canned, openBench } from './bench.suite.ts'
import { type RunningServer, startServer } from './serve.ts'

let bench: Bench
let server: RunningServer
let need: Wanted
const elsewhere = { 'x-forwarded-for': '203.0.113.7' }
const sealed = Array.from({ length: 5 }, (_, place) => ({ input: `Question ${place}`, output: canned.text }))

type Body = BountyView & Wanted & { bounties: BountyView[]; error?: { code: string; message: string } }
async function ask(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const reply = await fetch(`${server.url}/api/market${path}`, { method: body ? 'POST' : 'GET', headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  return { status: reply.status, body: (await reply.json()) as Body }
}

beforeAll(async () => {
  bench = await openBench()
  const started = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: bench.folder, report: () => {} })
  if (isRefusal(started)) throw new Error(started.message)
  server = started
  need = (await ask('/wanted', { need: 'What to do when the heart hurts', cases: [] })).body
})
afterAll(async () => {
  await server.close()
  await bench.close()
})

it('is the owner’s alone to offer, to enter for and to take back', async () => {
  for (const [path, body] of [
    [`/wanted/${need.id}/bounty`, { amount: '0.5', sealed }],
    ['/bounties/0x12/entries', { model: 'heart' }],
    ['/bounties/0x12/withdraw', {}],
  ] as const)
    expect(await ask(path, body, elsewhere)).toMatchObject({ status: 403, body: { error: { code: 'not_the_owner' } } })
})

it('says what is wrong with an offer', async () => {
  expect(await ask(`/wanted/${need.id}/bounty`, { amount: 'much', sealed })).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('amount') } },
  })
  expect(await ask(`/wanted/${need.id}/bounty`, { amount: '1', sealed: [] })).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('at least 5') } },
  })
  expect(await ask('/wanted/none/bounty', { amount: '0.5', sealed })).toMatchObject({ status: 404, body: { error: { code: 'need_unknown' } } })
  expect(await ask(`/wanted/${need.id}/bounty`, { amount: '500', sealed })).toMatchObject({ body: { error: { code: 'insufficient_open' } } })
  expect(await ask('/bounties/none')).toMatchObject({ status: 404, body: { error: { code: 'bounty_unknown' } } })
})

it('is held by the contract, and paid to the builder of a model that passes', async () => {
  const before = await bench.chain.balance(bench.builder.address)
  const offered = await ask(`/wanted/${need.id}/bounty`, { amount: '0.5', sealed })
  expect(offered).toMatchObject({ status: 200, body: { status: 'open', poster: bench.payer.address, examiner: bench.gateway, measure: 'token-F1', pass: 0.9 } })
  const { bountyId } = offered.body
  expect(await ask('/bounties', undefined, elsewhere)).toMatchObject({ body: { bounties: [{ bountyId, wantedId: need.id }] } })
  expect(await ask(`/bounties/${bountyId}/entries`, {})).toMatchObject({ status: 400 })
  expect(await ask(`/bounties/${bountyId}/withdraw`, {})).toMatchObject({ body: { error: { code: 'bounty_not_over' } } })
  expect(await ask(`/bounties/${bountyId}/entries`, { model: 'heart' })).toMatchObject({
    status: 200,
    body: { status: 'paid', won: { model: 'heart', modelId: bench.modelId }, entries: [{ score: 1, passed: true }] },
  })
  expect((await bench.chain.balance(bench.builder.address)).open).toBe(before.open + 5n * 10n ** 17n)
  expect(JSON.stringify((await ask(`/bounties/${bountyId}`)).body)).not.toContain('Question 0')
})
