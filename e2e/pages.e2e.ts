/**
 * The journeys Buy, Challenge and Operate through the studio, against a real server, chain and engine: by clicks and keys alone, in both
 * languages, themes and widths, with axe on every page.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildExample, call, openStudio, overflow, picture, root, SCHEMES, type Studio, shoot, violations, WIDTHS } from './harness.ts'

let studio: Studio
type State = { models: { name: string; modelId: string | null; queries: number; earned: { open: string } }[]; contracts: { token: string } }
const state = () => call<State>(studio.url, 'GET', '/api/state')

beforeAll(async () => {
  studio = await openStudio()
  // Two models for sale, and one that is not: a market with something to choose from.
  await buildExample(studio.url, 'contracts')
  await buildExample(studio.url, 'contracts', 'clauses')
  for (const [name, price] of [
    ['contracts', '0.01'],
    ['clauses', '0.03'],
  ])
    await call(studio.url, 'POST', `/api/models/${name}/publish`, { price })
})
afterAll(() => studio?.close())

const question = 'This Agreement shall be governed by the laws of the State of New York.'

describe('Buy', () => {
  it('finds by need, pays from the wallet of the machine, and has receipt and passport to show for it', async () => {
    const { page, context, faults } = await studio.open()
    await page.goto(`${studio.url}/`)
    await page.getByRole('link', { name: 'Find a model' }).click()
    await page.getByLabel('What do you need?').fill('which kind of clause')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('status').first().textContent()).toBe('2 models')
    expect(new URL(page.url()).searchParams.get('q')).toBe('which kind of clause')
    await page.getByText('Why is this here?').first().click()
    await page.getByRole('link', { name: 'contracts', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'contracts' }).waitFor()
    const before = (await state()).models.find(({ name }) => name === 'contracts')!
    await page.getByLabel('Your question or text').fill(question)
    await page.getByRole('button', { name: 'Ask for 0.01 test OPEN' }).dblclick()
    await page.getByText('Paid 0.01 test OPEN to its builder.').waitFor()
    // A double click is one question and one payment.
    await expect.poll(async () => (await state()).models.find(({ name }) => name === 'contracts')!.queries).toBe(before.queries + 1)
    const link = page.getByRole('link', { name: 'The passport of this answer' })
    const passport = await call<{ format: string }>(studio.url, 'GET', (await link.getAttribute('href'))!)
    expect(passport.format).toBe('modelfactory/passport@1')
    await shoot(page, 'buy-answer-1440-light')
    await picture(page, 'buy-answer')
    await page.getByRole('link', { name: 'Wallet', exact: true }).click()
    await page.getByRole('cell', { name: 'contracts' }).first().waitFor()
    await shoot(page, 'buy-wallet-1440-light')
    expect(faults).toEqual([])
    await context.close()
  })

  it('shows who built it, in words that only the builder writes', async () => {
    const { page, context, faults } = await studio.open()
    await page.goto(`${studio.url}/earn`)
    await page.getByLabel('Your name, or your practice’s').fill('Dr. Ada <b>Okoye</b>')
    await page.getByLabel('What you do and know, in a few sentences').fill('Contract lawyer in Lagos for twenty years.')
    const credentials = page.getByLabel(/Qualifications, one a line/)
    await credentials.fill('Nigerian Bar | http://example.org/ada')
    await page.getByRole('button', { name: 'Show this' }).click()
    await page.getByText('an address that begins with https://').waitFor()
    await credentials.fill('Nigerian Bar | https://example.org/ada\nArbitrator')
    await page.getByRole('button', { name: 'Show this' }).click()
    await page.getByText('Buyers see it now.').waitFor()
    await page.goto(`${studio.url}/market/contracts`)
    await page.getByText('Dr. Ada <b>Okoye</b>').waitFor()
    expect(await page.getByRole('link', { name: 'Nigerian Bar' }).getAttribute('href')).toBe('https://example.org/ada')
    await page.getByRole('link', { name: 'clauses', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'clauses' }).waitFor()
    expect(faults.filter((fault) => !fault.includes('400'))).toEqual([])
    await context.close()
  })

  it('asks for nothing as often as the builder gives away', async () => {
    await call(studio.url, 'POST', '/api/models/clauses/free', { questions: 1 })
    const { page, context } = await studio.open()
    const { modelId, queries } = (await state()).models.find(({ name }) => name === 'clauses')!
    await page.goto(`${studio.url}/market/${modelId}`)
    await page.getByLabel('Your question or text').fill(question)
    await page.getByRole('button', { name: 'Ask, free (1 left today)' }).dblclick()
    await page.getByText(/It was the last one today/).waitFor()
    await page.getByRole('button', { name: /^Ask, free/ }).waitFor({ state: 'detached' })
    expect((await state()).models.find(({ name }) => name === 'clauses')!.queries).toBe(queries)
    await call(studio.url, 'POST', '/api/models/clauses/free', { questions: 0 })
    await context.close()
  })

  it('keeps to spending limits, and says so with a way on', async () => {
    const { page, context } = await studio.open({ width: 390 })
    await page.goto(`${studio.url}/market/wallet`)
    await page.getByLabel(/^One question at most/).fill('0.02')
    await page.getByRole('button', { name: 'Keep these limits' }).click()
    await page.getByText('Kept.').waitFor()
    const { models } = await state()
    await page.goto(`${studio.url}/market/${models.find(({ name }) => name === 'clauses')!.modelId}`)
    await page.getByLabel('Your question or text').fill(question)
    await page.getByRole('button', { name: /^Ask for 0\.03/ }).click()
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('alert').textContent()).toMatch(/0\.02/)
    expect((await state()).models.find(({ name }) => name === 'clauses')!.queries).toBe(0)
    await page.goto(`${studio.url}/market/wallet`)
    await page.getByLabel(/^One question at most/).fill('1')
    await page.getByLabel(/^A day at most/).fill('0.5')
    await page.getByRole('button', { name: 'Keep these limits' }).click()
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('alert').textContent()).toContain('Raise the limit of the day.')
    await context.close()
  })

  it('pays from a wallet of the browser: asked, refused, on the wrong chain, and paid once', async () => {
    // The account that the embedded chain gives its example payer: here the browser holds it.
    const key = await studio.payer()
    const { page, context } = await studio.open()
    let mood: 'no' | 'elsewhere' | 'yes' = 'no'
    await page.exposeFunction('wallet', async (method: string, parameters: string[]) => {
      if (method === 'eth_requestAccounts') return mood === 'no' ? 'REJECTED' : [key.address]
      if (method === 'eth_chainId') return mood === 'elsewhere' ? '0x1' : '0x7a69'
      if (method === 'wallet_switchEthereumChain') return 'UNKNOWN'
      if (method === 'personal_sign') return key.signMessage({ message: { raw: parameters[0] as `0x${string}` } })
      const { EIP712Domain: _, ...types } = JSON.parse(parameters[1]!).types
      return key.signTypedData({ ...JSON.parse(parameters[1]!), types })
    })
    await page.addInitScript(() => {
      const wallet = (globalThis as unknown as { wallet(method: string, parameters: unknown): Promise<unknown> }).wallet
      Object.assign(window, {
        ethereum: {
          async request({ method, params }: { method: string; params: unknown }) {
            const reply = await wallet(method, params)
            if (reply === 'REJECTED') throw Object.assign(new Error('User rejected'), { code: 4001 })
            if (reply === 'UNKNOWN') throw Object.assign(new Error('Unrecognised chain'), { code: 4902 })
            return reply
          },
        },
      })
    })
    const { models } = await state()
    const { modelId, queries } = models.find(({ name }) => name === 'clauses')!
    await page.goto(`${studio.url}/market/${modelId}`)
    await page.getByLabel('Your question or text').fill('Either party may terminate upon thirty days notice.')
    await page.getByRole('radio', { name: 'a wallet in this browser' }).check()
    const ask = page.getByRole('button', { name: /^Ask for 0\.03/ })
    await ask.click()
    await page.getByText('The wallet’s owner said no, so nothing was paid.').waitFor()
    mood = 'elsewhere'
    await ask.click()
    await page.getByText('The wallet is on another chain.').waitFor()
    mood = 'yes'
    await ask.click()
    await page.getByText('Paid 0.03 test OPEN to its builder.').waitFor()
    expect((await state()).models.find(({ name }) => name === 'clauses')!.queries).toBe(queries + 1)
    // Signed in with the wallet that paid, it may review; signed out again, the page knows nobody.
    await page.getByRole('button', { name: 'Sign in with a wallet' }).click()
    await page.getByRole('button', { name: /^Sign out/ }).waitFor()
    await page.reload()
    await page.getByRole('button', { name: /^Sign out/ }).waitFor()
    await page.getByLabel('4 stars').check({ force: true })
    await page.getByLabel('What was it like?').fill('Right on every clause <b>I</b> tried')
    await page.getByRole('button', { name: 'Publish the review' }).click()
    await page.getByRole('img', { name: /^4/ }).waitFor()
    await page.getByText('Right on every clause <b>I</b> tried').first().waitFor()
    await page.getByRole('button', { name: /^Sign out/ }).click()
    await page.getByRole('button', { name: 'Sign in with a wallet' }).waitFor()
    await context.close()
  })

  it('sets two side by side, by keyboard alone', async () => {
    const { page, context } = await studio.open()
    await page.goto(`${studio.url}/market`)
    for (const name of ['Compare contracts', 'Compare clauses']) {
      await page.getByRole('button', { name }).focus()
      await page.keyboard.press('Space')
    }
    await page.getByRole('link', { name: 'Compare 2' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('columnheader', { name: /contracts/ }).waitFor()
    await page.getByRole('columnheader', { name: /clauses/ }).waitFor()
    await shoot(page, 'buy-compare-1440-light')
    await picture(page, 'buy-compare')
    expect(await violations(page)).toEqual([])
    await context.close()
  })

  it('lets two answer unnamed, pays the chosen one for every case, and then says who was who', async () => {
    const { page, context, faults } = await studio.open()
    await call(studio.url, 'PUT', '/api/wallet/limits', { perQuery: '0.05', perDay: '1', perModelPerDay: null })
    await page.goto(`${studio.url}/market?q=which+kind+of+clause`)
    await page.getByRole('link', { name: 'Not sure which? Let three answer unnamed' }).click()
    await page.getByLabel(/^Your cases/).fill(`${question}\nEither party may terminate upon thirty days notice.`)
    await page.getByRole('button', { name: 'Let them answer' }).click()
    await page.getByRole('button', { name: 'Choose B' }).waitFor()
    // Nothing on the page tells who is who.
    expect(await page.locator('main').textContent()).not.toMatch(/contracts|clauses/)
    await shoot(page, 'buy-audition-1440-light')
    await picture(page, 'buy-audition')
    expect(await violations(page)).toEqual([])
    const before = (await state()).models
    await page.getByRole('button', { name: 'Choose B' }).dblclick()
    await page.getByText('You chose B.').waitFor()
    const chosen = /B was (\S+),/.exec((await page.locator('main').textContent())!)![1]!
    for (const { name, queries } of (await state()).models)
      expect(queries, name).toBe(before.find((one) => one.name === name)!.queries + (name === chosen ? 2 : 0))
    expect(faults).toEqual([])
    await context.close()
  })

  it('holds money for a need until a model passes what nobody saw, once however often it is pressed', async () => {
    const { page, context, faults } = await studio.open()
    await page.goto(`${studio.url}/market/wanted`)
    await page.getByLabel('What should it do?').fill('Say which law governs a contract')
    await page.getByRole('button', { name: 'Post it' }).dblclick()
    await page.getByText('Posted. Everybody can see it now.').waitFor()
    await page.getByText('Offer money for it').click()
    await page.getByLabel('How much, in test OPEN').fill('2.5')
    await page.getByLabel(/^Your sealed cases/).fill(`${question} => Governing Law\nno answer here`)
    await page.getByText(/Case 2 does not say/).waitFor()
    const sealed = Array.from({ length: 5 }, (_, place) => `This Agreement is governed by the laws of state number ${place}. => Nobody says this`)
    await page.getByLabel(/^Your sealed cases/).fill(sealed.join('\n'))
    await page.getByText('5 cases', { exact: true }).waitFor()
    await shoot(page, 'bounty-offer-1440-light')
    expect(await violations(page)).toEqual([])
    await page.getByRole('button', { name: 'Have it held' }).dblclick()
    await page.getByText('for the first model that gets 90 % of 5 sealed cases right').waitFor()
    expect(await page.locator('main').textContent()).not.toContain('state number')
    await page.getByLabel('Enter a model of yours').selectOption('clauses')
    await page.getByRole('button', { name: 'Have it examined' }).dblclick()
    await page.getByText('clauses got 0 %').waitFor()
    const { bounties } = await call<{ bounties: { status: string; entries: unknown[] }[] }>(studio.url, 'GET', '/api/market/bounties')
    expect(bounties).toMatchObject([{ status: 'open', entries: [{ model: 'clauses', passed: false }] }])
    await shoot(page, 'bounty-entered-1440-light')
    expect(await violations(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it('shows the examples that work: what curl is told, and what Python gets', async () => {
    const { page, context } = await studio.open()
    const { models } = await state()
    await page.goto(`${studio.url}/market/${models.find(({ name }) => name === 'contracts')!.modelId}`)
    const text = () => page.locator('pre').first().textContent()
    await page.locator('pre').first().waitFor()
    expect(execFileSync('bash', ['-c', (await text())!], { encoding: 'utf8' })).toMatch(/^HTTP\/1\.1 402/)
    await page.getByRole('button', { name: 'Python' }).click()
    // Where there is no Python, what it is given is looked at and not run.
    if (!existsSync('/usr/bin/python3')) expect(await text()).toContain('import ')
    else expect(execFileSync('python3', ['-c', (await text())!], { encoding: 'utf8' })).toMatch(/'tx': '0x/)
    await context.close()
  })
})

describe('Challenge', () => {
  it('says what was lost as plainly as what was won, gives all of it away, and the command to beat it', async () => {
    const { page, context, faults } = await studio.open()
    await page.goto(`${studio.url}/challenge`)
    const committed = JSON.parse(await readFile(join(root, 'docs', 'benchmark.json'), 'utf8'))
    const { all } = committed.sums
    const figures = page.locator('dl').first()
    await figures.waitFor()
    expect((await figures.locator('dd').allTextContents()).map(Number)).toEqual([all.loss, all.tie, all.win])
    // What is drawn is said in the table, and by name to who cannot see it.
    const plot = await page.getByRole('img', { name: /^Difference on each task/ }).getAttribute('aria-label')
    for (const { task, comparison } of committed.tasks) {
      // What was not measured is named in the table and not drawn.
      expect(plot!.includes(task), task).toBe(comparison !== null)
      expect(await page.getByRole('rowheader', { name: task }).count()).toBe(1)
    }
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^Download all answers/ }).click()])
    expect(JSON.parse(await readFile((await download.path())!, 'utf8')).format).toBe('modelfactory/quality@1')
    const task = committed.tasks.at(-1).task as string
    await page.getByLabel('Task to enter').selectOption(task)
    await page.getByText(`npx modelfactory bench --task ${task} --challenger ./my-entry`).waitFor()
    await picture(page, 'challenge')
    expect(faults).toEqual([])
    await context.close()
  })

  it('shows an expert every setting of a model, its curve and its log, and exports it', async () => {
    const { page, context, faults } = await studio.open()
    await page.goto(`${studio.url}/challenge`)
    await page.getByRole('link', { name: 'contracts', exact: true }).click()
    const { recipe } = await call<{ recipe: Record<string, unknown> }>(studio.url, 'GET', '/api/models/contracts/anatomy')
    expect(Object.keys(recipe).length).toBeGreaterThan(15)
    for (const name of Object.keys(recipe)) await page.getByRole('rowheader', { name: new RegExp(`^${name}\\b`) }).waitFor()
    await page
      .getByRole('img', { name: /loss|step/i })
      .first()
      .waitFor()
    await page.getByText(/Package 0x[0-9a-f]{64}/).waitFor()
    await page.getByRole('button', { name: 'Make it: gguf-lora' }).click()
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /\.gguf$/ }).click()])
    expect((await readFile((await file.path())!)).subarray(0, 4).toString()).toBe('GGUF')
    expect(faults).toEqual([])
    await context.close()
  })
})

describe('Operate', () => {
  it('says how the gateway is, and what broke since, without being asked again', async () => {
    const { page, context, faults } = await studio.open()
    await page.goto(`${studio.url}/operate`)
    await page.getByText('All is well. Nothing needs you.').waitFor()
    await picture(page, 'operate')
    await page.getByText('eip155:31337').waitFor()
    const { models } = await call<{ models: { inMemory: string[] } }>(studio.url, 'GET', '/api/operate')
    expect(models.inMemory.length).toBeGreaterThan(0)
    for (const name of models.inMemory) await page.getByText(name, { exact: true }).first().waitFor()
    // Asked anew by itself: a payment made meanwhile moves the newest block on the page.
    await call(studio.url, 'POST', '/api/wallet/fund', {})
    const { chain } = await call<{ chain: { newest: { block: number } } }>(studio.url, 'GET', '/api/operate')
    await page.getByText(new RegExp(`^${chain.newest.block},`)).waitFor({ timeout: 15_000 })
    expect(faults).toEqual([])
    await context.close()
  })

  it('is for the owner alone, and tells others what to do', async () => {
    const { page, context } = await studio.open()
    await context.setExtraHTTPHeaders({ 'x-forwarded-for': '203.0.113.7' })
    await page.goto(`${studio.url}/operate`)
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('alert').textContent()).toMatch(/owner alone.*sign in with the wallet/s)
    await context.close()
  })
})

describe('every page, in both themes and widths', () => {
  const paths = [
    '/market',
    '/market/contracts',
    '/market/wallet',
    '/market/wanted',
    '/market/compare',
    '/market/audition',
    '/challenge',
    '/expert/contracts',
    '/operate',
    '/nowhere',
  ]
  for (const width of WIDTHS)
    for (const scheme of SCHEMES)
      it(`${width} px, ${scheme}: axe finds nothing, nothing is wider than the window`, async () => {
        const locale = scheme === 'light' ? 'en-GB' : 'es-ES'
        const { page, context } = await studio.open({ width, scheme, locale })
        for (const path of paths) {
          await page.goto(studio.url + path)
          await page.waitForLoadState('networkidle')
          await page.getByRole('heading', { level: 1 }).waitFor()
          expect(await violations(page), path).toEqual([])
          expect(await overflow(page), path).toBeLessThanOrEqual(0)
          await shoot(page, `${path.slice(1).replaceAll('/', '-')}-${width}-${scheme}`)
        }
        expect(await page.evaluate(() => document.documentElement.lang)).toBe(scheme === 'light' ? 'en' : 'es')
        await context.close()
      })

  it('keeps the language and the colours somebody chose, whatever the system says', async () => {
    const { page, context } = await studio.open()
    await page.goto(`${studio.url}/operate`)
    await page.getByLabel('Language').selectOption('es')
    await page.getByRole('heading', { level: 1, name: 'Operar' }).waitFor()
    await page.getByLabel('Colores').selectOption('dark')
    await page.reload()
    await page.getByRole('heading', { level: 1, name: 'Operar' }).waitFor()
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(17, 22, 23)')
    await page.getByRole('link', { name: 'Reto' }).click()
    await page.getByRole('heading', { level: 1, name: 'Supéralo' }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { level: 1, name: 'Operar' }).waitFor()
    await context.close()
  })
})
