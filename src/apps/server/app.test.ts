/** The rest of the server: guard, builder's routes, live events, studio, and the socket. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { offlinePlanner } from '../../drivers/planner/offline.ts'
import { type Bench, canned, EXPORTED, openBench } from './bench.suite.ts'
import { hostsOf } from './guard.ts'
import { type RunningServer, startServer } from './serve.ts'

let bench: Bench
let server: RunningServer
let folder: string
const faults: unknown[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelfactory-studio-'))
  await mkdir(join(folder, 'dist', 'assets'), { recursive: true })
  await writeFile(join(folder, 'dist', 'index.html'), '<!doctype html><title>studio</title>')
  await writeFile(join(folder, 'dist', 'assets', 'main-abc.js'), 'export {}')
  await writeFile(join(folder, 'secret.txt'), 'secret')
  await symlink(join(folder, 'secret.txt'), join(folder, 'dist', 'link.txt'))
  bench = await openBench()
  const started = await startServer({
    factory: bench.factory,
    host: '127.0.0.1',
    port: 0,
    studioFolder: join(folder, 'dist'),
    report: (fault) => faults.push(fault),
  })
  if (isRefusal(started)) throw new Error(started.message)
  server = started
})
afterAll(async () => {
  await server.close()
  await bench.close()
  await rm(folder, { recursive: true, force: true })
})

/** A request with nothing added or evened out on the way: any path, any Host. */
function raw(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
  const { hostname, port } = new URL(server.url)
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, headers, setHost: headers.host === undefined }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }))
    })
      .on('error', reject)
      .end()
  })
}
const post = async (path: string, body: unknown) => {
  const response = await fetch(server.url + path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
  return { status: response.status, body: (await response.json()) as { error?: { code: string; message: string; hint: string } } }
}

describe('the guard', () => {
  it('answers to its own names only', async () => {
    const { port } = new URL(server.url)
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`]) expect((await raw('/healthz', { host })).status, host).toBe(200)
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1.evil.example:${port}`]) {
      const reply = await raw('/api/state', { host })
      expect([reply.status, JSON.parse(reply.body).error.code], host).toEqual([421, 'host_not_allowed'])
    }
  })

  it('lets in pages of its own origin only', async () => {
    expect((await raw('/healthz', { origin: server.url })).status).toBe(200)
    for (const origin of ['http://evil.example', 'null', 'file://', `${server.url}.evil.example`, server.url.replace('127.0.0.1', 'localhost')])
      expect((await raw('/api/state', { origin })).status, origin).toBe(403)
    expect((await raw('/healthz', { origin: server.url })).headers['access-control-allow-origin']).toBeUndefined()
  })

  it('knows the names of an address', () => {
    expect(hostsOf('127.0.0.1', 80)).toContain('localhost')
    expect(hostsOf('::1', 8080)).toContain('[::1]:8080')
    expect(hostsOf('192.168.1.5', 8080, ['Factory.example:8080'])).toEqual(new Set(['factory.example:8080', '192.168.1.5:8080']))
  })
})

