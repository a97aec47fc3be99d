/**
 * What the registry, the router and the token said in a range of blocks, as the market's events, in their order. Knows nothing of what they are
 * kept for, nor of which blocks are final.
 */
import { type PublicClient, parseEventLogs, type Hex as ViemHex } from 'viem'
import type { Hex } from '../../core/listing.ts'
import type { MarketEvent } from '../../core/market.ts'
import type { Chain } from '../../ports/chain.ts'
import { modelRegistry, royaltyRouter, wrappedOpen } from './contracts.generated.ts'

const registryEvents = modelRegistry.abi.filter((item) => item.type === 'event')
const NOBODY = `0x${'00'.repeat(20)}`
const idOf = (token: bigint): Hex => `0x${token.toString(16).padStart(64, '0')}`

/** Blocks from `fromBlock` to `toBlock`, both included: a range that the node takes in one question. */
export async function marketEvents(
  client: PublicClient,
  contracts: Chain['contracts'],
  { fromBlock, toBlock }: { fromBlock: number; toBlock: number },
): Promise<MarketEvent[]> {
  const logs = await client.getLogs({
    address: [contracts.registry, contracts.router, contracts.token],
    fromBlock: BigInt(fromBlock),
    toBlock: BigInt(toBlock),
  })
  const at = (address: string) => logs.filter((log) => log.address.toLowerCase() === address.toLowerCase())
  const times = new Map<bigint, number>()
  for (const log of logs) {
    const told = (log as { blockTimestamp?: bigint | ViemHex }).blockTimestamp
    if (told !== undefined) times.set(log.blockNumber, Number(told))
    else if (!times.has(log.blockNumber)) times.set(log.blockNumber, Number((await client.getBlock({ blockNumber: log.blockNumber })).timestamp))
  }
  const where = (log: { blockNumber: bigint; logIndex: number }) => ({ block: Number(log.blockNumber), place: log.logIndex, at: times.get(log.blockNumber)! })
  const events: MarketEvent[] = []

  for (const log of parseEventLogs({ abi: registryEvents, logs: at(contracts.registry) })) {
    const here = where(log)
    switch (log.eventName) {
      case 'ModelRegistered': {
        const { modelId, owner, payout, price } = log.args
        events.push({ ...here, kind: 'registered', modelId, owner, payout, price })
        break
      }
      case 'VersionPublished': {
        const { modelId, version, packageHash, reportHash } = log.args
        events.push({ ...here, kind: 'version', modelId, version, packageId: packageHash, reportId: reportHash })
        break
      }
      case 'PriceChanged':
        events.push({ ...here, kind: 'price', modelId: log.args.modelId, price: log.args.price })
        break
      case 'PriceRiseScheduled':
        events.push({ ...here, kind: 'price-rise', modelId: log.args.modelId, price: log.args.price, effectiveAt: Number(log.args.effectiveAt) })
        break
      case 'ExamCommitted':
        events.push({ ...here, kind: 'exam', modelId: log.args.modelId, examRoot: log.args.examRoot })
        break
      case 'ExamAttempted':
        events.push({ ...here, kind: 'attempt', modelId: log.args.modelId, examRoot: log.args.examRoot, attempts: Number(log.args.attempts) })
        break
      case 'PayoutChanged':
        events.push({ ...here, kind: 'payout', modelId: log.args.modelId, payout: log.args.payout })
        break
      case 'ModelRetired':
        events.push({ ...here, kind: 'retired', modelId: log.args.modelId })
        break
      case 'Transfer': {
        // A model is a token of ERC-721; its first transfer is its registration.
        const { from, to, id } = log.args as { from: Hex; to: Hex; id: bigint }
        if (from !== NOBODY) events.push({ ...here, kind: 'owner', modelId: idOf(id), owner: to })
        break
      }
    }
  }

  const paid = parseEventLogs({ abi: royaltyRouter.abi, eventName: 'QueryPaid', logs: at(contracts.router) })
  const payments = new Map<string, number>()
  const keyOf = (tx: Hex | null, from: string, to: string, amount: bigint) => `${tx}:${from}:${to}:${amount}`.toLowerCase()
  for (const log of paid) {
    const { modelId, payer, builder, amount } = log.args
    events.push({ ...where(log), kind: 'paid', modelId, payer, builder, amount })
    const key = keyOf(log.transactionHash, payer, builder, amount)
    payments.set(key, (payments.get(key) ?? 0) + 1)
  }
  for (const log of parseEventLogs({ abi: wrappedOpen.abi, eventName: 'Transfer', logs: at(contracts.token) })) {
    const { from, to, amount } = log.args
    const key = keyOf(log.transactionHash, from, to, amount)
    const known = payments.get(key) ?? 0
    // The transfer that is the payment itself is no gift.
    if (known) payments.set(key, known - 1)
    else if (from !== NOBODY && to !== NOBODY) events.push({ ...where(log), kind: 'funded', from, to, amount })
  }
  return events.sort((a, b) => a.block - b.block || a.place - b.place)
}
