/**
 * Evidence from a node by JSON-RPC: a log, and the Merkle-Patricia proofs that lead from its receipt and its transaction to the
 * block's hash, built from all receipts and transactions of the block. Every root is compared with the header, and the header
 * with the block's hash, before anything is handed out. Knows nothing of passports.
 */
import { createPublicClient, type Hex, http, keccak256, type PublicClient, parseEventLogs, serializeTransaction, toRlp } from 'viem'
import { BaseError, refuse } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import type { Proof } from '../../core/passport.ts'
import type { Chain } from '../../ports/chain.ts'
import type { Evidence } from '../../ports/evidence.ts'
import { modelRegistry, royaltyRouter, royaltyShares } from '../chain/contracts.generated.ts'
import { sharesDeployment } from '../chain/deploy.ts'
import { proveEntry } from './trie.ts'

type RawBlock = Record<string, string> & { transactions: Hex[] }
type RawLog = { address: Hex; topics: Hex[]; data: Hex }
type RawReceipt = {
  type?: Hex
  status: Hex
  cumulativeGasUsed: Hex
  logsBloom: Hex
  logs: RawLog[]
  transactionIndex: Hex
  depositNonce?: Hex
  depositReceiptVersion?: Hex
}

/** The header's fields in the order of the yellow paper, then those that later forks appended. */
const always = [
  'parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom',
  'difficulty number gasLimit gasUsed timestamp extraData mixHash nonce',
].flatMap((line) => line.split(' '))
const appended = ['baseFeePerGas', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot', 'requestsHash']
const quantities = new Set(['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas', 'blobGasUsed', 'excessBlobGas'])

export function rpcEvidence(options: { chain: Pick<Chain, 'contracts'>; url: () => string; fromBlock?: bigint; timeoutMilliseconds?: number }): Evidence {
  const { contracts } = options.chain
  const { fromBlock = 0n, timeoutMilliseconds = 10_000 } = options
  const client = (): PublicClient => createPublicClient({ transport: http(options.url(), { timeout: timeoutMilliseconds, retryCount: 1 }) })
  const gone = (tx: Hex) =>
    refuse('evidence_gone', `The chain does not hold the transaction ${tx}.`, 'Ask again when it is mined; a node that prunes its history may have dropped it.')

  return {
    async payment({ tx, modelId, payer, requestHash, nonce: authorization }) {
      const node = client()
      const receipt = await node.getTransactionReceipt({ hash: tx }).catch(unlessMissing)
      if (!receipt) return gone(tx)
      const event = parseEventLogs({ abi: royaltyRouter.abi, eventName: 'QueryPaid', logs: receipt.logs }).find(
        ({ address, args }) =>
          same(address, contracts.router) &&
          same(args.modelId, modelId) &&
          same(args.payer, payer) &&
          same(args.requestHash, requestHash) &&
          (authorization === undefined || same(args.nonce, authorization)),
      )
      if (!event)
        return refuse(
          'payment_not_routed',
          `The transaction ${tx} moved the money without the router, so the chain does not say for which query.`,
          'There is no passport for such a payment; the receipt stands.',
        )
      const { builder, amount, nonce } = event.args
      const proof = await prove(node, Number(receipt.blockNumber), tx)
      return {
        builder,
        amount,
        nonce,
        tx,
        block: Number(receipt.blockNumber),
        logIndex: receipt.logs.findIndex((log) => log.logIndex === event.logIndex),
        proof,
      }
    },

    async publication({ modelId, packageId, until }) {
      const node = client()
      const events = await node.getContractEvents({
        address: contracts.registry,
        abi: modelRegistry.abi,
        eventName: 'VersionPublished',
        args: { modelId },
        fromBlock,
        toBlock: BigInt(until),
        strict: true,
      })
      const event = events.findLast(({ args }) => same(args.packageHash, packageId))
      if (!event)
        return refuse(
          'version_not_published',
          `The chain does not say that the package ${packageId} was published under the model ${modelId} before it was paid for.`,
          'There is no passport for such an answer; the receipt stands.',
        )
      const { transactionHash: tx, blockNumber } = event
      const receipt = await node.getTransactionReceipt({ hash: tx }).catch(unlessMissing)
      if (!receipt) return gone(tx)
      const logIndex = receipt.logs.findIndex((log) => log.logIndex === event.logIndex)
      return { version: event.args.version, tx, block: Number(blockNumber), logIndex, proof: await prove(node, Number(blockNumber), tx) }
    },

    async holders(payout) {
      const node = client()
      const code = await node.getCode({ address: payout })
      if (!code || code === '0x') return undefined
      const answered = await node.readContract({ address: payout, abi: royaltyShares.abi, functionName: 'holders' }).catch(() => undefined)
      if (!answered) return undefined
      const [recipients, shares] = answered
      const holders = recipients.map((recipient, place) => ({ recipient: recipient as Address, shares: shares[place]! }))
      // Only the address commits a contract to what it says of its holders.
      const deployment = sharesDeployment(contracts.token, holders)
      return 'refused' in deployment || !same(deployment.address, payout) ? undefined : holders
    },
  }
}

/** The proofs of one transaction. @throws {EvidenceError} when what the node says does not add up to the block's hash. */
async function prove(client: PublicClient, block: number, tx: Hex): Promise<Proof> {
  const number: Hex = `0x${block.toString(16)}`
  const ask = client.request as (call: { method: string; params: unknown[] }) => Promise<unknown>
  const found = (await ask({ method: 'eth_getBlockByNumber', params: [number, false] })) as RawBlock | null
  const index = found?.transactions.findIndex((hash) => same(hash, tx)) ?? -1
  if (!found || index < 0) throw new EvidenceError(`Block ${block} does not hold the transaction ${tx}`)
  const header = headerOf(found)
  if (keccak256(header) !== found.hash) throw new EvidenceError(`The header of block ${block} does not hash to ${found.hash}`)
  const receipts = (await ask({ method: 'eth_getBlockReceipts', params: [number] })) as RawReceipt[]
  const ordered = receipts.toSorted((one, other) => Number(one.transactionIndex) - Number(other.transactionIndex)).map(receiptOf)
  const transactions = await Promise.all(found.transactions.map((hash) => signedTransaction(client, hash)))
  const [receipt, transaction] = await Promise.all([proveEntry(ordered, index), proveEntry(transactions, index)])
  if (receipt.root !== found.receiptsRoot) throw new EvidenceError(`The receipts of block ${block} do not make its receipts root`)
  if (transaction.root !== found.transactionsRoot) throw new EvidenceError(`The transactions of block ${block} do not make its transactions root`)
  return { header, index, receipt: receipt.value, receiptNodes: receipt.nodes, transaction: transaction.value, transactionNodes: transaction.nodes }
}

function headerOf(block: RawBlock): Hex {
  const fields = [...always, ...appended.filter((name) => block[name] !== undefined && block[name] !== null)]
  return toRlp(fields.map((name) => (quantities.has(name) ? quantity(block[name]!) : (block[name] as Hex))))
}

/** EIP-2718: a typed receipt has its type before the list. A deposit of an OP chain carries its nonce and version as well. */
function receiptOf(receipt: RawReceipt): Hex {
  const { status, cumulativeGasUsed, logsBloom, logs, depositNonce, depositReceiptVersion } = receipt
  const deposit = [depositNonce, depositReceiptVersion].flatMap((value) => (value === undefined ? [] : [quantity(value)]))
  const list = toRlp([quantity(status), quantity(cumulativeGasUsed), logsBloom, logs.map(({ address, topics, data }) => [address, topics, data]), ...deposit])
  return typed(receipt.type, list)
}

function typed(type: string | undefined, list: Hex): Hex {
  return type === undefined || BigInt(type) === 0n ? list : `0x${BigInt(type).toString(16).padStart(2, '0')}${list.slice(2)}`
}

/** The transaction as it was signed: asked for, or, from a node that does not tell, put together again from its fields. */
async function signedTransaction(client: PublicClient, hash: Hex): Promise<Hex> {
  const ask = client.request as (call: { method: string; params: unknown[] }) => Promise<unknown>
  const raw = await ask({ method: 'eth_getRawTransactionByHash', params: [hash] }).catch(() => undefined)
  if (typeof raw === 'string' && keccak256(raw as Hex) === hash) return raw as Hex
  const { r, s, v, yParity, ...transaction } = await client.getTransaction({ hash })
  const made = serializeTransaction(
    { ...transaction, data: transaction.input } as never,
    { r: r!, s: s!, ...(yParity === undefined ? { v: v! } : { yParity }) } as never,
  )
  if (keccak256(made) !== hash) throw new EvidenceError(`The transaction ${hash} cannot be put together as it was signed`)
  return made
}

/** RLP's form of a number: no leading zeros, and nothing for zero. */
function quantity(value: string): Hex {
  const digits = BigInt(value).toString(16)
  return digits === '0' ? '0x' : `0x${digits.length % 2 ? '0' : ''}${digits}`
}

function unlessMissing(error: unknown): undefined {
  if ((error as Error).name === 'TransactionReceiptNotFoundError') return undefined
  throw error
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** A node whose words do not make the hash that it says they make. */
export class EvidenceError extends BaseError {
  override readonly name = 'Passport.EvidenceError'
  constructor(what: string) {
    super(`${what}: the node, or a kind of block that is not known here, stands in the way.`)
  }
}
