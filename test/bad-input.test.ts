/**
 * Bad input through the whole system: every wrong value gets one clear sentence that names it and says what to do, an exit
 * code or a 4xx with an error body OpenAI clients read, and nothing is lost. One server; a process only where it matters.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPaymentFromConfig } from '@x402/fetch'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal } from '../src/core/errors.ts'
import type { BuildView, StateView } from '../src/core/view.ts'
import { readConfig } from '../src/factory/config.ts'
import { openWallet } from '../src/factory/gateway.ts'
import { dataFolder, type Finished, modelfactory, type Running, startServer } from './process.ts'
import { clauses } from './rows.ts'

const words = 'Tell me which kind of clause this is.'
const kinds = ['Governing Law', 'Insurance', 'Audit Rights']
const commands = ['up', 'plan', 'refine', 'build', 'ask', 'publish', 'query', 'earnings', 'list']

type Reply = { status: number; body: unknown; headers: Headers }
type ErrorBody = { error: { message: string; type: string; code: string; param: string | null; hint?: string } }
type Upload = { name: string; base64: string }

let folder: Awaited<ReturnType<typeof dataFolder>>
let scratch: string
let server: Running
let table: string

beforeAll(async () => {
  folder = await dataFolder()
  scratch = await mkdtemp(join(tmpdir(), 'modelfactory-bad-'))
  table = await clauses(kinds, 40)
  server = await startServer(folder.data)
})
afterAll(async () => {
  await server?.stop()
  await folder?.remove()
  await rm(scratch, { recursive: true, force: true })
})

async function call(path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(`${server.url}${path}`, init)
  const text = await response.text()
  let body: unknown = text
  try {
    body = JSON.parse(text)
  } catch {}
  return { status: response.status, body, headers: response.headers }
}
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  call(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) })
const file = (name: string, content: string | Uint8Array): Upload => ({ name, base64: Buffer.from(content).toString('base64') })
const state = async () => (await call('/api/state')).body as StateView
const buildOf = async (id: string) => (await call(`/api/builds/${id}`)).body as BuildView

/** A refusal as OpenAI clients read it: a whole sentence, what to do, and every one of `named` in it. */
function expectRefused(reply: Reply, status: number, ...named: string[]): void {
  const { error } = reply.body as ErrorBody
  const shown = JSON.stringify(reply.body).slice(0, 500)
  expect(reply.status, shown).toBe(status)
  expect(error.message, shown).toMatch(/^\S.*[.?!]$/s)
  expect(error.message.length + (error.hint?.length ?? 0), shown).toBeLessThan(600)
  expect(error.code, shown).toMatch(/^[a-z0-9_]+$/)
  expect(typeof error.type, shown).toBe('string')
  expect(error, shown).toHaveProperty('param')
  // What to do is a sentence of its own.
  expect(`${error.message} ${error.hint ?? ''}`.split(/[.?!]["”]?\s+/).length, shown).toBeGreaterThan(1)
  for (const name of named) expect(`${error.message} ${error.hint ?? ''}`).toContain(name)
  expect(shown).not.toMatch(/\bat .*\.ts:|node_modules|undefined|\[object|expected \w+, received|Too (small|big)/)
}

/** A command turned down: its sentence on standard error, no stack, and with `--json` one object last on standard output. */
function expectExit(done: Finished, code: number, ...named: string[]): void {
  const shown = `${done.stdout}\n${done.stderr}`
  expect(done.code, shown).toBe(code)
  for (const name of named) expect(done.stderr).toContain(name)
  expect(shown).not.toMatch(/\n\s+at .*:\d+:\d+|ZodError|undefined|expected \w+, received/)
  const { error } = done.json as ErrorBody
  expect(error?.message, shown).toMatch(/\S/)
  expect(JSON.parse(done.stdout.trim()), shown).toEqual(done.json)
}

async function until<Value>(what: string, seconds: number, look: () => Promise<Value | undefined | false>): Promise<Value> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const found = await look()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`Waited ${seconds} s for ${what}:\n${server.output()}`)
}

const inTraining = (id: string) =>
  until('training', 90, async () => {
    const view = await buildOf(id)
    if (view.state !== 'queued' && view.state !== 'running') throw new Error(`The build is ${view.state}: ${JSON.stringify(view.events.at(-1))}`)
    return (view.training?.points ?? []).filter((point) => point.validationLoss !== null).length >= 2
  })

describe('bad input', () => {
  it('a build cut short by SIGTERM goes on after a restart; a cancelled build ends at once', { timeout: 240_000 }, async () => {
    const started = (await post('/api/builds', { words, files: [file('clauses.csv', table)], name: 'clauses', seconds: 40 })).body as BuildView
    const waiting = (await post('/api/builds', { words, files: [file('clauses.csv', table)], name: 'waiting', seconds: 40 })).body as BuildView
    expect(waiting.state).toBe('queued')
    const cancelled = await post(`/api/builds/${waiting.id}/cancel`, {})
    expect(cancelled.body).toMatchObject({ state: 'cancelled' })
    expect((await buildOf(started.id)).state).not.toBe('done')
    await inTraining(started.id)
    expect(await server.stop()).toBe(0)
    server = await startServer(folder.data)
    const ended = await until('the build to end', 120, async () => {
      const view = await buildOf(started.id)
      return view.state !== 'queued' && view.state !== 'running' && view
    })
    expect(ended.state, JSON.stringify(ended.events)).toBe('done')
    expect(ended.events.find((event) => event.arrow === 'train')?.text).toContain('continued from a checkpoint')
    expect((await buildOf(waiting.id)).state).toBe('cancelled')

    // Sent twice at once, it is one build.
    const twice = () => post('/api/builds', { words, files: [file('clauses.csv', table)], name: 'other', seconds: 40 })
    const [running, same] = (await Promise.all([twice(), twice()])).map((reply) => reply.body as BuildView) as [BuildView, BuildView]
    expect([same.id, same.createdAt]).toEqual([running.id, running.createdAt])
    await inTraining(running.id)
    const stoppedAt = (await buildOf(running.id)).training!.points.findLast((point) => point.validationLoss !== null)!.step
    expect((await post(`/api/builds/${running.id}/cancel`, {})).body).toMatchObject({ state: 'cancelled' })
    expectRefused(await post(`/api/builds/${running.id}/cancel`, {}), 409, 'other', 'cancelled')
    expectRefused(await post('/api/builds/0xabc/cancel', {}), 404, '0xabc')
    // What was stopped is gone on with, from what it had learned.
    expectRefused(await post('/api/builds/0xabc/go-on', {}), 404, '0xabc')
    expect((await post(`/api/builds/${running.id}/go-on`, {})).body).toMatchObject({ id: running.id, state: expect.stringMatching(/queued|running/) })
    await until('the build to go on', 60, async () => ((await buildOf(running.id)).training?.step ?? 0) > stoppedAt)
    expect((await post(`/api/builds/${running.id}/cancel`, {})).body).toMatchObject({ state: 'cancelled' })
    expect((await state()).models.map((model) => model.name)).toEqual(['clauses'])
    const published = await post('/api/models/clauses/publish', { price: '0.01' })
    expect(published.status, JSON.stringify(published.body)).toBe(200)
  })

  const rows = (count: number, row: (index: number) => string) => Array.from({ length: count }, (_, index) => row(index)).join('\n')
  const single = async () => `${table}"All notices shall be sent by registered post.",Notices\n`
  const data: [string, () => Promise<Upload[]> | Upload[], number, ...string[]][] = [
    ['no files', () => [], 422, 'No files'],
    ['an empty file', () => [file('empty.csv', '')], 422, 'empty.csv', '0 bytes'],
    ['a file of white space', () => [file('blank.txt', ' \n\t ')], 422, 'blank.txt'],
    ['a header alone', () => [file('header.csv', 'clause,label\n')], 422, 'header.csv', 'clause, label'],
    [
      'a table of one row',
      () => [file('one.csv', 'clause,label\n"Governed by the laws of Ohio.",Governing Law\n')],
      422,
      'one.csv has 1 row',
      'clause, label',
      '60',
    ],
    [
      'a table without the needed columns',
      () => [file('sums.csv', `id,amount\n${rows(80, (index) => `${index},${index * 3.5}`)}\n`)],
      422,
      'sums.csv',
      'id, amount',
    ],
    ['letters in no encoding', () => [file('marked.csv', Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0xfe, 0x2c, 0xff]))], 422, 'marked.csv', 'UTF-8'],
    [
      'a picture named .txt',
      () => [file('notes.txt', Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), Buffer.alloc(500, 7)]))],
      422,
      'notes.txt',
    ],
    ['zeros named .txt', () => [file('zeros.txt', Buffer.alloc(4000))], 422, 'zeros.txt'],
    ['a PDF', () => [file('pages.pdf', '%PDF-1.7\n%âãÏÓ\n1 0 obj')], 422, 'pages.pdf', 'PDF'],
    ['a PDF named .txt', () => [file('pages.txt', '%PDF-1.7\n%âãÏÓ\n1 0 obj')], 422, 'pages.txt', 'PDF'],
    ['an unknown kind of file', () => [file('song.mp3', `ID3\x04${'\0'.repeat(60)}`)], 422, 'song.mp3'],
    ['a label with one example', async () => [file('clauses.csv', await single())], 422, '"Notices"'],
    [
      'one label only',
      () => [file('same.csv', `clause,label\n${rows(80, (index) => `The party ${index} shall pay the sum of ${index * 7} to nobody,Payment`)}\n`)],
      422,
      'same.csv',
      '"label" says "Payment"',
    ],
    [
      'a quotation mark never closed',
      () => [file('open.csv', `clause,label\n"never closed,Insurance\n${rows(70, (index) => `text ${index},Insurance`)}`)],
      422,
      'open.csv',
    ],
    ['broken JSON lines', () => [file('broken.jsonl', '{"text": "a", "label": "b"}\n{"text": \n')], 422, 'broken.jsonl'],
    ['a name that leaves its folder', () => [file('../escape.csv', table)], 400, '../escape.csv'],
    ['a name with a zero in it', () => [file('nul\0.csv', table)], 400, 'nul'],
    ['bytes that are not base64', () => [{ name: 'clauses.csv', base64: '***' }], 400, 'clauses.csv'],
  ]
  it.each(data)('refuses %s', async (_, files, status, ...named) => {
    expectRefused(await post('/api/builds', { words, files: await files() }), status, ...named)
  })

  it.each([
    ['nothing', '', 'empty'],
    ['white space', ' \n\t ', 'empty'],
    ['100 kB', 'Tell me which kind of clause this is. '.repeat(2700), '20,000'],
    ['pictures only', '🙂🎉'.repeat(30), 'no words'],
    ['digits only', '12345', '12345'],
  ])('refuses a description of %s', async (_, description, named) => {
    expectRefused(await post('/api/builds', { words: description, files: [file('clauses.csv', table)] }), 422, named)
    expectRefused(await post('/api/plan', { words: description, files: [] }), 422, named)
  })

  it.each(['0', '0.0', '-1', '1e30', 'NaN', '', 'Infinity', '0x10', '1,5', `1${'0'.repeat(30)}`, '0.0000000000000000001'])(
    'refuses the price "%s"',
    async (price) => {
      expectRefused(await post('/api/models/clauses/publish', { price }), 422, price)
      expect((await state()).models[0]?.price).toMatchObject({ open: '0.01' })
    },
  )

  it('refuses bodies that are not what a route takes', async () => {
    const chat = '/v1/chat/completions'
    for (const path of [chat, '/api/builds', '/api/plan', '/api/models/clauses/publish', '/api/models/clauses/ask'])
      for (const body of ['', '{', 'null', '[]', '"text"', '{"a":']) expectRefused(await post(path, body), 400, 'Send {')
    expectRefused(await post('/api/models/clauses/publish', { price: 0.01 }), 400, '"price"')
    expectRefused(await post('/api/builds', { words, files: [file('clauses.csv', table)], name: 'Bad Name' }), 422, '"Bad Name"')
    expectRefused(await post('/api/builds', { words, files: [file('clauses.csv', table)], seconds: -1 }), 400, '"seconds"')
    expectRefused(await post('/api/models/clauses/ask', { text: '  ' }), 400, '"text"', 'empty')
    expectRefused(await post(chat, { model: 'clauses', messages: [] }), 400, '"messages"')
    expectRefused(await post(chat, { model: 'clauses', messages: [{ role: 'user', content: ' ' }] }), 400, 'user')
    expectRefused(await post(chat, { model: 'clauses', n: 2, messages: [{ role: 'user', content: 'x' }] }), 400, '"n"')
    expectRefused(await call('/api/receipts?limit=many'), 400, '"many"')
    expectRefused(await call('/api/nothing'), 404, '/api/nothing')
    expectRefused(await call('/v1/nothing'), 404, '/v1/nothing')
    expectRefused(await call('/api/builds/%zz'), 404, '%zz')
  })

  it('gives away as many questions a day as the builder says, and then asks for the price', async () => {
    const question = { model: 'clauses', messages: [{ role: 'user', content: 'Each party shall keep insurance.' }] }
    expect((await post('/v1/chat/completions', question)).status).toBe(402)
    expectRefused(await post('/api/models/clauses/free', { questions: 101 }), 400, '"questions"', '101')
    expectRefused(await post('/api/models/nobody/free', { questions: 1 }), 404, '"nobody"')
    expect((await post('/api/models/clauses/free', { questions: 1 })).body).toEqual({ questions: 1, left: 1 })
    const paid = (await state()).models.find(({ name }) => name === 'clauses')!.queries
    // Who means to pay is told the price though one is left, so that paying for an audition uses no free question up.
    expect((await post('/v1/chat/completions', question, { 'x-modelfactory-free': 'no' })).status).toBe(402)
    const replies = await Promise.all([post('/v1/chat/completions', question), post('/v1/chat/completions', question)])
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 402])
    const given = replies.find(({ status }) => status === 200)!
    expect(given.headers.get('x-modelfactory-free-left')).toBe('0')
    expect(given.body).toMatchObject({ modelfactory: { receipt: null, free: expect.stringContaining('the next is paid') } })
    expect((await call('/api/models/clauses/free')).body).toEqual({ questions: 1, left: 0 })
    expect((await state()).models.find(({ name }) => name === 'clauses')!.queries).toBe(paid)
    expect((await post('/api/models/clauses/free', { questions: 0 })).body).toEqual({ questions: 0, left: 0 })
  })

  it('refuses a huge body, a wrong Host and a foreign Origin', async () => {
    const long = 'x'.repeat(2 << 20)
    expectRefused(await post('/v1/chat/completions', { model: 'clauses', messages: [{ role: 'user', content: long }] }), 413, '1 MB')
    expectRefused(await post('/api/models/clauses/ask', { text: long }), 413, '1 MB')
    expectRefused(await call('/api/state', { headers: { origin: 'http://evil.example' } }), 403, 'http://evil.example')
    const { port } = new URL(server.url)
    const status = await new Promise<Reply>((resolve, reject) => {
      const asked = httpRequest({ host: '127.0.0.1', port, path: '/api/state', headers: { host: 'evil.example' } }, (response) => {
        let text = ''
        response.on('data', (chunk) => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text), headers: new Headers() }))
      })
      asked.on('error', reject).end()
    })
    expectRefused(status, 421, '"evil.example"')
  })

  it('refuses an unknown model wherever one is named', async () => {
    expectRefused(await post('/v1/chat/completions', { model: 'nobody', messages: [{ role: 'user', content: 'x' }] }), 404, '"nobody"', 'clauses')
    expectRefused(await call('/v1/models/nobody'), 404, '"nobody"')
    expectRefused(await post('/api/models/nobody/publish', { price: '1' }), 404, '"nobody"', 'clauses')
    expectRefused(await post('/api/models/nobody/ask', { text: 'x' }), 404, '"nobody"', 'clauses')
    expectRefused(await post(`/api/models/${encodeURIComponent('../x')}/ask`, { text: 'x' }), 404, '../x')
  })

  it('takes no forged, changed, unreadable or second use of a payment, and pays once', async () => {
    const body = JSON.stringify({ model: 'clauses', messages: [{ role: 'user', content: 'Governed by the laws of Ohio.' }] })
    const other = JSON.stringify({ model: 'clauses', messages: [{ role: 'user', content: 'The insurer shall pay.' }] })
    const chat = (text: string, payment?: string) => post('/v1/chat/completions', text, payment === undefined ? {} : { 'payment-signature': payment })
    const before = await state()
    expectRefused(await chat(body), 402, 'clauses')
    const header = await signedPayment(body, before)
    const payload = JSON.parse(Buffer.from(header, 'base64').toString()) as {
      payload: { signature: string; authorization: { value: string; to: string } }
      accepted: { amount: string }
    }
    const changed = (change: (copy: typeof payload) => void) => {
      const copy = structuredClone(payload)
      change(copy)
      return Buffer.from(JSON.stringify(copy)).toString('base64')
    }
    const flipped = (digit: string) => (digit === '1' ? '2' : '1')
    const forged = changed((copy) => {
      const { signature } = copy.payload
      copy.payload.signature = `${signature.slice(0, 20)}${flipped(signature[20]!)}${signature.slice(21)}`
    })
    expectRefused(await chat(body, forged), 402, 'signature')
    const cheap = changed((copy) => {
      copy.payload.authorization.value = '1'
      copy.accepted.amount = '1'
    })
    expectRefused(await chat(body, cheap), 402, '0.01')
    const thief = changed((copy) => {
      copy.payload.authorization.to = `0x${'12'.repeat(20)}`
    })
    expectRefused(await chat(body, thief), 402, `0x${'12'.repeat(20)}`)
    for (const junk of [
      'garbage',
      '%%%',
      Buffer.from('{}').toString('base64'),
      Buffer.from('null').toString('base64'),
      'A'.repeat(12_000),
      header.slice(0, -40),
    ])
      expectRefused(await chat(body, junk), 400, 'PAYMENT-SIGNATURE')
    expect((await state()).earnings).toEqual(before.earnings)

    const paid = await chat(body, header)
    expect(paid.status, JSON.stringify(paid.body)).toBe(200)
    const receiptOf = (reply: Reply) => (reply.body as { modelfactory: { receipt: { tx: string } } }).modelfactory.receipt.tx
    const again = await chat(body, header)
    expect([again.status, receiptOf(again)]).toEqual([200, receiptOf(paid)])
    expectRefused(await chat(other, header), 402, 'another request')
    const after = await state()
    expect(BigInt(after.earnings.balance.atomic) - BigInt(before.earnings.balance.atomic)).toBe(10n ** 16n)
    expect(after.models[0]?.queries).toBe(1)
  })

  it('commands say what is wrong, exit 1, and end with one JSON object', { timeout: 120_000 }, async () => {
    await mkdir(join(scratch, 'empty'))
    await writeFile(join(scratch, 'file'), 'a file')
    await writeFile(join(scratch, 'big'), Buffer.alloc(50 << 20, 'a'))
    await writeFile(join(scratch, 'song.mp3'), `ID3\x04${'\0'.repeat(60)}`)
    const stranger = createServer((_, response) => response.setHeader('content-type', 'application/json').end('{"hello":1}'))
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
    const strangerPort = (stranger.address() as AddressInfo).port
    const { port } = new URL(server.url)
    const separate = { data: join(scratch, 'separate') }
    const under = { data: join(scratch, 'file', 'data') }
    const cases: [string[], number, string[], { data?: string; env?: Record<string, string> }?][] = [
      [['build', words, '--files', join(scratch, 'empty')], 1, [join(scratch, 'empty')]],
      [['build', words, '--files', join(scratch, 'nowhere')], 1, [join(scratch, 'nowhere')]],
      [['build', words, '--files', join(scratch, 'song.mp3')], 1, ['song.mp3']],
      [['query', 'nobody', 'x'], 1, ['"nobody"', 'clauses']],
      [['publish', 'nobody', '--price', '0.01'], 1, ['"nobody"', 'clauses']],
      [['publish', 'clauses', '--price', ''], 1, ['""']],
      [['query', 'clauses', 'x', '--wallet', 'empty'], 1, ['holds 0 ']],
      [['query', 'clauses', 'x', '--wallet', '../x'], 1, ['"../x"']],
      [['query', 'clauses', 'x', '--maximum', '0.001'], 1, ['0.01', '0.001']],
      [['query', 'clauses', 'x', '--maximum', 'much'], 1, ['"much"']],
      [['list', '--url', 'http://127.0.0.1:1'], 1, ['http://127.0.0.1:1']],
      [['list', '--url', 'nonsense'], 1, ['nonsense']],
      [['list', '--url', `http://127.0.0.1:${strangerPort}`], 1, [`http://127.0.0.1:${strangerPort}`]],
      [['ask', 'clauses', 'x', '--url', `http://127.0.0.1:${strangerPort}`], 1, [`http://127.0.0.1:${strangerPort}`]],
      [['plan', words, '--files', join(scratch, 'big')], 1, [join(scratch, 'big'), '50 MB']],
      [['list'], 1, ['MODELFACTORY_PORT', '"abc"'], { ...folder, env: { MODELFACTORY_PORT: 'abc' } }],
      [['list'], 1, ['MODELFACTORY_URL', '"nonsense"'], { ...folder, env: { MODELFACTORY_URL: 'nonsense' } }],
      [['up', '--port', '0'], 1, [`process ${server.child.pid}`, folder.data]],
      [['up', '--port', '0'], 1, [join(scratch, 'file')], under],
      [['list'], 1, [join(scratch, 'file')], under],
      [['up', '--port', port], 1, [`Port ${port}`], separate],
      [['list'], 1, ['nowhere.gguf'], { data: join(scratch, 'third'), env: { MODELFACTORY_BASE: join(scratch, 'nowhere.gguf') } }],
      [['sing'], 2, ['sing']],
      [['ask', 'clauses'], 2, ['text']],
      [['publish', 'clauses'], 2, ['--price']],
      [['list', '--nonsense'], 2, ['--nonsense']],
      [['build', words, '--files', scratch, '--minutes', 'soon'], 2, ['"soon"']],
      [['build', words, '--files', scratch, '--minutes', '-1'], 2, ['"-1"']],
      [['build', words, '--files', scratch, '--minutes', '1e9'], 2, ['"1e9"']],
      [['up', '--port', '99999'], 2, ['"99999"']],
      [['up', '--port', 'abc'], 2, ['"abc"']],
      [[], 2, []],
    ]
    const failures: string[] = []
    await twoAtATime(cases, async ([args, code, named, where]) => {
      const done = await modelfactory([...args, '--json'], where ?? folder)
      try {
        expectExit(done, code, ...named)
      } catch (error) {
        failures.push(`${args.join(' ')}: ${(error as Error).message}`)
      }
    })
    stranger.close()
    expect(failures).toEqual([])
  })

  it('says that a data folder is read-only', async ({ skip }) => {
    if (process.getuid?.() === 0) return skip("root may write anywhere, whatever a folder's mode says")
    const readOnly = join(scratch, 'read-only')
    await mkdir(readOnly, { mode: 0o555 })
    expectExit(await modelfactory(['list', '--json'], { data: readOnly }), 1, readOnly, 'read-only')
  })

  it('every command helps, and exits 0', { timeout: 60_000 }, async () => {
    await twoAtATime([[], ...commands.map((command) => [command])], async (args) => {
      const done = await modelfactory([...args, '--help'], folder)
      expect([done.code, done.stderr], args.join(' ')).toEqual([0, ''])
      expect(done.stdout).toContain('Usage: modelfactory')
    })
  })

  it('has lost nothing', async () => {
    expect(server.child.exitCode).toBe(null)
    const now = await state()
    expect(now.models).toMatchObject([{ name: 'clauses', queries: 1, price: { open: '0.01' } }])
    expect(now.builds.map((build) => `${build.name} ${build.state}`).sort()).toEqual(['clauses done', 'other cancelled', 'waiting cancelled'])
    const asked = await post('/api/models/clauses/ask', { text: 'Governed by the laws of Ohio.' })
    expect([asked.status, kinds.includes((asked.body as { label: string }).label)]).toEqual([200, true])
    // Nothing that a user did wrong is a fault in the server's log.
    expect(server.output()).not.toMatch(/\n\s+at /)
  })
})

async function twoAtATime<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items]
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all([worker(), worker()])
}

/** A payment for one request as an unmodified x402 client signs it, caught before it is sent. */
async function signedPayment(body: string, { network, contracts }: StateView): Promise<string> {
  const config = readConfig({ data: folder.data })
  if (isRefusal(config)) throw new Error(config.message)
  const account = await openWallet(config, 'payer')
  if (isRefusal(account)) throw new Error(account.message)
  let caught: string | null = null
  const pay = wrapFetchWithPaymentFromConfig(
    async (input, init) => {
      const request = new Request(input, init)
      caught = request.headers.get('payment-signature') ?? caught
      return caught === null ? fetch(request) : new Response('{}')
    },
    {
      schemes: [{ network: network.caip2 as `${string}:${string}`, client: new ExactEvmScheme(account) }],
      spendControls: {
        allowedAssets: [{ network: network.caip2 as `${string}:${string}`, asset: contracts.token as `0x${string}`, maxAmountPerPayment: '10000000000000000' }],
      },
    },
  )
  await pay(`${server.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  if (caught === null) throw new Error('The client signed nothing.')
  return caught
}
