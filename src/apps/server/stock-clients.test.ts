/**
 * The gateway and other people's software: the README's snippet as it stands, openai with our own fetch, a header made by hand as
 * curl sends it, viem against the router. Unmodified @x402/fetch is in `chat.test.ts`.
 */
import { spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import OpenAI from 'openai'
import { createWalletClient, type Hex, http, publicActions } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dataFolder, modelfactory, root } from '../../../test/process.ts'
import { isRefusal } from '../../core/errors.ts'
import { hashText } from '../../core/id.ts'
import { royaltyRouter, wrappedOpen } from '../../drivers/chain/contracts.generated.ts'
import { openClient } from '../client/client.ts'
import { type Bench, canned, openBench, PRICE } from './bench.suite.ts'
import { type RunningServer, startServer } from './serve.ts'

let bench: Bench
let server: RunningServer
beforeAll(async () => {
  bench = await openBench()
  const started = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: '/nowhere' })
  if (isRefusal(started)) throw new Error(started.message)
  server = started
})
afterAll(async () => {
  await server.close()
  await bench.close()
})

const question = { model: 'heart', messages: [{ role: 'user' as const, content: 'What causes angina?' }] }
const held = async () => (await bench.chain.balance(bench.builder.address)).open

it('the README’s own program pays within its budget and keeps the passport', { timeout: 240_000 }, async () => {
  const [, snippet] = /```ts\n(import \{ openClient \}[\s\S]*?)```/.exec(await readFile(join(root, 'README.md'), 'utf8')) ?? []
  const key = generatePrivateKey()
  await bench.chain.fund(privateKeyToAccount(key).address, 10n * PRICE)
  const before = await held()
  // Inside the package, so that it imports itself by name as the snippet does.
  const folder = join(root, '.modelfactory')
  await mkdir(folder, { recursive: true })
  const file = join(folder, `snippet-${process.pid}.mts`)
  await writeFile(
    file,
    `${snippet!.replaceAll("'cardiology'", "'heart'")}\nconsole.log(JSON.stringify({ passport, text: reply.choices[0]?.message.content }))\n`,
  )
  try {
    const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd: root, env: { ...process.env, MODELFACTORY_URL: server.url, PAYER_KEY: key } })
    let [said, wrong] = ['', '']
    child.stdout.on('data', (chunk) => {
      said += chunk
    })
    child.stderr.on('data', (chunk) => {
      wrong += chunk
    })
    expect(await new Promise((resolve) => child.on('close', resolve)), wrong).toBe(0)
    expect(JSON.parse(said)).toMatchObject({ text: canned.text, passport: { format: 'modelfactory/passport@1', texts: { request: expect.any(String) } } })
  } finally {
    await rm(file)
  }
  expect((await held()) - before).toBe(PRICE)
})

it('an openai client streams through modelfactory/client, with nonces one after another', async () => {
  const { token } = bench.chain.contracts
  const client = await openClient({ url: server.url, account: bench.payer as never, network: 'eip155:31337', asset: token, maximum: PRICE })
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', fetch: client.fetch })
  for (const content of ['one', 'two']) {
    let text = ''
    const stream = await openai.chat.completions.create({ model: 'heart', messages: [{ role: 'user', content }], stream: true })
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe(canned.text)
  }
  const nonces = (await bench.chain.queriesPaid()).slice(-2).map(({ nonce }) => nonce)
  expect(BigInt(nonces[1]!) - BigInt(nonces[0]!)).toBe(1n)
  expect(client.paid().map(({ receipt }) => receipt)).toMatchObject([{ format: 'eip712' }, { format: 'eip712' }])
  expect(client.spentToday().total).toBe(2n * PRICE)
})

it('a header made by hand from the 402 is taken, as curl sends it, and gets no receipt it did not ask for', async () => {
  const before = await held()
  const url = `${server.url}/v1/chat/completions`
  const body = JSON.stringify({ ...question, messages: [{ role: 'user', content: 'By hand.' }] })
  const required = JSON.parse(Buffer.from((await fetch(url, { method: 'POST', body })).headers.get('payment-required')!, 'base64').toString())
  const [terms] = required.accepts
  const now = Math.floor(Date.now() / 1000)
  const authorization = {
    from: bench.payer.address,
    to: terms.payTo,
    value: terms.amount,
    validAfter: `${now - 60}`,
    validBefore: `${now + 600}`,
    nonce: generatePrivateKey(),
  }
  const signature = await bench.payer.signTypedData({
    domain: { name: terms.extra.name, version: terms.extra.version, chainId: Number(terms.network.split(':')[1]), verifyingContract: terms.asset },
    types: {
      TransferWithAuthorization: ['address from', 'address to', 'uint256 value', 'uint256 validAfter', 'uint256 validBefore', 'bytes32 nonce'].map((field) => {
        const [type, name] = field.split(' ') as [string, string]
        return { name, type }
      }),
    },
    primaryType: 'TransferWithAuthorization',
    message: authorization,
  })
  const header = Buffer.from(JSON.stringify({ x402Version: 2, accepted: terms, payload: { signature, authorization } })).toString('base64')
  const reply = await new Promise<{ code: number | null; out: string }>((resolve, reject) => {
    const curl = spawn('curl', [
      '-sS',
      '-i',
      '-X',
      'POST',
      url,
      '-H',
      'content-type: application/json',
      '-H',
      `PAYMENT-SIGNATURE: ${header}`,
      '--data-binary',
      body,
    ])
    let out = ''
    curl.stdout.on('data', (chunk) => {
      out += chunk
    })
    curl.on('error', reject)
    curl.on('close', (code) => resolve({ code, out }))
  })
  expect([reply.code, reply.out]).toEqual([0, expect.stringContaining(canned.text)])
  const settled = JSON.parse(Buffer.from(/payment-response: (\S+)/i.exec(reply.out)![1]!, 'base64').toString())
  expect([settled.success, settled.extensions, (await held()) - before]).toEqual([true, undefined, PRICE])
})

