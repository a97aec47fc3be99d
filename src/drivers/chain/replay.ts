/**
 * Replay: an anvil brought to where the journal says the chain was, block for block. Knows nothing of contracts.
 */
import type { PublicClient } from 'viem'
import { BaseError } from '../../core/errors.ts'
import type { Hex } from '../../core/listing.ts'
import type { Journal, JournaledTransaction } from '../../ports/database.ts'
import type { Anvil } from './anvil.ts'
import { snapshots } from './snapshot.ts'

type Mined = JournaledTransaction & { block: number; timestamp: number }
export type Rebuilt = { anvil: Anvil; sequence: number; replayed: number }
type Receipt = { blockNumber: Hex; status: Hex }

/**
 * Starts from the newest snapshot that proves right, or from genesis, and replays the rest.
 * @returns the sequence of the last transaction that was in the snapshot, 0 without one, and how many were replayed.
 */
export async function rebuild(options: { start: () => Promise<Anvil>; folder: string; journal: Journal }): Promise<Rebuilt> {
  const { start, folder, journal } = options
  for await (const snapshot of snapshots(folder, (sequence) => journal.hashAt(sequence))) {
    const anvil = await start()
    try {
      await rpc(anvil.url, 'anvil_loadState', [snapshot.state])
      const block = await rpc<{ hash: Hex; number: Hex }>(anvil.url, 'eth_getBlockByNumber', ['latest', false])
      if (block.hash !== snapshot.blockHash || Number(block.number) !== snapshot.block) throw new ReplayError('the snapshot holds another block than it says')
      const tail = inOrder(await journal.all({ afterSequence: snapshot.sequence }))
      await replay(anvil, journal, tail)
      return { anvil, sequence: snapshot.sequence, replayed: tail.length }
    } catch {
      // An older snapshot or genesis may do better.
      await anvil.close()
    }
  }
  const anvil = await start()
  try {
    const all = inOrder(await journal.all())
    await replay(anvil, journal, all)
    return { anvil, sequence: 0, replayed: all.length }
  } catch (error) {
    await anvil.close()
    throw error
  }
}

/** What was mined, block by block. Wallets' own transactions are journaled after the fact, so sequences do not say what came first. */
function inOrder(journaled: readonly JournaledTransaction[]): Mined[] {
  const mined = journaled.filter((transaction): transaction is Mined => transaction.block !== null && transaction.timestamp !== null)
  return mined.sort((one, other) => one.block - other.block || one.sequence - other.sequence)
}

async function replay(anvil: Anvil, journal: Journal, transactions: readonly Mined[]): Promise<void> {
  for (const { sequence, hash, raw, block, timestamp, status } of transactions) {
    try {
      await rpc(anvil.url, 'evm_setNextBlockTimestamp', [timestamp])
      // EIP-7966: answers with the receipt, which saves a round of polling for each transaction.
      const receipt = await rpc<Receipt>(anvil.url, 'eth_sendRawTransactionSync', [raw])
      const found = { block: Number(receipt.blockNumber), status: Number(receipt.status) === 1 ? ('success' as const) : ('reverted' as const) }
      // Where the past cannot be had back (a wallet's own transaction that a kill lost), the journal follows the chain.
      if (found.block !== block || found.status !== status) await journal.mined(hash, { ...found, timestamp })
    } catch (error) {
      throw new ReplayError(`The embedded chain's journal does not replay at transaction ${sequence} (${hash}). Restore the data folder from a copy.`, {
        cause: error,
      })
    }
  }
}

/** Journals the transactions of blocks that others made, so that they are there after a restart. */
export async function adopt(options: { client: PublicClient; journal: Journal; from: number; to: number }): Promise<void> {
  const { client, journal, from, to } = options
  for (let number = from; number <= to; number++) {
    const block = await client.getBlock({ blockNumber: BigInt(number), includeTransactions: true })
    for (const transaction of block.transactions) {
      if (await journal.find(transaction.hash)) continue
      const raw = await rpc<Hex>(client.transport.url as string, 'eth_getRawTransactionByHash', [transaction.hash])
      const receipt = await client.getTransactionReceipt({ hash: transaction.hash })
      await journal.append({ hash: transaction.hash, raw, from: transaction.from, nonce: transaction.nonce, purpose: 'wallet' })
      await journal.mined(transaction.hash, { block: number, timestamp: Number(block.timestamp), status: receipt.status })
    }
  }
}

let requests = 0

/** One JSON-RPC call without the layers of a client, for thousands in a row. */
export async function rpc<Result>(url: string, method: string, parameters: readonly unknown[]): Promise<Result> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++requests, method, params: parameters }),
  })
  const reply = (await response.json()) as { result: Result; error?: { message: string } }
  if (reply.error) throw new ReplayError(`${method}: ${reply.error.message}`)
  return reply.result
}

/** Anvil did not take what the journal holds. */
export class ReplayError extends BaseError {
  override readonly name = 'Chain.ReplayError'
}
