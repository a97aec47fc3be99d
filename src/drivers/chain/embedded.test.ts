/** The embedded chain against the suite, and across restarts of every kind. */
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPublicClient, createWalletClient, http, parseEther } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { hashText } from '../../core/id.ts'
import type { Hex } from '../../core/listing.ts'
import { authorize, chainSuite } from '../../ports/chain.suite.ts'
import type { Chain } from '../../ports/chain.ts'
import type { Database } from '../../ports/database.ts'
import type { Keystore } from '../../ports/keystore.ts'
import { openDatabase } from '../database/pglite.ts'
import { openKeystore } from '../keystore/keystore.ts'
import { wrappedOpen } from './contracts.generated.ts'
import { openEmbeddedChain } from './embedded.ts'
import { forgetful, saveSnapshot } from './snapshot.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'modelfactory-test-chain-'))

async function keys(folder: string): Promise<Keystore> {
  const keystore = await openKeystore({ folder: join(folder, 'keys'), passphrase: undefined, embedded: true })
  if (isRefusal(keystore)) throw new Error(keystore.message)
  return keystore
}

for (const manner of ['alone', 'together', 'by load'] as const)
  chainSuite(`embedded, payments ${manner}`, async () => {
    const folder = await temporary()
    const database = await openDatabase({ folder: null })
    const keystore = await keys(folder)
    const chain = await openEmbeddedChain({ folder: join(folder, 'chain'), journal: database.journal, settings: database.settings, keystore, manner })
    const close = async () => {
      await chain.close()
      await database.close()
    }
    return { chain, owner: await keystore.account('owner'), other: await keystore.account('other'), close }
  })

describe('payments under load', () => {
  it('go one by one while it is quiet, and together when they meet', async () => {
    const folder = await temporary()
    const database = await openDatabase({ folder: null })
    const keystore = await keys(folder)
    const chain = await openEmbeddedChain({ folder: join(folder, 'chain'), journal: database.journal, settings: database.settings, keystore })
    const owner = await keystore.account('owner')
    const payer = privateKeyToAccount(generatePrivateKey())
    const payout = privateKeyToAccount(generatePrivateKey()).address
    const { modelId } = (await chain.register({ owner, slug: 'hearts', payout, price: 10n ** 16n })) as { modelId: Hex }
    await chain.fund(payer.address, 10n ** 18n)
    const settle = async () => chain.settle({ modelId, requestHash: hashText('request'), authorization: await authorize(chain, payer, payout) })
    const transactions = async () => new Set((await chain.queriesPaid()).map(({ tx }) => tx)).size

    for (let one = 0; one < 3; one++) expect(await settle()).toMatchObject({ status: 'settled' })
    expect(await transactions()).toBe(3)
    const all = await Promise.all(Array.from({ length: 40 }, settle))
    expect(all.map(({ status }) => status)).toEqual(Array(40).fill('settled'))
    expect(await chain.queriesPaid()).toHaveLength(43)
    expect(await transactions()).toBeLessThan(3 + 20)
    const [batch] = (await database.journal.all()).filter(({ purpose }) => purpose.startsWith('settle ') && purpose.split(' ').length > 2)
    expect(batch).toMatchObject({ status: 'success' })
    await chain.close()
    await database.close()
  })
})

