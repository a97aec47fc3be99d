/**
 * Puts the contracts on a chain: `npx tsx scripts/deploy.ts --rpc URL [--dry-run] [--data DIR] [--out FILE]`. The same for a local
 * node, a test network and OpenLedger (chain 1612), with the same addresses on each; a second run finds everything and sends nothing.
 *
 * The URL may also come from MODELFACTORY_RPC. Who pays: the key in MODELFACTORY_DEPLOYER_KEY, or else the account "deployer" of the
 * keystore in the data folder, opened with MODELFACTORY_PASSPHRASE and made on first use. Neither is ever printed.
 * Knows nothing of what the contracts do.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { createPublicClient, createWalletClient, http, type LocalAccount, type PublicClient, BaseError as ViemError } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { BaseError, isRefusal, type Refusal, refuse } from '../src/core/errors.ts'
import type { Address, Hex } from '../src/core/listing.ts'
import { DeployError, deployContracts, deployer, deployments, keyless, missing, salt } from '../src/drivers/chain/deploy.ts'
import { type Outcome, shortMessage, type Writer } from '../src/drivers/chain/writer.ts'
import { localAccount, openKeystore, refuseKnownKeys } from '../src/drivers/keystore/keystore.ts'
import { repository } from './forge.ts'

/** What is kept of a deployment: enough to find, check and verify it. Sources are in `contracts/deployments/NAME.input.json`. */
export type DeploymentRecord = {
  chainId: number
  deployer: Address
  salt: Hex
  contracts: Record<string, { address: Address; constructorArguments: Hex; transaction: Hex | null }>
}

type Options = { rpc: string; dryRun: boolean; data: string; out: string | undefined; environment: NodeJS.ProcessEnv; say: (line: string) => void }

/** Runs one deployment, or says what it would do. Returns the transactions it sent. */
export async function deploy(options: Options): Promise<{ sent: Hex[] } | Refusal> {
  const { rpc, say } = options
  if (!/^https?:\/\/./.test(rpc))
    return refuse('rpc_missing', `"${rpc}" is no RPC address.`, 'Give one with --rpc or MODELFACTORY_RPC, such as http://127.0.0.1:8545.')
  const client: PublicClient = createPublicClient({ transport: http(rpc, { timeout: 30_000, retryCount: 1 }), pollingInterval: 250, cacheTime: 0 })
  let chainId: number
  let absent: string[]
  try {
    chainId = await client.getChainId()
    absent = await missing(client)
  } catch (error) {
    return refuse('chain_unreachable', `The chain does not answer: ${shortMessage(error)}.`, 'Check the RPC address.')
  }
  const { steps } = deployments()
  say(`Chain ${chainId}`)
  for (const { name, address } of [{ name: 'deployer', address: deployer }, ...steps])
    say(`  ${name.padEnd(14)} ${address}  ${absent.includes(name) ? 'missing' : 'there'}`)
  if (options.dryRun) {
    say(absent.length ? `Would deploy: ${absent.join(', ')}. Nothing was sent.` : 'Everything is there. Nothing was sent.')
    return { sent: [] }
  }
  const transactions = new Map<string, Hex>()
  if (absent.length) {
    const account = await payer(options)
    if (isRefusal(account)) return account
    const known = refuseKnownKeys(account.address, { chainId, test: chainId === 31337 })
    if (known) return known
    try {
      const short = await unaffordable(client, account.address, absent)
      if (short) return short
      say(`Paid by ${account.address}`)
      const report = (purpose: string, hash: Hex) => {
        transactions.set(purpose.replace(/^deploy /, ''), hash)
        say(`  ${purpose}: ${hash}`)
      }
      await deployContracts(client, sender(client, rpc, account, report), { name: 'deployer', address: account.address })
    } catch (error) {
      if (error instanceof DeployError) return refuse('not_deployed', error.message, 'What was deployed before stays; run this again when the cause is gone.')
      if (error instanceof ViemError)
        return refuse('chain_refused', `The chain refused: ${shortMessage(error)}.`, 'Nothing is lost; run this again when the cause is gone.')
      throw error
    }
  }
  keep(options, chainId, transactions)
  say(absent.length ? 'Done.' : 'Everything was there already. Nothing was sent.')
  return { sent: [...transactions.values()] }
}

