/**
 * History: the QueryPaid events of final blocks, kept in the database, so that they are read from the node once and the node may
 * forget them. What is not final yet is asked of the node. Knows nothing of who is paid.
 */
import { type Log, type PublicClient, parseEventLogs } from 'viem'
import type { QueryPaid } from '../../core/earnings.ts'
import type { Address, Hex } from '../../core/listing.ts'
import type { Chain } from '../../ports/chain.ts'
import type { Journal } from '../../ports/database.ts'
import { royaltyRouter, wrappedOpen } from './contracts.generated.ts'

/** Blocks asked for at once; many nodes refuse more. */
const RANGE = 5_000
/** Ranges looked through for one authorization; older ones have run out. */
const MOST_RANGES = 40

export function paidHistory(options: { client: PublicClient; journal: Journal; router: Address; from: number }) {
  const { client, journal, router, from } = options

  const events = async (fromBlock: number, toBlock: number | undefined): Promise<(QueryPaid & { place: number })[]> => {
    const found = await client.getContractEvents({
      address: router,
      abi: royaltyRouter.abi,
      eventName: 'QueryPaid',
      fromBlock: BigInt(fromBlock),
      toBlock: toBlock === undefined ? 'latest' : BigInt(toBlock),
      strict: true,
    })
    return found.map(eventOf)
  }

  return {
    /**
     * Keeps everything up to this block, which must be final. `own` are logs of receipts known to be final: a node that is asked for the logs
     * of a range may forget some, or repeat an older answer, and what is kept is not asked for again, so our own payments do not hang on it.
     */
    async advance(until: number, own: readonly Log[] = []): Promise<void> {
      const known = parseEventLogs({ abi: royaltyRouter.abi, eventName: 'QueryPaid', logs: [...own] })
        .filter(({ address }) => address.toLowerCase() === router.toLowerCase())
        .map(eventOf)
      const standing = await journal.paidUntil()
      // Learnt of late: its block was kept without it.
      const late = known.filter(({ block }) => block <= standing)
      if (late.length) await journal.keepPaid(late, standing)
      for (let next = Math.max(from, standing + 1); next <= until; next += RANGE) {
        const last = Math.min(until, next + RANGE - 1)
        const found = [...(await events(next, last)), ...known]
        await journal.keepPaid(
          found.filter(({ block }) => block >= next && block <= last),
          last,
        )
      }
    },

    /** The transaction that used an authorization, or `cancelled`; undefined when the node does not say. */
    async authorizationUse(token: Address, payer: Address, nonce: Hex): Promise<Hex | 'cancelled' | undefined> {
      const latest = Number(await client.getBlockNumber())
      const ask = { address: token, abi: wrappedOpen.abi, args: { authorizer: payer, nonce } } as const
      // Backwards, since an authorization is used soon after it is signed.
      for (let last = latest, rounds = 0; last >= from && rounds < MOST_RANGES; last -= RANGE, rounds++) {
        const range = { fromBlock: BigInt(Math.max(from, last - RANGE + 1)), toBlock: BigInt(last) }
        const [use] = await client.getContractEvents({ ...ask, ...range, eventName: 'AuthorizationUsed' })
        if (use) return use.transactionHash
        const [cancellation] = await client.getContractEvents({ ...ask, ...range, eventName: 'AuthorizationCanceled' })
        if (cancellation) return 'cancelled'
      }
      return undefined
    },

    async paid({ modelId, builder, fromBlock = 0 }: NonNullable<Parameters<Chain['queriesPaid']>[0]> = {}): Promise<QueryPaid[]> {
      const until = await journal.paidUntil()
      const kept = fromBlock > until ? [] : await journal.paid({ ...(modelId && { modelId }), ...(builder && { builder }), fromBlock })
      const first = Math.max(from, until + 1, fromBlock)
      // Nodes refuse a range that starts after the latest block.
      if (BigInt(first) > (await client.getBlockNumber())) return kept
      const fresh = (await events(first, undefined)).filter(
        (event) =>
          (modelId === undefined || event.modelId === modelId.toLowerCase()) &&
          (builder === undefined || event.builder.toLowerCase() === builder.toLowerCase()),
      )
      return [...kept, ...fresh.map(({ place: _, ...event }) => event)]
    },
  }
}

/** Logs of a raw receipt have their numbers in hexadecimal, others as numbers; both are read. */
function eventOf(log: {
  args: Omit<QueryPaid, 'tx' | 'block'>
  transactionHash: Hex | null
  blockNumber: bigint | null
  logIndex: number | null
}): QueryPaid & { place: number } {
  return { ...log.args, tx: log.transactionHash!, block: Number(log.blockNumber), place: Number(log.logIndex) }
}