describe("the builder's routes", () => {
  it('gives the state, the earnings, the receipts and a build', async () => {
    const state = await (await fetch(`${server.url}/api/state`)).json()
    expect(state).toMatchObject({ network: { chainId: 31337, currency: 'test OPEN' }, models: [{ name: 'heart' }, { name: 'draft' }] })
    expect(await (await fetch(`${server.url}/api/earnings`)).json()).toMatchObject({ builder: bench.builder.address })
    expect(await (await fetch(`${server.url}/api/receipts?limit=5`)).json()).toEqual([])
    expect((await fetch(`${server.url}/api/receipts?limit=-1`)).status).toBe(400)
    expect(await (await fetch(`${server.url}/api/builds/b1`)).json()).toMatchObject({ id: 'b1' })
    expect((await fetch(`${server.url}/api/builds/b2`)).status).toBe(404)
    expect((await post('/api/builds/b1/cancel', {})).body).toMatchObject({ state: 'cancelled' })
    expect((await post('/api/builds/b2/cancel', {})).status).toBe(404)
  })

  it('hands files over as bytes', async () => {
    const bytes = Uint8Array.from([0, 255, 10, 13])
    const reply = await post('/api/builds', { words: 'hearts', files: [{ name: 'pages/a.md', base64: Buffer.from(bytes).toString('base64') }] })
    expect(reply).toMatchObject({ status: 200, body: { id: 'b1' } })
    expect(bench.received).toEqual([{ words: 'hearts', files: [{ name: 'pages/a.md', bytes }] }])
  })

  it('makes an export and streams its files, and no others', async () => {
    const made = await post('/api/models/heart/export', { kind: 'peft' })
    expect(made).toMatchObject({ status: 200, body: { kind: 'peft', files: [{ name: 'a.bin', bytes: EXPORTED.length }] } })
    const file = await fetch(`${server.url}/api/models/heart/export/peft/a.bin`)
    expect([file.status, file.headers.get('content-disposition'), file.headers.get('content-length')]).toEqual([
      200,
      'attachment; filename="a.bin"',
      String(EXPORTED.length),
    ])
    expect(await file.text()).toBe(EXPORTED)
    expect((await fetch(`${server.url}/api/models/heart/export/peft/..%2f..%2fkeys`)).status).toBe(404)
    expect(await post('/api/models/heart/export', { kind: 'zip' })).toMatchObject({ status: 422, body: { error: { code: 'unknown_export' } } })
    expect((await post('/api/models/heart/export', {})).body.error?.code).toBe('invalid_request')
  })

  it('takes a build of several megabytes', async () => {
    const reply = await post('/api/builds', { words: 'big', files: [{ name: 'a.bin', base64: Buffer.alloc(6_000_000, 7).toString('base64') }] })
    expect(reply.status).toBe(200)
    expect(bench.received.at(-1)?.files[0]?.bytes.length).toBe(6_000_000)
  })

  for (const name of ['../a.md', 'a/../../b', '/etc/passwd', 'C:\\x', '..\\x', 'a\0b'])
    it(`refuses the file name ${JSON.stringify(name)}`, async () => {
      const { status, body } = await post('/api/builds', { words: 'x', files: [{ name, base64: '' }] })
      expect([status, body.error?.code]).toEqual([400, 'file_name_invalid'])
    })

  it('refuses what is not base64, not JSON, or not complete, with a sentence', async () => {
    expect((await post('/api/builds', { words: 'x', files: [{ name: 'a', base64: '%' }] })).body.error?.code).toBe('file_not_base64')
    for (const [path, body] of [
      ['/api/builds', '{'],
      ['/api/plan', 'null'],
      ['/api/models/heart/publish', { price: 1 }],
      ['/api/models/heart/ask', { text: ' ' }],
      ['/api/dataset', { words: 'x', files: [], mask: 'yes' }],
      ['/api/readiness', { words: 'x', files: [], columns: [{ role: 'text' }] }],
      ['/api/builds', { words: 'x', files: [], examId: 'none' }],
      ['/api/models/heart/data', { changes: [] }],
      ['/api/models/heart/data', { changes: [{ replace: 'abcdef' }] }],
      ['/api/models/heart/fix', { question: '  ', answer: 'x' }],
      ['/api/models/heart/quotations', { withhold: 'letters.md' }],
    ] as const) {
      const reply = await post(path, body)
      expect([reply.status, reply.body.error?.code], path).toEqual([400, 'invalid_request'])
      expect(reply.body.error?.hint).toMatch(/^Send /)
    }
  })

  it('passes on a refusal of the factory with sentence and hint apart', async () => {
    const { status, body } = await post('/api/plan', { words: '' })
    expect([status, body.error]).toEqual([
      422,
      { message: 'The description is empty.', type: 'refused', code: 'words_empty', param: null, hint: 'Say what the model should do.' },
    ])
  })

  it('takes questions about examples, and refuses those it does not understand', async () => {
    const get = async (path: string) => {
      const response = await fetch(server.url + path)
      return [response.status, ((await response.json()) as { error?: { code?: string } }).error?.code]
    }
    expect(await get('/api/models/heart/data?part=exam&limit=5')).toEqual([422, 'not_here'])
    expect(await get('/api/models/heart/data?part=all')).toEqual([400, 'query_invalid'])
    expect(await get('/api/models/heart/data?limit=0')).toEqual([400, 'query_invalid'])
    expect(await get('/api/models/heart/fix')).toEqual([422, 'not_here'])
    expect((await post('/api/models/heart/data', { changes: [{ remove: '0xabcdef' }] })).status).toBe(422)
    expect((await post('/api/models/heart/rebuild', {})).status).toBe(422)
  })

  it('refines a plan, shows the difference, and refuses what is no plan', async () => {
    const spec = await offlinePlanner().plan({ words: 'Sort my mail into order and complaint.', files: [] })
    const { status, body } = await post('/api/plan/refine', { spec, words: 'Add the label refund.' })
    expect(status).toBe(200)
    expect(body).toMatchObject({ changes: ['Kinds: order, complaint -> order, complaint, refund'], spec: { labels: ['order', 'complaint', 'refund'] } })
    expect(await post('/api/plan/refine', { spec: { task: 'classify' }, words: 'x' })).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_request' } },
    })
    expect(await post('/api/plan/refine', { spec, words: ' ' })).toMatchObject({ status: 400 })
    expect(await post('/api/plan/refine', { spec, words: 'blah' })).toMatchObject({ status: 422, body: { error: { code: 'nothing_changed' } } })
  })

  it('answers the builder for free', async () => {
    expect((await post('/api/models/heart/ask', { text: 'what helps?' })).body).toEqual(canned)
  })

  it('says nothing of its inside when something breaks', async () => {
    const { status, body } = await post('/api/models/heart/publish', { price: '0.01' })
    expect([status, body.error?.code]).toEqual([500, 'internal_error'])
    expect(JSON.stringify(body)).not.toContain('secret')
    expect(String(faults.at(-1))).toContain('/secret/path')
  })

  it('has nothing else', async () => {
    for (const path of ['/api', '/api/nothing', '/v1/nothing']) expect((await fetch(server.url + path, { method: 'DELETE' })).status, path).toBe(404)
  })
})

