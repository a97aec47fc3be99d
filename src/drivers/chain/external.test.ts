/** An external chain against the suite, and what only such a chain does: waits, reorganises, answers wrongly, costs gas. */
import { setTimeout as sleep } from 'node:timers/promises'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { hashText } from '../../core/id.ts'
import type { Hex } from '../../core/listing.ts'
import { random } from '../../core/report.ts'
import { authorize, chainSuite } from '../../ports/chain.suite.ts'
import type { Authorization, Chain, Settlement } from '../../ports/chain.ts'
import { OUTSIDE, type Outside, outside } from './external.suite.ts'
import { openExternalChain } from './external.ts'
import { faultyNode, nodeFaults } from './faulty-node.suite.ts'

for (const manner of ['alone', 'together'] as const)
  chainSuite(`external, payments ${manner}`, async () => {
    const world = await outside()
    const chain = await world.open({ manner, relayers: 2 })
    const close = async () => {
      await chain.close()
      await world.close()
    }
    const [owner, other] = [await world.keystore.account('owner'), await world.keystore.account('other')]
    return { chain: { ...chain, fund: world.fund }, owner, other, close }
  })

describe('an external chain', () => {
  const price = 10n ** 16n
  const requestHash = hashText('request')
  let world: Outside
  let chain: Chain
  let modelId: Hex
  const payer = privateKeyToAccount(generatePrivateKey())
  const payout = privateKeyToAccount(generatePrivateKey()).address
  const settle = (authorization: Authorization) => chain.settle({ modelId, requestHash, authorization })
  const earned = async (at: { blockNumber?: bigint } = {}) =>
    (await world.client.readContract({ address: chain.contracts.token, abi, functionName: 'balanceOf', args: [payout], ...at })) as bigint
  const abi = [
    { type: 'function', name: 'balanceOf', stateMutability: 'view', inputs: [{ type: 'address', name: 'a' }], outputs: [{ type: 'uint256', name: '' }] },
  ] as const

  beforeEach(async () => {
    world = await outside()
    chain = await world.open({ relayers: 3 })
    const registered = await chain.register({ owner: await world.keystore.account('owner'), slug: 'hearts', payout, price })
    if (isRefusal(registered)) throw new Error(registered.message)
    modelId = registered.modelId
    await world.fund(payer.address, 1000n * price)
  })
  afterEach(async () => {
    await chain.close()
    await world.close()
  })

  it('pays a higher fee for what is not mined in time, and knows it by either hash', async () => {
    await world.node('evm_setAutomine', [false])
    const asked = settle(await authorize(chain, payer, payout))
    const pooled = async () => {
      const { pending } = await world.node<{ pending: Record<string, Record<string, { hash: Hex; maxFeePerGas: Hex }>> }>('txpool_content')
      return Object.values(pending).flatMap((byNonce) => Object.values(byNonce))
    }
    await expect.poll(async () => (await pooled()).length).toBe(1)
    const [first] = await pooled()
    await expect.poll(async () => (await pooled())[0]?.hash, { timeout: 5_000 }).not.toBe(first!.hash)
    const [second] = await pooled()
    expect(BigInt(second!.maxFeePerGas)).toBeGreaterThan((BigInt(first!.maxFeePerGas) * 110n) / 100n)
    expect((await world.database.journal.unmined()).length).toBeGreaterThan(1)
    await world.node('evm_mine')
    await world.node('evm_setAutomine', [true])
    const settled = (await asked) as Extract<Settlement, { status: 'settled' }>
    expect(settled).toMatchObject({ status: 'settled', final: false })
    expect(settled.tx).not.toBe(first!.hash)
    expect(await earned()).toBe(price)
    const journal = (await world.database.journal.all()).filter(({ purpose }) => purpose.startsWith('settle '))
    expect(journal).toMatchObject([{ hash: settled.tx, status: 'success' }])
  })

  it('says that it does not know while nothing is mined, and goes on after a restart', async () => {
    await world.node('evm_setAutomine', [false])
    await chain.close()
    chain = await world.open({ patience: { receiptMilliseconds: 300, resendMilliseconds: 60_000, pollMilliseconds: 10 } })
    const authorization = await authorize(chain, payer, payout)
    expect(await settle(authorization)).toMatchObject({ status: 'unknown' })
    expect(await chain.settlement(authorization)).toMatchObject({ status: 'unknown' })
    await chain.close()
    // The node forgets it too.
    await world.node('anvil_dropAllTransactions')
    chain = await world.open()
    expect(await chain.settlement(authorization)).toMatchObject({ status: 'unknown' })
    await world.node('evm_mine')
    await world.node('evm_setAutomine', [true])
    await expect.poll(async () => (await settle(authorization)).status, { timeout: 20_000 }).toBe('settled')
    expect(await earned()).toBe(price)
  })

  it('makes a payment again whose block was reorganised away, once, and calls it final when it is deep', async () => {
    await chain.close()
    chain = await world.open({ confirmations: 4 })
    const authorizations = await Promise.all(Array.from({ length: 3 }, () => authorize(chain, payer, payout)))
    const before: Settlement[] = []
    for (const authorization of authorizations) before.push(await settle(authorization))
    expect(before.map((settlement) => settlement.status === 'settled' && settlement.final)).toEqual([false, false, false])
    // At the height of before: by the time the answer is here, a payment may stand above it again.
    const blockNumber = await world.client.getBlockNumber()
    await world.node('anvil_reorg', [3, []])
    expect(await earned({ blockNumber })).toBe(0n)
    await expect.poll(() => earned(), { timeout: 20_000 }).toBe(3n * price)
    expect(await chain.queriesPaid()).toHaveLength(3)
    for (let block = 0; block < 5; block++) await world.node('evm_mine')
    await expect
      .poll(async () =>
        (await Promise.all(authorizations.map((authorization) => chain.settlement(authorization)))).map((one) => one?.status === 'settled' && one.final),
      )
      .toEqual([true, true, true])
    expect(await earned()).toBe(3n * price)
    expect(await world.database.journal.paid()).toHaveLength(3)
  })

  it('warns when a relayer has little gas left', async () => {
    expect(await chain.warnings()).toEqual([])
    const { address } = await world.keystore.account('relayer-2')
    await world.node('anvil_setBalance', [address, '0x1000000000000'])
    const poor = (await chain.pulse()).relayers.find((relayer) => relayer.address === address)!
    expect([poor.native, poor.payments < 200n]).toEqual([0x1000000000000n, true])
    expect(await chain.warnings()).toEqual([expect.stringMatching(new RegExp(`^The account ${address}.*Send it native coin\\.$`))])
    const { alone, together } = await chain.costs()
    expect(alone > together && together > 0n).toBe(true)
  })

  it('gives none of its money away, and refuses a wrong chain, one without contracts, and keys that everybody knows', async () => {
    expect(await chain.fund(payer.address, 1n)).toMatchObject({ code: 'no_faucet' })
    const { journal, settings } = world.database
    const common = { rpc: world.anvil.url, journal, settings, keystore: world.keystore }
    expect(await openExternalChain({ ...common, chainId: 1612 })).toMatchObject({ code: 'wrong_chain' })
    expect(await openExternalChain({ ...common, rpc: 'http://127.0.0.1:1', chainId: OUTSIDE })).toMatchObject({ code: 'chain_unreachable' })
    const known = { account: async (name: string) => ({ name, address: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266' as const }), names: async () => [] }
    expect(await openExternalChain({ ...common, keystore: known, chainId: OUTSIDE })).toMatchObject({ code: 'well_known_key' })
    await world.node('anvil_setCode', [chain.contracts.router, '0x'])
    expect(await openExternalChain({ ...common, chainId: OUTSIDE })).toMatchObject({ code: 'contracts_missing' })
  })

  it('keeps its own payments in the history, though the node hid their events until they were final', async () => {
    const node = await faultyNode(() => world.anvil.url)
    await chain.close()
    chain = await world.open({ rpc: node.url, confirmations: 1 })
    const before = (await chain.queriesPaid()).length
    node.fault = (method) => (method === 'eth_getLogs' ? 'blind' : undefined)
    const authorizations = await Promise.all(Array.from({ length: 3 }, () => authorize(chain, payer, payout)))
    for (const authorization of authorizations) expect((await settle(authorization)).status).toBe('settled')
    for (let block = 0; block < 3; block++) await world.node('evm_mine')
    const last = await world.node('eth_blockNumber', [])
    await expect.poll(() => world.database.journal.paidUntil(), { timeout: 20_000 }).toBeGreaterThanOrEqual(Number(last) - 1)
    node.fault = () => undefined
    const found = await chain.queriesPaid()
    expect(found).toHaveLength(before + 3)
    expect(new Set(found.map(({ nonce }) => nonce)).size).toBe(before + 3)
    await node.close()
  })

  it('pays each query once behind a node that times out, lies, forgets and repeats', async () => {
    const seed = Number(process.env.MODELFACTORY_FAULT_SEED ?? Math.floor(Math.random() * 1e9))
    const next = random(seed)
    const node = await faultyNode(() => world.anvil.url)
    await chain.close()
    const patience = { receiptMilliseconds: 1_500, resendMilliseconds: 400, pollMilliseconds: 10 }
    chain = await world.open({ rpc: node.url, relayers: 3, patience, requestMilliseconds: 400 })
    node.fault = () => (next() < 0.15 ? nodeFaults[Math.floor(next() * nodeFaults.length)] : undefined)
    const pay = async () => {
      const authorization = await authorize(chain, payer, payout)
      for (;;) {
        const settlement = await settle(authorization)
        if (settlement.status !== 'unknown') return settlement
        await sleep(20 + next() * 100)
      }
    }
    const outcomes = await Promise.all(Array.from({ length: 24 }, (_, place) => sleep(place * 40).then(pay)))
    node.fault = () => undefined
    const told = `seed ${seed}, faults ${JSON.stringify(node.counted)}`
    expect(
      outcomes.map((outcome) => (outcome.status === 'refused' ? outcome.code : outcome.status)),
      told,
    ).toEqual(Array(24).fill('settled'))
    expect(await earned(), told).toBe(24n * price)
    // A machine as busy as this one may need longer than the node is given here.
    await expect.poll(async () => (await chain.queriesPaid()).length, { message: told, timeout: 20_000 }).toBe(24)
    await node.close()
  })
})
