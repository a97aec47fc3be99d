/**
 * The door to the embedded chain for wallets and scripts on this machine: passes JSON-RPC on, and turns away web pages of other
 * origins, which a browser would let talk to any port here. Knows nothing of what is asked.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Guard = { readonly url: string; close(): Promise<void> }

/** A request larger than this is none that a wallet makes. */
const MOST_BYTES = 4 * 1024 * 1024
const local = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i

/** Opens a door to `target`, on a port the system chooses. */
export async function openGuard(target: string): Promise<Guard> {
  const server = createServer(async (request, response) => {
    const end = (status: number, message: string) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32600, message } }))
    }
    if (foreign(request)) return end(403, 'This chain answers programs on this machine and no web page of another origin.')
    if (request.method !== 'POST') return end(405, 'Send JSON-RPC by POST.')
    try {
      const body = await read(request)
      if (body === undefined) return end(413, `The request is larger than ${MOST_BYTES} bytes.`)
      const reply = await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body: new Uint8Array(body) })
      response.writeHead(reply.status, { 'content-type': 'application/json' })
      response.end(await reply.text())
    } catch {
      if (!response.headersSent) end(502, 'The chain does not answer.')
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  server.unref()
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A page of another origin says so, or reaches us under a name of its own (DNS rebinding). */
function foreign({ headers: { origin, host } }: IncomingMessage): boolean {
  if (host === undefined || !local.test(host)) return true
  if (origin === undefined) return false
  try {
    return !local.test(new URL(origin).host)
  } catch {
    return true
  }
}

async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > MOST_BYTES) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