it('our command line pays from an imported wallet, keeps the passport with both texts, and verifies it against the node', { timeout: 300_000 }, async () => {
  const { data, remove } = await dataFolder()
  try {
    const run = async (...args: string[]) => {
      const done = await modelfactory([...args, '--json'], { data, env: { MODELFACTORY_URL: server.url } })
      expect(done.code, done.stderr).toBe(0)
      return done
    }
    const key = generatePrivateKey()
    await bench.chain.fund(privateKeyToAccount(key).address, 3n * PRICE)
    await writeFile(join(data, 'key'), key)
    await run('wallet', 'import', 'buyer', join(data, 'key'))
    const file = join(data, 'passport.json')
    const bought = await run('query', 'heart', 'From the command line.', '--wallet', 'buyer', '--passport', file)
    expect(Object.keys(bought.json).sort()).toEqual(['answer', 'receipt', 'sources', 'label', 'scores'].filter((name) => name in bought.json).sort())
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ texts: { request: expect.stringContaining('From the command line.'), answer: canned } })
    const verified = await run('verify', file, '--rpc', bench.chain.network.rpc)
    const open = (verified.json.checks as { code: string; outcome: string }[]).filter(({ outcome }) => outcome === 'open')
    expect(open.map(({ code }) => code)).toEqual(['word'])
    expect((await run('wallet', 'balance', 'buyer')).json).toMatchObject({ name: 'buyer', open: { atomic: `${2n * PRICE}` }, currency: 'test OPEN' })
  } finally {
    await remove()
  }
})

describe('viem against the router', () => {
  const wallet = () => createWalletClient({ account: bench.payer, transport: http(bench.chain.network.rpc), pollingInterval: 20 }).extend(publicActions)

  it('pays in the token after an approval, and in the native coin; both are counted as queries paid', { timeout: 120_000 }, async () => {
    const chain = wallet()
    const mined = async (hash: Hex) => expect((await chain.waitForTransactionReceipt({ hash, timeout: 30_000 })).status).toBe('success')
    const { token, router } = bench.chain.contracts
    const { data } = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { modelfactory: { modelId: Hex } }[] }
    const { modelId } = data[0]!.modelfactory
    const before = [await held(), (await bench.chain.balance(bench.builder.address)).native]
    await mined(await chain.writeContract({ address: token, abi: wrappedOpen.abi, functionName: 'approve', args: [router, PRICE], chain: null }))
    const args = [modelId, hashText('direct'), PRICE] as const
    await mined(await chain.writeContract({ address: router, abi: royaltyRouter.abi, functionName: 'payForQuery', args, chain: null }))
    const native = [modelId, hashText('native')] as const
    await mined(
      await chain.writeContract({ address: router, abi: royaltyRouter.abi, functionName: 'payForQueryNative', args: native, value: PRICE, chain: null }),
    )
    expect([await held(), (await bench.chain.balance(bench.builder.address)).native]).toEqual([before[0]! + PRICE, before[1]! + PRICE])
    const paid = (await bench.chain.queriesPaid()).slice(-2)
    expect(paid).toMatchObject([
      { requestHash: hashText('direct'), amount: PRICE },
      { requestHash: hashText('native'), amount: PRICE },
    ])
  })

  it('cannot pay less than the price, or more than it allowed', async () => {
    const chain = wallet()
    const { modelId } = (await bench.chain.queriesPaid())[0]!
    const pay = (functionName: 'payForQuery' | 'payForQueryNative', args: unknown[], value?: bigint) =>
      chain.simulateContract({
        address: bench.chain.contracts.router,
        abi: royaltyRouter.abi,
        functionName,
        args,
        ...(value === undefined ? {} : { value }),
      } as never)
    await expect(pay('payForQuery', [modelId, hashText('x'), PRICE - 1n])).rejects.toThrow('PriceExceedsMaximum')
    await expect(pay('payForQueryNative', [modelId, hashText('x')], PRICE - 1n)).rejects.toThrow('WrongAmount')
    await expect(pay('payForQueryNative', [modelId, hashText('x')], PRICE + 1n)).rejects.toThrow('WrongAmount')
  })
})
