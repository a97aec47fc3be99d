/**
 * A local stand-in for the Hugging Face hub: the two endpoints that `@huggingface/hub` uses to list and to fetch, on this machine,
 * for tests. Knows nothing of what the files are.
 */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type StandIn = {
  url: string
  files: Map<string, Uint8Array>
  /** Method, path and range of every request, and its token. */
  seen: { path: string; range: string | undefined; token: string | undefined }[]
  /** Breaks the connection of the next whole downloads after this many bytes. */
  breakAfter: number[]
  /** Answers with this status to everything. */
  status: number | undefined
  /** What the listing claims a file's hash is, where it lies. */
  claimed: Map<string, string>
  close(): Promise<void>
}

/** Serves one repository, `someone/model`. */
export async function openStandIn(): Promise<StandIn> {
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    const range = request.headers.range
    standIn.seen.push({ path, range, token: request.headers.authorization })
    if (standIn.status !== undefined) return response.writeHead(standIn.status, { 'content-type': 'application/json' }).end('{"error":"no"}')
    if (path === '/api/models/someone/model/tree/main') {
      const entries = [...standIn.files].map(([name, bytes]) => ({
        type: 'file',
        path: name,
        size: bytes.length,
        oid: '0'.repeat(40),
        lfs: { oid: standIn.claimed.get(name) ?? sha256(bytes), size: bytes.length, pointerSize: 134 },
      }))
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(entries))
    }
    const bytes = path.startsWith('/someone/model/resolve/main/') ? standIn.files.get(path.slice('/someone/model/resolve/main/'.length)) : undefined
    if (!bytes) return response.writeHead(404, { 'x-error-code': path.includes('/resolve/') ? 'EntryNotFound' : 'RepoNotFound' }).end()
    const [, first = '0', last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
    const [from, to] = [Number(first), last ? Number(last) : bytes.length - 1]
    const part = bytes.subarray(from, to + 1)
    response.writeHead(range ? 206 : 200, {
      etag: `"${sha256(bytes)}"`,
      'content-length': part.length,
      ...(range ? { 'content-range': `bytes ${from}-${to}/${bytes.length}` } : {}),
    })
    const cut = part.length > 1 ? standIn.breakAfter.shift() : undefined
    if (cut === undefined) return response.end(part)
    response.write(part.subarray(0, cut), () => setTimeout(() => response.destroy(), 50))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const standIn: StandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files: new Map(),
    seen: [],
    breakAfter: [],
    status: undefined,
    claimed: new Map(),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return standIn
}
