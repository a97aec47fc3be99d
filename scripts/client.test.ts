/** The client as a browser gets it: one small file that needs nothing, and pays when it runs where there is nothing of Node. */
import { createContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, it } from 'vitest'
import { bundleClient } from './client.ts'

it('is small, needs no package, and pays in a world without Node', { timeout: 120_000 }, async () => {
  const code = await bundleClient(undefined)
  expect(code.length).toBeLessThan(16_000)
  expect(gzipSync(code).length).toBeLessThan(6_000)
  expect(code).not.toMatch(/\bprocess\b|\bBuffer\b|\brequire\b|node:/)
  const world = createContext({ Request, Response, URL, TextEncoder, TextDecoder, atob, btoa, crypto, setTimeout, Uint8Array })
  const run = new Function(
    'world',
    `with (world) { return (async () => { ${code.replace(/export\s*\{([^}]*)\};?\s*$/, (_, names: string) => `return {${named(names)}}`)} })() }`,
  )
  const { openClient } = (await run(nothingElse(world))) as typeof import('../src/apps/client/client.ts')
  const url = 'http://shop.example'
  const asset = `0x${'11'.repeat(20)}` as const
  const accepts = [
    { scheme: 'exact', network: 'eip155:1612', amount: '5', asset, payTo: `0x${'22'.repeat(20)}`, maxTimeoutSeconds: 60, extra: { name: 'x', version: '1' } },
  ]
  const statuses: number[] = []
  const shop = (async (request: Request) => {
    const paid = request.headers.has('payment-signature')
    statuses.push(paid ? 200 : 402)
    return paid ? new Response('{}') : new Response('{}', { status: 402, headers: { 'payment-required': btoa(JSON.stringify({ x402Version: 2, accepts })) } })
  }) as typeof fetch
  const account = privateKeyToAccount(`0x${'01'.repeat(32)}`)
  const client = await openClient({ url, account: account as never, network: 'eip155:1612', asset, maximum: 5n, fetch: shop })
  expect((await client.fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{"model":"heart"}' })).status).toBe(200)
  expect([statuses, client.spentToday().total]).toEqual([[402, 200], 5n])
})

/** `a as b` of an export list as the members of an object. */
function named(list: string): string {
  return list
    .split(',')
    .map((one) => one.trim().split(/\s+as\s+/))
    .map(([local, exported = local]) => `${exported}: ${local}`)
    .join(', ')
}

/** A world in which every name that is not given is undefined, as Node's are in a browser. */
function nothingElse(world: object): object {
  const language = new Set(['Object', 'Array', 'String', 'Number', 'BigInt', 'JSON', 'Math', 'Date', 'Promise', 'Map', 'Set', 'Error', 'undefined', 'Symbol'])
  return new Proxy(world, {
    has: (_, name) => typeof name === 'string' && !language.has(name),
    get: (target, name) => (name === Symbol.unscopables ? undefined : name === 'globalThis' ? target : Reflect.get(target, name)),
  })
}
