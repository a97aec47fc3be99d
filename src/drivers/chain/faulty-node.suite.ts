/**
 * A node to test against: stands in front of a real one and times out, breaks, lies, forgets or says things twice, by a seed.
 * Knows nothing of what the calls mean beyond their names.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * `silent`: does as asked and never answers; `broken`: 502, nothing done; `denied`: does as asked and says that it failed; `blind`: says
 * that there is nothing; `stale`: repeats its last answer to the same method; `twice`: does it twice; `slow`: takes its time.
 */
export const nodeFaults = ['silent', 'broken', 'denied', 'blind', 'stale', 'twice', 'slow'] as const
export type NodeFault = (typeof nodeFaults)[number]

export type FaultyNode = {
  url: string
  /** Chooses the fault of one call; undefined is none. */
  fault: (method: string) => NodeFault | undefined
  /** What it did so far. */
  counted: Record<NodeFault, number>
  close(): Promise<void>
}

/** Calls whose answers may be anything without making the node another chain. */
const mayBeBlind = /^eth_(getTransactionReceipt|getTransactionByHash|getLogs)$/

export async function faultyNode(target: () => string): Promise<FaultyNode> {
  const last = new Map<string, string>()
  const node: FaultyNode = {
    url: '',
    fault: () => undefined,
    counted: Object.fromEntries(nodeFaults.map((fault) => [fault, 0])) as Record<NodeFault, number>,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const forward = async (body: string): Promise<string> => {
    const response = await fetch(target(), { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return response.text()
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const { id, method } = JSON.parse(body) as { id: number; method: string }
    let fault = node.fault(method)
    if (fault === 'blind' && !mayBeBlind.test(method)) fault = 'broken'
    if (fault === 'stale' && (!last.has(method) || method === 'eth_sendRawTransaction')) fault = 'slow'
    if (fault) node.counted[fault]++
    const answer = (fields: object) => response.end(JSON.stringify({ jsonrpc: '2.0', id, ...fields }))
    response.setHeader('content-type', 'application/json')
    try {
      switch (fault) {
        case 'silent':
          await forward(body)
          return
        case 'broken':
          response.statusCode = 502
          return response.end('<html>bad gateway</html>')
        case 'denied':
          await forward(body)
          return answer({ error: { code: -32000, message: 'internal error, sorry' } })
        case 'blind':
          return answer({ result: method === 'eth_getLogs' ? [] : null })
        case 'stale':
          return answer({ result: JSON.parse(last.get(method)!) })
        case 'twice':
          await forward(body)
          break
        case 'slow':
          await sleep(150)
      }
      const text = await forward(body)
      const { result } = JSON.parse(text) as { result?: unknown }
      if (result !== undefined) last.set(method, JSON.stringify(result))
      return response.end(text)
    } catch {
      response.statusCode = 502
      return response.end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  node.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return node
}
