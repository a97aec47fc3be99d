/** The refusal of a body too large reaches senders that listen only once they have sent all of it. Knows nothing of routes. */
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { limit } from './guard.ts'

let server: ReturnType<typeof serve>
let port = 0

beforeAll(async () => {
  const routes = new Hono()
  routes.post('/', limit(1), async (context) => context.text(`${(await context.req.text()).length} letters`))
  await new Promise<void>((resolve) => {
    server = serve({ fetch: routes.fetch, port: 0, hostname: '127.0.0.1' }, (address) => {
      port = address.port
      resolve()
    })
  })
})
afterAll(() => server?.close())

/** Sends twelve pieces of `bytes` with a pause between them, then listens. */
async function sendSlowly(header: string, piece: (index: number) => string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  let broken: Error | undefined
  socket.on('data', (chunk) => (text += chunk)).on('error', (error) => (broken = error))
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.write(`POST / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n${header}\r\n\r\n`)
  for (let index = 0; index < 12; index++) {
    if (socket.destroyed) throw broken ?? new Error(`The server hung up after ${index} of 12 pieces.`)
    socket.write(piece(index))
    await wait(100)
  }
  await closed
  if (broken) throw broken
  return text
}

const piece = 'x'.repeat(256 << 10)

it('reads the rest of a body too large before it says so, so that the sender hears it', async () => {
  expect(await sendSlowly(`Content-Length: ${12 * piece.length}`, () => piece)).toMatch(/^HTTP\/1\.1 413 .*"The request is larger than 1 MB\. Send less/s)
})

it('still lets a body of the right size through', async () => {
  expect(await sendSlowly('Content-Length: 1200', () => 'x'.repeat(100))).toMatch(/^HTTP\/1\.1 200 .*1200 letters/s)
})
