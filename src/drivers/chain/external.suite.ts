/**
 * A plain anvil treated as a chain that others run: its accounts hold coin from the start, the contracts are deployed by hand,
 * and a bank gives OPEN away. Knows nothing of what is tested on it.
 */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPublicClient, createWalletClient, encodeFunctionData, http, type PublicClient } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { isRefusal, refuse } from '../../core/errors.ts'
import type { Chain } from '../../ports/chain.ts'
import type { Database } from '../../ports/database.ts'
import type { Keystore } from '../../ports/keystore.ts'
import { openDatabase } from '../database/pglite.ts'
import { openKeystore } from '../keystore/keystore.ts'
import { type Anvil, startAnvil } from './anvil.ts'
import { wrappedOpen } from './contracts.generated.ts'
import { deployContracts, deployments } from './deploy.ts'
import { type ExternalOptions, openExternalChain } from './external.ts'
import { rpc } from './replay.ts'

export const OUTSIDE = 31_338

export type Outside = {
  folder: string
  anvil: Anvil
  client: PublicClient
  database: Database
  keystore: Keystore
  /** The gateway's side, as often as it is asked for. */
  open(options?: Partial<ExternalOptions>): Promise<Chain>
  fund: Chain['fund']
  /** One call that gateways do not make. */
  node<Result>(method: string, parameters?: readonly unknown[]): Promise<Result>
  close(): Promise<void>
}

export async function outside(): Promise<Outside> {
  const folder = await mkdtemp(join(tmpdir(), 'modelfactory-test-outside-'))
  const database = await openDatabase({ folder: null })
  const keystore = await openKeystore({ folder: join(folder, 'keys'), passphrase: undefined, embedded: true })
  if (isRefusal(keystore)) throw new Error(keystore.message)
  const bank = privateKeyToAccount(generatePrivateKey())
  const rich = await Promise.all(['owner', 'other', 'relayer-1', 'relayer-2', 'relayer-3'].map((name) => keystore.account(name)))
  const genesis = join(folder, 'genesis.json')
  const alloc = Object.fromEntries([bank, ...rich].map(({ address }) => [address, { balance: `0x${(10n ** 24n).toString(16)}` }]))
  await writeFile(genesis, JSON.stringify({ config: { chainId: OUTSIDE }, timestamp: '0x1', gasLimit: '0x1c9c380', difficulty: '0x0', alloc }))
  const anvil = await startAnvil({ genesis, timestamp: Math.floor(Date.now() / 1000), chainId: OUTSIDE, cache: join(folder, 'cache'), keep: 'past' })
  const client: PublicClient = createPublicClient({ transport: http(anvil.url), cacheTime: 0, pollingInterval: 20 })
  const wallet = createWalletClient({ account: bank, transport: http(anvil.url) })
  const send = async (transaction: { to: `0x${string}`; data: `0x${string}`; value?: bigint; gas?: bigint }) => {
    const hash = await wallet.sendTransaction({ ...transaction, chain: null })
    const { status, blockNumber, logs } = await client.waitForTransactionReceipt({ hash })
    return { status, hash, block: Number(blockNumber), logs }
  }
  await deployContracts(client, { send: ({ to, data, value = 0n, gas }) => send({ to, data, value, gas }) }, { name: 'bank', address: bank.address })
  const { token } = deployments().contracts
  let giving: Promise<unknown> = Promise.resolve()

  return {
    folder,
    anvil,
    client,
    database,
    keystore,
    async open(options = {}) {
      const patience = { receiptMilliseconds: 5_000, resendMilliseconds: 1_000, pollMilliseconds: 10 }
      const common = { rpc: anvil.url, chainId: OUTSIDE, journal: database.journal, settings: database.settings, keystore, confirmations: 2, patience }
      const chain = await openExternalChain({ ...common, ...options })
      if (isRefusal(chain)) throw new Error(chain.message)
      return chain
    },
    async fund(to, value) {
      if (value <= 0n) return refuse('amount_out_of_range', `${value} is no amount the bank gives.`, 'Ask for another amount.')
      const given = giving.then(async () => {
        await send({ to: token, data: encodeFunctionData({ abi: wrappedOpen.abi, functionName: 'deposit' }), value })
        return send({ to: token, data: encodeFunctionData({ abi: wrappedOpen.abi, functionName: 'transfer', args: [to, value] }) })
      })
      giving = given.catch(() => {})
      return { tx: (await given).hash }
    },
    node: (method, parameters = []) => rpc(anvil.url, method, parameters),
    async close() {
      await anvil.close()
      await database.close()
    },
  }
}
