/**
 * When things go wrong around the studio, against a real server, chain and engine: the network away, a session that ended, two windows at once, the
 * back button, a file too large, and names, texts and kinds that would be code if they were not only ever text.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildExample, call, openStudio, overflow, root, type Studio, shoot, violations } from './harness.ts'

type State = { models: { name: string; modelId: string | null; price: { open: string } | null }[] }
/** A kind, a file and a text as somebody hostile would name them. */
const KIND = '<img src=x onerror=alert(1)>'
const FILE = '"><script>alert(2)</script>.csv'
const WORD = 'incomprehensibility'.repeat(40)
const ARABIC = 'هل يجوز للمستأجر إنهاء العقد قبل موعده؟'
let studio: Studio
let folder: string
const state = () => call<State>(studio.url, 'GET', '/api/state')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'modelfactory-trouble-'))
  studio = await openStudio()
  await buildExample(studio.url, 'contracts', 'clauses')
}, 400_000)
afterAll(async () => {
  await studio?.close()
  rmSync(folder, { recursive: true, force: true })
})

it('says that the network is away, keeps what was written, and goes on when it is back', async () => {
  const { page, context } = await studio.open()
  await page.goto(`${studio.url}/#clauses`)
  const box = page.getByLabel('A text to sort')
  await box.fill('Either party may terminate upon thirty days notice.')
  await context.setOffline(true)
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.getByText('The server cannot be reached.').first().waitFor()
  expect(await box.inputValue()).toContain('thirty days')
  await context.setOffline(false)
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.locator('[aria-live="polite"] p.text-title').waitFor()

  await page.goto(`${studio.url}/build`)
  await page.getByLabel('What should your model do?').fill('Tell me which kind of clause a sentence of a contract is.')
  const table = join(folder, 'few.csv')
  writeFileSync(table, 'clause,label\nEither party may terminate.,Termination\n')
  await page.getByLabel('Your files').setInputFiles(table)
  await context.setOffline(true)
  await page.getByRole('button', { name: 'See the plan' }).click()
  // Files are tried again for half a minute before they are given up, and it is said at once.
  await page.getByText('sending is tried again').waitFor({ timeout: 10_000 })
  await page.getByText('The server cannot be reached.').first().waitFor({ timeout: 60_000 })
  expect(await page.getByRole('list', { name: 'Your files' }).getByText('few.csv').count()).toBe(1)
  await context.setOffline(false)
  await page.getByRole('button', { name: 'See the plan' }).click()
  await page.getByRole('heading', { name: 'The plan' }).waitFor()
  // Back to the words, and away and back again: they are still there.
  await page.getByRole('button', { name: 'Change words or files' }).click()
  await page.getByRole('link', { name: 'Find a model', exact: true }).first().click()
  await page.waitForURL(/\/market/)
  await page.goBack()
  expect(await page.getByLabel('What should your model do?').inputValue()).toContain('which kind of clause')
  await context.close()
}, 240_000)

it('refuses a file of two gigabytes before a byte of it is sent', async () => {
  const { page, context } = await studio.open()
  const large = join(folder, 'everything.csv')
  writeFileSync(large, '')
  truncateSync(large, 2 * 1024 ** 3)
  let sent = 0
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent++
  })
  await page.goto(`${studio.url}/build`)
  await page.getByLabel('What should your model do?').fill('Tell me which kind of clause a sentence of a contract is.')
  await page.getByLabel('Your files').setInputFiles(large)
  await page.getByRole('button', { name: 'See the plan' }).click()
  await page.getByText(/^everything\.csv is 2(\.\d+)? GB, and .* is the most for one file/).waitFor()
  expect(sent).toBe(0)
  rmSync(large)
  await context.close()
})

