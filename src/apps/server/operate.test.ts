/** How the gateway is, over a real socket: shown to the owner of the machine and to nobody else; and the benchmark's figures. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalAccount } from 'viem'
import { createSiweMessage } from 'viem/siwe'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Benchmark } from '../../core/benchmark.ts'
import { isRefusal } from '../../core/errors.ts'
import type { Attention, OperatingView } from '../../core/operating.ts'
import { openBenchmark } from '../../factory/benchmark.ts'
import { type Bench, openBench } from './bench.suite.ts'
import { type RunningServer, startServer } from './serve.ts'

let bench: Bench
let server: RunningServer

beforeAll(async () => {
  bench = await openBench({ durable: true })
  const started = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: bench.folder, report: () => {} })
  if (isRefusal(started)) throw new Error(started.message)
  server = started
})
afterAll(async () => {
  await server.close()
  await bench.close()
})

const look = async (headers: Record<string, string> = {}) => {
  const reply = await fetch(`${server.url}/api/operate`, { headers })
  return { status: reply.status, body: (await reply.json()) as OperatingView & { attention: Attention[]; error?: { code: string; hint: string } } }
}

async function signedIn(account: LocalAccount): Promise<string> {
  const post = (path: string, body?: unknown) => fetch(`${server.url}/api/session${path}`, { method: 'POST', body: JSON.stringify(body ?? {}) })
  const { nonce } = (await (await post('/nonce')).json()) as { nonce: string }
  const { host } = new URL(server.url)
  const message = createSiweMessage({ domain: host, address: account.address, uri: server.url, version: '1', chainId: 31337, nonce, issuedAt: new Date() })
  const reply = await post('', { message, signature: await account.signMessage({ message }) })
  expect(reply.status).toBe(200)
  return /^modelfactory-session=[^;]+/.exec(reply.headers.get('set-cookie')!)![0]
}

describe('how the gateway is', () => {
  it('says what is so of chain, builds, models, disk and memory', async () => {
    const { status, body } = await look()
    expect(status).toBe(200)
    expect(body.chain).toMatchObject({ caip2: 'eip155:31337', test: true, problem: null })
    expect(body.chain.newest!.block).toBe((await bench.chain.pulse()).block)
    expect(body.chain.relayers.length).toBe(1)
    expect(BigInt(body.chain.relayers[0]!.holds.atomic)).toBe((await bench.chain.balance(body.chain.relayers[0]!.address as never)).native)
    expect(body.builds).toEqual({ running: null, queued: [], done: 0, failed: [] })
    expect(body.models).toMatchObject({ known: 0, most: 8 })
    expect(body.storage.parts.map(({ name }) => name)).toEqual(expect.arrayContaining(['database', 'keys', 'chain']))
    expect(body.storage.total).toBe(body.storage.parts.reduce((sum, { bytes }) => sum + bytes, 0))
    expect(body.storage.total).toBeGreaterThan(1_000_000)
    for (const figure of [body.storage.free, body.memory.available, body.memory.process, body.load.cores]) expect(figure).toBeGreaterThan(0)
    expect(body.version).toMatch(/^\d+\.\d+\.\d+/)
    expect(body.payments.open.map(({ state, count }) => [state, count])).toEqual([
      ['reserved', 0],
      ['sending', 0],
      ['unknown', 0],
    ])
  })

  it('tells builds that wait, run and failed apart, and payments by their state', async () => {
    const build = (id: string, state: 'queued' | 'running' | 'failed' | 'done', createdAt: number) =>
      bench.database.builds.put({
        ...{ id, name: id, words: 'w', folder: '/x', state, packageId: null, createdAt, updatedAt: createdAt },
        events: [{ at: createdAt, arrow: 'note', text: `${id} said` }],
      })
    const now = Date.now()
    await build('first', 'queued', now - 3000)
    await build('second', 'queued', now - 2000)
    await build('runs', 'running', now - 4000)
    await build('broken', 'failed', now - 5000)
    const payment = {
      ...{ key: 'k', modelId: bench.modelId, packageId: bench.published.packageId, requestHash: bench.published.packageId, payer: bench.payer.address },
      ...{ builder: bench.builder.address, amount: 1n, authorization: '{}', state: 'unknown' as const, answer: null, tx: null, final: false },
      ...{ terms: null, identifier: null, createdAt: now - 600_000, updatedAt: now },
    }
    await bench.database.payments.reserve(payment)
    const { body } = await look()
    expect(body.builds.queued.map(({ id }) => id)).toEqual(['first', 'second'])
    expect(body.builds.running).toMatchObject({ id: 'runs' })
    expect(body.builds.failed).toMatchObject([{ id: 'broken', text: 'broken said' }])
    expect(body.payments.open.find(({ state }) => state === 'unknown')).toEqual({ state: 'unknown', count: 1, oldest: now - 600_000 })
    expect(body.attention).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: 'payments_unknown' }), expect.objectContaining({ code: 'build_failed' })]),
    )
  })

  it('counts what broke inside', async () => {
    const { count } = (await look()).body.faults
    await fetch(`${server.url}/api/models/heart/publish`, { method: 'POST', body: JSON.stringify({ price: '0.01' }) })
    const { body } = await look()
    expect(body.faults).toMatchObject({ count: count + 1, last: 'cannot read /secret/path' })
    expect(body.attention.map(({ code }) => code)).toContain('faults')
  })

  it('is for the owner: on the machine, or signed in with the wallet that is paid', async () => {
    for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
      const { status, body } = await look({ [header]: '127.0.0.1' })
      expect([status, body.error?.code, body.storage], header).toEqual([403, 'not_the_owner', undefined])
      expect(body.error?.hint).toContain(bench.builder.address)
    }
    const away = { 'x-forwarded-for': '203.0.113.7' }
    expect((await look({ ...away, cookie: await signedIn(bench.payer) })).status).toBe(403)
    expect((await look({ ...away, cookie: await signedIn(bench.builder) })).status).toBe(200)
  })

  it('lets the owner alone say who is told of payments', async () => {
    const away = { 'x-forwarded-for': '203.0.113.7' }
    const ask = async (method: string, headers: Record<string, string> = {}, body?: string) => {
      const reply = await fetch(`${server.url}/api/webhook`, { method, headers, ...(body === undefined ? {} : { body }) })
      return { status: reply.status, body: (await reply.json()) as { url?: string | null; error?: { code: string } } }
    }
    const wish = JSON.stringify({ url: 'https://thief.example/paid' })
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, body } = await ask(method, away, method === 'PUT' ? wish : undefined)
      expect([status, body.error?.code], method).toEqual([403, 'not_the_owner'])
    }
    expect((await ask('PUT', { ...away, cookie: await signedIn(bench.payer) }, wish)).status).toBe(403)
    expect((await ask('GET')).body.url).toBe(null)
    expect((await ask('PUT', {}, '{"address": 1}')).status).toBe(400)
    expect((await ask('PUT', { ...away, cookie: await signedIn(bench.builder) }, JSON.stringify({ url: 'https://own.example' }))).body.url).toBe(
      'https://own.example/',
    )
    expect((await ask('DELETE')).body.url).toBe(null)
  })

  it('says that the chain is silent instead of nothing', async () => {
    const { pulse } = bench.chain
    bench.chain.pulse = async () => {
      throw new Error('The chain did not answer.')
    }
    const { status, body } = await look()
    bench.chain.pulse = pulse
    expect([status, body.chain.newest, body.chain.problem]).toEqual([200, null, 'The chain did not answer.'])
    expect(body.attention[0]).toMatchObject({ code: 'chain_silent', level: 'act' })
  })
})

describe('the benchmark', () => {
  it('is the committed one, with all of its answers as a file', async () => {
    const summary = (await (await fetch(`${server.url}/api/benchmark`)).json()) as Benchmark
    expect(summary.tasks.length).toBeGreaterThan(0)
    const { all } = summary.sums
    expect(all.compared).toBe(all.win + all.tie + all.loss)
    const file = await fetch(`${server.url}/api/benchmark/results.json`)
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="modelfactory-benchmark.json"')
    const raw = (await file.json()) as { cells: { task: string; said: Record<string, string> }[] }
    // What is compared has all of its answers there; a task that was not measured yet is named without any.
    const compared = summary.tasks.filter(({ comparison }) => comparison !== null)
    expect(compared).toHaveLength(all.compared)
    for (const { task } of compared) expect(raw.cells.some((cell) => cell.task === task && Object.keys(cell.said).length > 0)).toBe(true)
  })

  it('is refused with a way on where it is not there or is something else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'modelfactory-benchmark-'))
    const read = openBenchmark(folder)
    expect(await read.summary()).toMatchObject({ code: 'benchmark_not_there' })
    expect(await read.raw()).toMatchObject({ code: 'benchmark_not_there' })
    const { mkdir } = await import('node:fs/promises')
    await mkdir(join(folder, 'docs'))
    for (const text of ['{', '{"format":"other"}']) {
      await writeFile(join(folder, 'docs', 'benchmark.json'), text)
      expect(await read.summary()).toMatchObject({ code: 'benchmark_unreadable' })
    }
    await rm(folder, { recursive: true })
  })
})