async function payer({ data, environment }: Options): Promise<LocalAccount | Refusal> {
  const key = environment.MODELFACTORY_DEPLOYER_KEY?.trim()
  if (key) {
    try {
      return privateKeyToAccount((key.startsWith('0x') ? key : `0x${key}`) as Hex)
    } catch {
      // The reason viem gives would show the key.
      return refuse('key_malformed', 'MODELFACTORY_DEPLOYER_KEY is set, but is no private key.', 'Set it to 32 bytes in hex, or unset it to use the keystore.')
    }
  }
  const keystore = await openKeystore({ folder: join(data, 'keys'), passphrase: environment.MODELFACTORY_PASSPHRASE, embedded: false })
  return isRefusal(keystore) ? keystore : localAccount(await keystore.account('deployer'))
}

/** A refusal when the account cannot pay for what is missing. Estimated high: bytes of code cost 200 gas each, and calldata 16. */
async function unaffordable(client: PublicClient, address: Address, absent: readonly string[]): Promise<Refusal | undefined> {
  const { steps } = deployments()
  const bytes = steps.filter(({ name }) => absent.includes(name)).reduce((sum, { data }) => sum + data.length / 2, 0)
  const [{ maxFeePerGas }, held] = await Promise.all([client.estimateFeesPerGas(), client.getBalance({ address })])
  const needed = BigInt(bytes * 230 + 200_000) * maxFeePerGas + (absent.includes('deployer') ? keyless.cost : 0n)
  if (held >= needed) return undefined
  return refuse(
    'deployer_without_gas',
    `The account ${address} holds ${held} wei, and deploying needs up to ${needed}.`,
    'Send it native coin and run this again.',
  )
}

/** Sends one transaction at a time and waits for it; the journal of a running gateway is not needed for what can simply be repeated. */
function sender(client: PublicClient, rpc: string, account: LocalAccount, report: (purpose: string, hash: Hex) => void): Pick<Writer, 'send'> {
  const wallet = createWalletClient({ account, transport: http(rpc, { timeout: 30_000, retryCount: 0 }) })
  return {
    async send({ to, data, value = 0n, gas, purpose }): Promise<Outcome> {
      const hash = await wallet.sendTransaction({ to, data, value, gas, chain: null })
      report(purpose, hash)
      const { status, blockNumber, logs } = await client.waitForTransactionReceipt({ hash, timeout: 180_000 })
      return { status, hash, block: Number(blockNumber), logs }
    },
  }
}

function keep({ out, say }: Options, chainId: number, transactions: ReadonlyMap<string, Hex>): void {
  // Chain 31337 is another chain on every machine.
  const path = out ?? (chainId === 31337 ? undefined : join(repository, 'contracts/deployments', `${chainId}.json`))
  if (path === undefined) return
  const { contracts, steps } = deployments()
  const constructorArguments: Record<string, Hex> = { RoyaltyRouter: `0x${contracts.token.slice(2).toLowerCase().padStart(64, '0')}` }
  const record: DeploymentRecord = {
    chainId,
    deployer,
    salt,
    contracts: Object.fromEntries(
      steps.map(({ name, address }) => [
        name,
        { address, constructorArguments: constructorArguments[name] ?? '0x', transaction: transactions.get(name) ?? null },
      ]),
    ),
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`)
  say(`Kept in ${relative(process.cwd(), path) || path}`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const environment = process.env
  try {
    const { values } = parseArgs({
      options: { rpc: { type: 'string' }, 'dry-run': { type: 'boolean', default: false }, data: { type: 'string' }, out: { type: 'string' } },
    })
    const outcome = await deploy({
      rpc: values.rpc ?? environment.MODELFACTORY_RPC ?? '',
      dryRun: values['dry-run'],
      data: values.data ?? environment.MODELFACTORY_DATA ?? join(repository, '.modelfactory'),
      out: values.out,
      environment,
      say: (line) => console.log(line),
    })
    if (isRefusal(outcome)) {
      console.error(`${outcome.message} ${outcome.hint}`)
      process.exitCode = 1
    }
  } catch (error) {
    const usage = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
    if (!usage && !(error instanceof BaseError)) throw error
    console.error((error as Error).message)
    process.exitCode = usage ? 2 : 1
  }
}