it('shows hostile names, kinds, very long words and Arabic as text, on a phone too', async () => {
  const { page, context, faults } = await studio.open({ width: 390 })
  const alerts: string[] = []
  page.on('dialog', (dialog) => {
    alerts.push(dialog.message())
    void dialog.dismiss()
  })
  const said = (index: number) => [`May the tenant end the lease in month ${index}?`, `${WORD} ${index}`, `${ARABIC} ${index}`][index % 3]!
  const rows = Array.from({ length: 90 }, (_, index) => ({ text: said(index), kind: index % 3 === 2 ? KIND : 'plain' }))
  const csv = `text,kind\n${rows.map(({ text, kind }) => `"${text}","${kind.replaceAll('"', '""')}"`).join('\n')}\n`
  await page.goto(`${studio.url}/build`)
  const words = `Say which kind a question is. ${KIND} ${WORD}`
  await page.getByLabel('What should your model do?').fill(words)
  await page.getByLabel('Your files').setInputFiles({ name: FILE, mimeType: 'text/csv', buffer: Buffer.from(csv) })
  await page.getByRole('button', { name: 'See the plan' }).click()
  await page.getByRole('heading', { name: 'What was understood' }).waitFor()
  await page.getByText('Look at the exam').click()
  await page.getByText(KIND).first().waitFor()
  await shoot(page, 'trouble-hostile-390-light')
  expect(await overflow(page)).toBeLessThanOrEqual(0)
  expect(await violations(page)).toEqual([])
  // And what a model made of it says: its kinds are text as well.
  const files = [{ name: 'rows.csv', base64: Buffer.from(csv).toString('base64') }]
  const { id } = await call<{ id: string }>(studio.url, 'POST', '/api/builds', { name: 'hostile', words, files, seconds: 20, recipe: { steps: 20 } })
  await expect
    .poll(async () => (await call<{ state: string }>(studio.url, 'GET', `/api/builds/${id}`)).state, { timeout: 240_000, interval: 1000 })
    .toBe('done')
  await page.goto(`${studio.url}/#hostile`)
  await page.getByLabel('A text to sort').fill(`${ARABIC} ${WORD}`)
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.locator('[aria-live="polite"]').getByText(KIND).first().waitFor()
  await shoot(page, 'trouble-answer-390-light')
  expect(await overflow(page)).toBeLessThanOrEqual(0)
  await page.goto(`${studio.url}/review/hostile`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.getByRole('region', { name: 'To learn from' }).getByRole('listitem').first().waitFor()
  expect(await overflow(page)).toBeLessThanOrEqual(0)
  expect(await page.locator('img[src="x"], body script:not([src])').count()).toBe(0)
  expect(alerts).toEqual([])
  expect(faults).toEqual([])
  await context.close()
}, 400_000)

it('shows pages as they were read, marked where examples rest on them, on a phone too', async () => {
  const { page, context } = await studio.open({ width: 390 })
  const example = join(root, 'examples', 'cardiology')
  const files = readdirSync(join(example, 'files'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  await page.goto(`${studio.url}/build`)
  await page.getByLabel('What should your model do?').fill(readFileSync(join(example, 'words.txt'), 'utf8').trim())
  await page.getByLabel('Your files').setInputFiles(files.map((entry) => join(entry.parentPath, entry.name)))
  await page.getByRole('button', { name: 'See the plan' }).click()
  await page.getByText('Look at the pages as they were read').click()
  const pages = page.getByRole('region', { name: 'Look at the pages as they were read' })
  await pages.locator('mark').first().waitFor()
  expect(await pages.getByRole('listitem').count()).toBeLessThan(40)
  await shoot(page, 'pages-as-read-390-light')
  expect(await violations(page)).toEqual([])
  expect(await overflow(page)).toBeLessThanOrEqual(0)
  await context.close()
})

it('publishes once what two windows publish at the same moment, and both show it', async () => {
  const [one, other] = [await studio.open(), await studio.open()]
  for (const { page } of [one, other]) {
    await page.goto(`${studio.url}/#clauses`)
    await page.getByRole('heading', { name: 'Publish it' }).waitFor()
  }
  await Promise.all([one, other].map(({ page }) => page.getByRole('button', { name: 'Publish', exact: true }).click()))
  for (const { page } of [one, other]) await page.getByRole('link', { name: 'The page to share' }).waitFor()
  await expect
    .poll(async () => (await call<{ hits: { name: string }[] }>(studio.url, 'GET', '/api/market/search')).hits.filter(({ name }) => name === 'clauses').length)
    .toBe(1)
  expect((await state()).models.find(({ name }) => name === 'clauses')!.modelId).not.toBeNull()
  await one.context.close()
  await other.context.close()
})

it('notices that a session ended, and lets its owner in again', async () => {
  const key = await studio.payer()
  const { page, context } = await studio.open()
  await page.exposeFunction('wallet', async (method: string, parameters: string[]) => {
    if (method === 'eth_requestAccounts') return [key.address]
    if (method === 'eth_chainId') return '0x7a69'
    return key.signMessage({ message: { raw: parameters[0] as `0x${string}` } })
  })
  await page.addInitScript(() => {
    const wallet = (globalThis as unknown as { wallet(method: string, parameters: unknown): Promise<unknown> }).wallet
    Object.assign(window, { ethereum: { request: ({ method, params }: { method: string; params: unknown }) => wallet(method, params) } })
  })
  await page.goto(`${studio.url}/market`)
  await page.getByRole('button', { name: 'Sign in with a wallet' }).click()
  await page.getByRole('button', { name: /^Sign out/ }).waitFor()
  await context.clearCookies()
  await page.reload()
  await page.getByRole('button', { name: 'Sign in with a wallet' }).click()
  await page.getByRole('button', { name: /^Sign out/ }).waitFor()
  // Signed out where the session is gone already, the page says the same as ever. (A press within a second of the last is taken for a double click.)
  await page.waitForTimeout(1000)
  await context.clearCookies()
  await page.getByRole('button', { name: /^Sign out/ }).click()
  await page.getByRole('button', { name: 'Sign in with a wallet' }).waitFor()
  await context.close()
})

it('says what is wrong with an address that is told of payments, and when it took a message', async () => {
  let status = 500
  const receiver = createServer((request, response) => {
    request.resume()
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const { page, context } = await studio.open()
  await page.goto(`${studio.url}/earn`)
  await page.getByLabel('Its address').fill(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/paid`)
  await page.getByRole('button', { name: 'Tell it' }).click()
  await page.getByRole('button', { name: 'Try it' }).click()
  await page.getByText(/did not take the message: it answered 500/).waitFor()
  status = 204
  await page.getByRole('button', { name: 'Try it' }).click()
  await page.getByText('It took the test message.').waitFor()
  await shoot(page, 'trouble-webhook-1440-light')
  expect(await violations(page)).toEqual([])
  await page.getByRole('button', { name: 'Stop telling' }).click()
  await page.getByLabel('Its address').waitFor()
  await context.close()
  receiver.close()
})
