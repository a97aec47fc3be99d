/**
 * Earnings: at which addresses the builder's models are paid, and what of it is the builder's. A payout that is shared stays in the count when
 * the model is paid elsewhere later. Knows nothing of who looks at it.
 */
import { z } from 'zod'
import { type EarningsExport, earningsExport } from '../core/earnings.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import type { Address, Hex } from '../core/listing.ts'
import { amount } from '../core/royalty.ts'
import { type Holder, partOf, type SharesSent, type SharesView } from '../core/shares.ts'
import type { EarningsView } from '../core/view.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database, Model } from '../ports/database.ts'
import type { Account } from '../ports/keystore.ts'
import type { PaidTotal } from './tally.ts'
import { earningsView } from './views.ts'

export interface Shares {
  /** Whom a published model pays. */
  show(model: string): Promise<SharesView | Refusal>
  /** Divides what it earns from now on among these; without any, the builder is paid alone. */
  set(model: string, holders: readonly Holder[]): Promise<SharesView | Refusal>
  /** Sends what has gathered at every shared payout the model ever had on to its holders. */
  send(model: string): Promise<SharesSent | Refusal>
}

export interface Earnings {
  view(): Promise<EarningsView>
  export(): Promise<EarningsExport>
  /** Every address that the builder is paid at, alone or with others. */
  payees(): Address[]
  /** Where a model is paid. */
  payoutOf(modelId: Hex): Address
  readonly shares: Shares
}

const KEY = 'shared-payouts'
const hex = z.custom<`0x${string}`>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]+$/.test(value))
const Kept = z.array(z.object({ modelId: hex, payout: hex, holders: z.array(z.object({ recipient: hex, shares: z.string() })) }))
type Shared = { modelId: Hex; payout: Address; holders: Holder[] }

/** What is at the chain is read when it answers; until then a model counts as paid where it was known to be. */
export async function openEarnings(
  ports: { chain: Pick<Chain, 'balance' | 'listing' | 'queriesPaid' | 'share' | 'holders' | 'distribute'>; database: Database },
  options: { builder: Account; paidSoFar: () => Promise<PaidTotal[]>; find: (name: string) => Promise<Model | Refusal> },
): Promise<Earnings> {
  const { chain, database } = ports
  const { builder, paidSoFar, find } = options
  const own = builder.address
  const kept = Kept.safeParse(await database.settings.get(KEY)).data ?? []
  const shared: Shared[] = kept.map(({ holders, ...one }) => ({
    ...one,
    holders: holders.map(({ recipient, shares }) => ({ recipient, shares: BigInt(shares) })),
  }))
  const payouts = new Map<string, Address>()

  /** Reads a model's payout from the chain, and keeps it when it is one of several people's. */
  const look = async (modelId: Hex): Promise<void> => {
    const listing = await chain.listing(modelId)
    if (!listing) return
    payouts.set(modelId.toLowerCase(), listing.payout)
    if (same(listing.payout, own) || shared.some((one) => same(one.payout, listing.payout) && same(one.modelId, modelId))) return
    const holders = await chain.holders(listing.payout)
    if (!holders) return
    shared.push({ modelId, payout: listing.payout, holders })
    const written = shared.map((one) => ({ ...one, holders: one.holders.map(({ recipient, shares }) => ({ recipient, shares: shares.toString() })) }))
    await database.settings.set(KEY, written)
  }
  const lookAtNew = async (models: readonly Model[]): Promise<void> => {
    for (const { modelId } of models) if (modelId && !payouts.has(modelId.toLowerCase())) await look(modelId).catch(() => {})
  }
  await lookAtNew(await database.models.list())

  /** What of a payment to an address is the builder's; undefined when nothing is. */
  const part = (payee: string, sum: bigint): bigint | undefined => {
    if (same(payee, own)) return sum
    const at = shared.find(({ payout }) => same(payout, payee))
    return at && partOf(sum, at.holders, own)
  }
  const payees = (): Address[] => [own, ...new Set(shared.map(({ payout }) => payout))]

  const listed = async (name: string): Promise<{ name: string; modelId: Hex } | Refusal> => {
    const model = await find(name)
    if (isRefusal(model)) return model
    if (model.modelId === null)
      return refuse('not_published', `The model "${model.name}" is not published yet.`, 'Publish it first; until then nobody pays for it.')
    return { name: model.name, modelId: model.modelId }
  }

  const show = async ({ name, modelId }: { name: string; modelId: Hex }): Promise<SharesView> => {
    await look(modelId)
    const payout = payouts.get(modelId.toLowerCase()) ?? own
    const holders = shared.find((one) => same(one.payout, payout))?.holders ?? []
    const places = [...new Set(shared.filter((one) => same(one.modelId, modelId)).map((one) => one.payout))]
    const held = await Promise.all(places.map((place) => chain.balance(place)))
    return {
      ...{ model: name, modelId, payout },
      holders: holders.map(({ recipient, shares }) => ({ recipient, shares: shares.toString(), yours: same(recipient, own) })),
      gathered: amount(held.reduce((sum, { open }) => sum + open, 0n)),
    }
  }

  /** One change of payouts after the other: what is sent on twice at once would be a transaction for nothing. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(work)
    turn = result.catch(() => {})
    return result
  }

  return {
    async view() {
      const models = await database.models.list()
      await lookAtNew(models)
      return earningsView({ builder: own, part }, (await chain.balance(own)).open, models, await paidSoFar())
    },
    async export() {
      const [paid, receipts, models] = await Promise.all([paidTo(chain, payees()), database.receipts.list(), database.models.list()])
      return earningsExport(own, { paid, receipts, models }, part)
    },
    payees,
    payoutOf: (modelId) => payouts.get(modelId.toLowerCase()) ?? own,
    shares: {
      async show(name) {
        const model = await listed(name)
        return isRefusal(model) ? model : show(model)
      },
      set: (name, holders) =>
        inTurn(async () => {
          const model = await listed(name)
          if (isRefusal(model)) return model
          const done = await chain.share({ owner: builder, modelId: model.modelId, holders })
          return isRefusal(done) ? done : show(model)
        }),
      send: (name) =>
        inTurn(async () => {
          const model = await listed(name)
          if (isRefusal(model)) return model
          await look(model.modelId)
          const sent: SharesSent['sent'] = []
          for (const payout of new Set(shared.filter((one) => same(one.modelId, model.modelId)).map((one) => one.payout))) {
            const done = await chain.distribute({ payout, by: builder })
            if (isRefusal(done) && done.code === 'nothing_gathered') continue
            if (isRefusal(done)) return done
            sent.push({ payout, tx: done.tx, amount: amount(done.amount) })
          }
          if (sent.length > 0) return { model: model.name, sent }
          return refuse('nothing_gathered', `Nothing of what "${model.name}" earned waits to be sent on.`, 'Wait for the next paid query.')
        }),
    },
  }
}

/** QueryPaid events of several payees, in the order of the chain as far as blocks tell it. */
export async function paidTo(chain: Pick<Chain, 'queriesPaid'>, payees: readonly Address[], fromBlock?: number) {
  const found = await Promise.all(payees.map((builder) => chain.queriesPaid({ builder, ...(fromBlock !== undefined && { fromBlock }) })))
  return payees.length === 1 ? found[0]! : found.flat().sort((one, other) => one.block - other.block)
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