describe('live events', () => {
  it('arrive by their type, and the listener is gone when the page is', async () => {
    const leaving = new AbortController()
    const response = await fetch(`${server.url}/api/events`, { signal: leaving.signal })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toBe('retry: 1000\n\n')
    expect(bench.listeners()).toBe(1)
    bench.emit({ type: 'models', models: [] })
    expect((await reader.read()).value).toBe('event: models\ndata: {"models":[]}\n\n')
    leaving.abort()
    for (let tries = 0; bench.listeners() > 0 && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(bench.listeners()).toBe(0)
  })
})

describe('the studio', () => {
  it('is served with its types, cached by hash, under a policy without inline scripts', async () => {
    const page = await raw('/')
    expect([page.status, page.headers['content-type'], page.headers['cache-control']]).toEqual([200, 'text/html; charset=utf-8', 'no-cache'])
    expect(page.headers['content-security-policy']).toContain("default-src 'self'")
    expect(page.headers['content-security-policy']).not.toContain('unsafe')
    expect((await raw('/models/heart')).body).toBe(page.body)
    const script = await raw('/assets/main-abc.js')
    expect([script.status, script.headers['content-type'], script.headers['cache-control']]).toEqual([
      200,
      'text/javascript; charset=utf-8',
      'public, max-age=31536000, immutable',
    ])
  })

  for (const path of [
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/link.txt',
    '/missing.js',
    '/%00.js',
    '/%zz.js',
  ])
    it(`gives nothing at ${path}`, async () => {
      const reply = await raw(path)
      expect(reply.status).toBe(404)
      expect(reply.body).not.toMatch(/^secret/)
    })

  it('says so when it is not built', async () => {
    const bare = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: join(folder, 'nothing') })
    if (isRefusal(bare)) throw new Error(bare.message)
    const reply = await fetch(bare.url)
    expect([reply.status, (await reply.text()).includes('The studio is not built')]).toEqual([503, true])
    await bare.close()
  })
})

describe('the socket', () => {
  it('a port in use is refused by name, and so are addresses and ports that are none', async () => {
    const port = Number(new URL(server.url).port)
    const options = { factory: bench.factory, studioFolder: folder }
    const taken = await startServer({ ...options, host: '127.0.0.1', port })
    expect(taken).toMatchObject({ refused: true, code: 'port_in_use' })
    expect(isRefusal(taken) && taken.message).toContain(String(port))
    expect(await startServer({ ...options, host: '127.0.0.1', port: 70_000 })).toMatchObject({ code: 'port_invalid' })
    expect(await startServer({ ...options, host: '203.0.113.1', port: 0 })).toMatchObject({ code: 'address_not_here' })
  })

  it('stops at once though pages are listening', async () => {
    const other = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: folder })
    if (isRefusal(other)) throw new Error(other.message)
    const events = await fetch(`${other.url}/api/events`)
    const started = Date.now()
    await other.close()
    expect(Date.now() - started).toBeLessThan(1500)
    expect(await events.text()).toBe('retry: 1000\n\n')
  })
})