describe('embedded chain across restarts', () => {
  const price = 10n ** 16n
  const payer = privateKeyToAccount(generatePrivateKey())
  const payout = privateKeyToAccount(generatePrivateKey()).address
  const requestHash = hashText('request')
  let folder: string
  let database: Database
  let keystore: Keystore
  let chain: Chain
  let modelId: Hex

  const open = () => openEmbeddedChain({ folder: join(folder, 'chain'), journal: database.journal, settings: database.settings, keystore })
  /** The latest block's hash stands for every block before it. */
  const everything = async () => ({
    latest: (await createPublicClient({ transport: http(chain.network.rpc) }).getBlock()).hash,
    events: await chain.queriesPaid(),
    payer: await chain.balance(payer.address),
    builder: await chain.balance(payout),
    listing: await chain.listing(modelId),
    contracts: chain.contracts,
  })
  const states = async () => (await readdir(join(folder, 'chain'))).filter((name) => name.startsWith('state.'))

  beforeAll(async () => {
    folder = await temporary()
    database = await openDatabase({ folder: null })
    keystore = await keys(folder)
    chain = await open()
    const owner = await keystore.account('owner')
    modelId = ((await chain.register({ owner, slug: 'hearts', payout, price })) as { modelId: Hex }).modelId
    await chain.fund(payer.address, 100n * price)
  })
  afterAll(async () => {
    await chain.close()
    await database.close()
  })

  it('is the same after a close, after a lost snapshot and after a damaged one', async () => {
    // Valid now and expired at every replay: the replay must happen at the time it happened.
    const validBefore = BigInt(Math.floor(Date.now() / 1000) + 2)
    expect(await chain.settle({ modelId, requestHash, authorization: await authorize(chain, payer, payout, { validBefore }) })).toMatchObject({
      status: 'settled',
    })
    expect(await chain.settle({ modelId, requestHash, authorization: await authorize(chain, payer, payout) })).toMatchObject({ status: 'settled' })
    await new Promise((resolve) => setTimeout(resolve, 2_100))
    const before = await everything()
    const journal = await database.journal.all()
    await chain.close()
    expect(await states()).toHaveLength(1)

    chain = await open()
    expect(await everything()).toEqual(before)
    await chain.close()

    const [state] = await states()
    const path = join(folder, 'chain', state!)
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace(/("state":"0x.{2000})./, '$1_'))
    chain = await open()
    expect(await everything()).toEqual(before)
    await chain.close()

    await writeFile(path, text.slice(0, text.length / 2))
    chain = await open()
    expect(await everything()).toEqual(before)
    expect(await database.journal.all()).toEqual(journal)
  })

  it('is the same when its snapshot has forgotten all but the newest blocks', async () => {
    const before = await everything()
    await chain.close()
    const name = (await states()).sort().at(-1)!
    const snapshot = JSON.parse(await readFile(join(folder, 'chain', name), 'utf8'))
    const state = await forgetful(snapshot.state, 2)
    expect(state.length).toBeLessThan(snapshot.state.length)
    await saveSnapshot(join(folder, 'chain'), { ...snapshot, state })
    chain = await open()
    expect(await everything()).toEqual(before)
    const client = createPublicClient({ transport: http(chain.network.rpc) })
    await expect(client.getBlock({ blockNumber: 1n })).rejects.toThrow(/could not be found/)
  })

  it('takes new payments after a restart, valid now and not then', async () => {
    expect(await chain.settle({ modelId, requestHash, authorization: await authorize(chain, payer, payout) })).toMatchObject({ status: 'settled' })
    const expired = await authorize(chain, payer, payout, { validBefore: BigInt(Math.floor(Date.now() / 1000) - 1) })
    expect(await chain.settle({ modelId, requestHash, authorization: expired })).toMatchObject({ status: 'refused', code: 'authorization_expired' })
  })

  it('sends what was journaled and never sent', async () => {
    const authorization = await authorize(chain, payer, payout)
    const before = await everything()
    // A kill between the journal and the send: the transaction is settled in a copy of the chain whose every trace is lost.
    const settled = await chain.settle({ modelId, requestHash, authorization })
    const last = (await database.journal.all()).at(-1)!
    await chain.close()
    for (const name of await states()) await writeFile(join(folder, 'chain', name), '')
    await database.journal.discard(last.hash)
    await database.journal.append({ hash: last.hash, raw: last.raw, from: last.from, nonce: last.nonce, purpose: last.purpose })

    chain = await open()
    expect((await database.journal.all()).at(-1)).toMatchObject({ hash: last.hash, status: 'success' })
    expect(await chain.settlement(authorization)).toMatchObject({ status: 'settled', tx: (settled as { tx: Hex }).tx })
    expect((await everything()).events).toHaveLength(before.events.length + 1)
  })

  it('keeps what wallets did by themselves', async () => {
    const wallet = createWalletClient({ account: payer, transport: http(chain.network.rpc) })
    const native = (await chain.balance(payout)).native
    await wallet.sendTransaction({ to: payout, value: parseEther('0.25'), chain: null })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await chain.balance(payout)).native).toBe(native + parseEther('0.25'))
    expect(await chain.settle({ modelId, requestHash, authorization: await authorize(chain, payer, payout) })).toMatchObject({ status: 'settled' })
    const before = await everything()
    await chain.close()
    for (const name of await states()) await writeFile(join(folder, 'chain', name), '')
    chain = await open()
    expect(await everything()).toEqual(before)
  })

  it('takes a payment that somebody else sent for a payment, and a cancelled one for none', async () => {
    const wallet = createWalletClient({ account: payer, transport: http(chain.network.rpc) })
    const token = { address: chain.contracts.token, abi: wrappedOpen.abi, chain: null } as const
    const { to, ...front } = await authorize(chain, payer, payout)
    const { from, value, validAfter, validBefore, nonce, signature } = front
    const before = (await chain.balance(payout)).open
    const tx = await wallet.writeContract({
      ...token,
      functionName: 'transferWithAuthorization',
      args: [from, to, value, validAfter, validBefore, nonce, signature],
    })
    await expect.poll(async () => (await chain.balance(payout)).open).toBe(before + price)
    const settled = await chain.settle({ modelId, requestHash, authorization: { ...front, to } })
    expect(settled).toMatchObject({ status: 'settled', tx, payer: payer.address, builder: payout, amount: price, modelId })
    expect((await chain.balance(payout)).open).toBe(before + price)

    const cancelled = await authorize(chain, payer, payout)
    const cancellation = await payer.signTypedData({
      domain: { ...chain.token, chainId: 31337, verifyingContract: chain.contracts.token },
      types: {
        CancelAuthorization: [
          { name: 'authorizer', type: 'address' },
          { name: 'nonce', type: 'bytes32' },
        ],
      },
      primaryType: 'CancelAuthorization',
      message: { authorizer: payer.address, nonce: cancelled.nonce },
    })
    await wallet.writeContract({ ...token, functionName: 'cancelAuthorization', args: [payer.address, cancelled.nonce, cancellation] })
    await expect.poll(async () => (await chain.settlement(cancelled))?.status).toBe('refused')
    expect(await chain.settle({ modelId, requestHash, authorization: cancelled })).toMatchObject({ status: 'refused', code: 'authorization_cancelled' })
  })

  it.skipIf(process.platform !== 'linux')('raises a dead anvil again, and until then says that it does not know', async () => {
    const authorization = await authorize(chain, payer, payout)
    const before = await everything()
    for (const entry of await readdir('/proc')) {
      const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
      if (/anvil\0/.test(line) && line.includes(join(folder, 'chain', 'genesis.json')) && !line.includes('supervise')) process.kill(Number(entry), 'SIGKILL')
    }
    const asked = await chain.settle({ modelId, requestHash, authorization })
    // Another anvil may already be up when the payment is sent; refused or thrown it is never.
    expect(['unknown', 'settled']).toContain(asked.status)
    expect(JSON.stringify(asked, (_, value) => (typeof value === 'bigint' ? `${value}` : value))).not.toContain('http')
    await expect.poll(async () => (await chain.settle({ modelId, requestHash, authorization })).status, { timeout: 30_000 }).toBe('settled')
    const after = await everything()
    expect(after.builder.open).toBe(before.builder.open + price)
    expect(after.events.slice(0, -1)).toEqual(before.events)
  })

  it('answers no web page of another origin, under whatever name it comes, and has no account of its own', async () => {
    const { port } = new URL(chain.network.rpc)
    const ask = (headers: Record<string, string>, method = 'POST') =>
      new Promise<{ status: number; text: string; allowed: unknown }>((resolve, reject) => {
        const call = request({ port, host: '127.0.0.1', method, headers: { 'content-type': 'application/json', ...headers } }, async (reply) => {
          let text = ''
          for await (const chunk of reply) text += chunk
          resolve({ status: reply.statusCode!, text, allowed: reply.headers['access-control-allow-origin'] })
        })
        call.on('error', reject)
        call.end(method === 'POST' ? JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_accounts', params: [] }) : undefined)
      })
    for (const headers of [{ origin: 'https://elsewhere.example' }, { origin: 'null' }, { host: `elsewhere.example:${port}` }])
      expect(await ask(headers)).toMatchObject({ status: 403, text: expect.not.stringContaining('result'), allowed: undefined })
    expect(await ask({ origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' }, 'OPTIONS')).toMatchObject({ status: 403 })
    expect(await ask({ origin: `http://localhost:${port}` })).toMatchObject({ status: 200 })
    expect(JSON.parse((await ask({})).text)).toMatchObject({ result: [] })
  })

  it('says so when its keys were exchanged', async () => {
    await chain.close()
    await expect(
      openEmbeddedChain({ folder: join(folder, 'chain'), journal: database.journal, settings: database.settings, keystore: await keys(await temporary()) }),
    ).rejects.toThrow(/keys of this data folder are not those/)
    chain = await open()
  })
})
