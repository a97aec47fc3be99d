/**
 * What every journey through the studio needs: a real server with its chain and engine on a data folder of its own, a browser, pages in each
 * theme and width, axe, and screenshots kept as artefacts. Knows nothing of any journey.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { LocalAccount } from 'viem'
import { isRefusal } from '../src/core/errors.ts'
import { readConfig } from '../src/factory/config.ts'
import { openWallet } from '../src/factory/gateway.ts'

export const root = fileURLToPath(new URL('..', import.meta.url))
const SHOTS = process.env.E2E_SHOTS ?? join(root, '.artefacts', 'studio')
/** Debian's; no browser is downloaded. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'

export const WIDTHS = [1440, 390] as const
export const SCHEMES = ['light', 'dark'] as const

export type Studio = {
  url: string
  browser: Browser
  /** A window of its own: storage, language, theme and width. */
  open(options?: { width?: number; scheme?: 'light' | 'dark'; locale?: string }): Promise<{ page: Page; context: BrowserContext; faults: string[] }>
  /** Stops the server and starts it again at the same address, as after a crash of the machine where `signal` is SIGKILL. */
  restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** The account that the embedded chain gives test OPEN to. */
  payer(): Promise<LocalAccount>
  close(): Promise<void>
}

export async function openStudio(): Promise<Studio> {
  const data = await mkdtemp(join(tmpdir(), 'modelfactory-e2e-'))
  let { child, url } = await serve(data, 0)
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  return {
    url,
    browser,
    async open({ width = 1440, scheme = 'light', locale = 'en-GB' } = {}) {
      const context = await browser.newContext({ viewport: { width, height: width < 600 ? 844 : 900 }, colorScheme: scheme, locale, reducedMotion: 'reduce' })
      const page = await context.newPage()
      const faults: string[] = []
      page.on('pageerror', (error) => faults.push(error.message))
      // A refusal is said by its status too, and that is no fault of the page.
      page.on('console', (message) => message.type() === 'error' && !/status of 4\d\d/.test(message.text()) && faults.push(message.text()))
      page.on('request', (request) => !request.url().startsWith(url) && !/^(data|blob|about):/.test(request.url()) && faults.push(`asked ${request.url()}`))
      return { page, context, faults }
    },
    async restart(signal = 'SIGTERM') {
      child.kill(signal)
      await new Promise((resolve) => child.once('exit', resolve))
      child = (await serve(data, Number(new URL(url).port))).child
    },
    async payer() {
      const config = readConfig({ data }, {})
      const account = isRefusal(config) ? config : await openWallet(config, 'payer')
      if (isRefusal(account)) throw new Error(account.message)
      return account
    },
    async close() {
      await browser.close()
      child.kill('SIGTERM')
      await new Promise((resolve) => child.once('exit', resolve))
      await rm(data, { recursive: true, force: true })
    },
  }
}

/** Starts `up` and waits until it says where it is. */
async function serve(data: string, port: number): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/apps/cli/main.ts', 'up', '--no-examples', '--data', data, '--port', String(port)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk
      const found = /Ready: (\S+)/.exec(said)
      if (found) resolve(found[1]!)
    }
    child.stdout!.on('data', hear)
    child.stderr!.on('data', hear)
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}: ${said}`)))
    setTimeout(() => reject(new Error(`The server did not start: ${said}`)), 120_000).unref()
  })
  return { child, url }
}

/** Builds an example of the repository with little time, and waits; quality is no matter here. */
export async function buildExample(url: string, example: string, name = example): Promise<void> {
  const folder = join(root, 'examples', example)
  const words = (await readFile(join(folder, 'words.txt'), 'utf8')).trim()
  const entries = await readdir(join(folder, 'files'), { recursive: true, withFileTypes: true })
  const files = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => ({ name: entry.name, base64: (await readFile(join(entry.parentPath, entry.name))).toString('base64') })),
  )
  const started = await call<{ id: string }>(url, 'POST', '/api/builds', { name, words, files, seconds: 30, recipe: { steps: 40 } })
  for (;;) {
    const build = await call<{ state: string; events: { text: string }[] }>(url, 'GET', `/api/builds/${started.id}`)
    if (build.state === 'done') return
    if (build.state !== 'queued' && build.state !== 'running') throw new Error(`${name}: ${build.state}, ${build.events.at(-1)?.text}`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

export async function call<Value>(url: string, method: string, path: string, body?: unknown): Promise<Value> {
  const reply = await fetch(url + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const value = await reply.json()
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(value)}`)
  return value as Value
}

/** What axe holds against the page by WCAG 2.2 A and AA, one line each. */
export async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze()
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary?.split('\n').slice(1).join(' ')}`),
  )
}

/** Points by which the page is wider than its window; nobody should have to scroll sideways. */
export const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)

/** Where the pictures of the README go, when somebody makes them anew: `E2E_TOUR=docs/tour npm run test:e2e`. */
const TOUR = process.env.E2E_TOUR

/** A picture for the README: what a window shows of the page from `at` on. */
export async function picture(page: Page, name: string, at?: string): Promise<void> {
  if (TOUR === undefined) return
  if (at === undefined) await page.evaluate(() => window.scrollTo(0, 0))
  else
    await page
      .getByRole('heading', { name: at })
      .first()
      .evaluate((heading) => heading.scrollIntoView({ block: 'center' }))
  await page.waitForTimeout(300)
  await page.screenshot({ path: join(root, TOUR, `${name}.jpg`), type: 'jpeg', quality: 78 })
}

/** Kept as an artefact; the whole page. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (!existsSync(SHOTS)) mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
}
