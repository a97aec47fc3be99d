/** How the commands ask a server whose connections break. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { SERVER_HEADER } from '../server/replies.ts'
import { request } from './requests.ts'

let server: Server
afterEach(() => new Promise((resolve) => server.close(resolve)))

/** A server that breaks the first `broken` connections. */
async function serve(broken: number): Promise<{ url: string; asked: () => number }> {
  let asked = 0
  server = createServer((incoming, reply) => {
    if (++asked <= broken) return incoming.socket.destroy()
    reply.setHeader(SERVER_HEADER, '1').end('{"ok":true}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked }
}

it('asks again when a connection breaks, and gives up on a server that is gone', async () => {
  const twice = await serve(2)
  expect(await request(twice.url, '/api/state')).toEqual({ ok: true })
  await new Promise((resolve) => server.close(resolve))
  const gone = await serve(99)
  expect(await request(gone.url, '/api/state')).toMatchObject({ code: 'server_unreachable' })
  expect(gone.asked()).toBe(3)
})

it('never posts twice', async () => {
  const { url, asked } = await serve(1)
  expect(await request(url, '/api/builds', {})).toMatchObject({ code: 'server_unreachable' })
  expect(asked()).toBe(1)
})
