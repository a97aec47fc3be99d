/** The deployment script against real nodes: one that has the standard deployer, one that does not, and one of another chain id. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createPublicClient,
  createWalletClient,
  getContractAddress,
  http,
  parseEther,
  parseTransaction,
  recoverTransactionAddress,
  type TransactionSerializedLegacy,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterEach, describe, expect, it } from 'vitest'
import { isRefusal } from '../src/core/errors.ts'
import { type Anvil, startAnvil } from '../src/drivers/chain/anvil.ts'
import { royaltyRouter, royaltyShares } from '../src/drivers/chain/contracts.generated.ts'
import { deployer, deployments, keyless, missing, sharesDeployment } from '../src/drivers/chain/deploy.ts'
import { deploy } from './deploy.ts'

const richKey = generatePrivateKey()
const rich = privateKeyToAccount(richKey)
const known = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const nodes: Anvil[] = []
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close()
})

async function node(chainId: number, balance = parseEther('10')) {
  const folder = await mkdtemp(join(tmpdir(), 'modelfactory-test-deploy-'))
  const genesis = join(folder, 'genesis.json')
  const alloc = { [rich.address]: { balance: `0x${balance.toString(16)}` }, [privateKeyToAccount(known).address]: { balance: `0x${balance.toString(16)}` } }
  await writeFile(genesis, JSON.stringify({ config: { chainId }, timestamp: '0x1', gasLimit: '0x1c9c380', difficulty: '0x0', alloc }))
  const anvil = await startAnvil({ genesis, timestamp: 1_700_000_000, chainId, cache: join(folder, 'cache') })
  nodes.push(anvil)
  const client = createPublicClient({ transport: http(anvil.url), pollingInterval: 20, cacheTime: 0 })
  return { folder, client, url: anvil.url }
}

function run(url: string, folder: string, patch: { dryRun?: boolean; environment?: Record<string, string>; key?: string } = {}) {
  const lines: string[] = []
  const environment = patch.environment ?? { MODELFACTORY_DEPLOYER_KEY: patch.key ?? richKey }
  const done = deploy({ rpc: url, dryRun: patch.dryRun ?? false, data: folder, out: join(folder, 'out.json'), environment, say: (line) => lines.push(line) })
  return done.then((outcome) => ({ outcome, text: lines.join('\n') }))
}

describe('deploying', () => {
  it('puts everything on a fresh chain once, at the same addresses everywhere', async () => {
    const { url, folder, client } = await node(31337)
    const { contracts, steps } = deployments()
    const dry = await run(url, folder, { dryRun: true, environment: {} })
    expect(dry.outcome).toEqual({ sent: [] })
    for (const { address } of steps) expect(dry.text).toContain(address)
    expect(await missing(client)).toEqual(['WrappedOpen', 'RoyaltyRouter'])

    const first = await run(url, folder)
    expect((first.outcome as { sent: string[] }).sent).toHaveLength(2)
    expect(await client.readContract({ address: contracts.router, abi: royaltyRouter.abi, functionName: 'token' })).toBe(contracts.token)
    const record = JSON.parse(await readFile(join(folder, 'out.json'), 'utf8'))
    expect(record).toMatchObject({ chainId: 31337, contracts: { WrappedOpen: { address: contracts.token }, RoyaltyRouter: { address: contracts.router } } })

    const [height, nonce] = [await client.getBlockNumber(), await client.getTransactionCount({ address: rich.address })]
    expect((await run(url, folder)).outcome).toEqual({ sent: [] })
    expect([await client.getBlockNumber(), await client.getTransactionCount({ address: rich.address })]).toEqual([height, nonce])
    for (const text of [dry.text, first.text]) expect(text.toLowerCase()).not.toContain(richKey.slice(2))

    const other = await node(1612)
    await run(other.url, other.folder)
    expect(await missing(other.client)).toEqual([])
  })

  it('makes the deployer where it is absent, by the transaction nobody could have signed otherwise', async () => {
    expect(await recoverTransactionAddress({ serializedTransaction: keyless.raw as TransactionSerializedLegacy })).toBe(keyless.signer)
    expect(getContractAddress({ from: keyless.signer, nonce: 0n })).toBe(deployer)
    const { gas, gasPrice } = parseTransaction(keyless.raw) as { gas: bigint; gasPrice: bigint }
    expect(gas * gasPrice).toBe(keyless.cost)
    const { url, folder, client } = await node(1612)
    const standard = await client.getCode({ address: deployer })
    const erase = (method: string, value: string) => client.request({ method, params: [deployer, value] } as never)
    await erase('anvil_setCode', '0x')
    await erase('anvil_setNonce', '0x0')
    expect(await missing(client)).toEqual(['deployer', 'WrappedOpen', 'RoyaltyRouter'])
    expect((await run(url, folder)).outcome).toMatchObject({ sent: [expect.any(String), expect.any(String), expect.any(String)] })
    expect(await client.getCode({ address: deployer })).toBe(standard)
    expect(await missing(client)).toEqual([])
  })

  it('takes no development key off the embedded chain, and no purse that is too light', async () => {
    const { url, folder, client } = await node(1612, 10n ** 12n)
    expect((await run(url, folder, { key: known })).outcome).toMatchObject({ code: 'well_known_key' })
    expect((await run(url, folder)).outcome).toMatchObject({ code: 'deployer_without_gas', message: expect.stringContaining(rich.address) })
    expect(await client.getBlockNumber()).toBe(0n)
  })

  it('says what is wrong with its own input, and never shows a key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'modelfactory-test-deploy-'))
    expect((await run('', folder)).outcome).toMatchObject({ code: 'rpc_missing' })
    expect((await run('http://127.0.0.1:9', folder)).outcome).toMatchObject({ code: 'chain_unreachable' })
    const { url } = await node(1612)
    const malformed = await run(url, folder, { key: '0xc0ffee' })
    expect(malformed.outcome).toMatchObject({ code: 'key_malformed' })
    expect(JSON.stringify(malformed)).not.toContain('c0ffee')
    expect((await run(url, folder, { environment: {} })).outcome).toMatchObject({ code: 'passphrase_missing' })
    const keystore = await run(url, folder, { environment: { MODELFACTORY_PASSPHRASE: 'four words of mine' } })
    expect(keystore.outcome).toMatchObject({ code: 'deployer_without_gas' })
  })
})

describe('shares', () => {
  const token = deployments().contracts.token
  const holders = [
    { recipient: '0x2222222222222222222222222222222222222222', shares: 70n },
    { recipient: '0x1111111111111111111111111111111111111111', shares: 30n },
  ] as const

  it('stand at an address that says who holds them', async () => {
    const { url, folder, client } = await node(31337)
    await run(url, folder)
    const place = sharesDeployment(token, holders)
    if (isRefusal(place)) throw new Error(place.message)
    expect(sharesDeployment(token, holders.toReversed())).toEqual(place)
    const wallet = createWalletClient({ account: rich, transport: http(url) })
    await client.waitForTransactionReceipt({ hash: await wallet.sendTransaction({ to: deployer, data: place.data, chain: null }) })
    const [recipients, shares] = await client.readContract({ address: place.address, abi: royaltyShares.abi, functionName: 'holders' })
    const said = recipients.map((recipient, at) => ({ recipient, shares: shares[at]! }))
    expect(sharesDeployment(token, said)).toEqual(place)
    expect(sharesDeployment(token, said.with(0, { ...said[0]!, shares: 31n }))).not.toMatchObject({ address: place.address })
  })

  it('refuse what is no share', () => {
    expect(sharesDeployment(token, [])).toMatchObject({ code: 'holders_out_of_range' })
    expect(sharesDeployment(token, [holders[0], holders[0]])).toMatchObject({ code: 'recipient_twice' })
    expect(sharesDeployment(token, [{ ...holders[0], shares: 0n }])).toMatchObject({ code: 'share_out_of_range' })
    expect(sharesDeployment(token, [{ recipient: token, shares: 1n }])).toMatchObject({ code: 'recipient_invalid' })
  })
})
