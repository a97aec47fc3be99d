/**
 * Views: records and packages turned into the JSON that apps show. Knows nothing of how they are served.
 */

import { type Receipt, receiptId } from '../core/receipt.ts'
import { amount } from '../core/royalty.ts'
import type { EarningsView, ModelView, ReceiptView } from '../core/view.ts'
import type { QueryPaid } from '../ports/chain.ts'
import type { Model } from '../ports/database.ts'
import type { Unpacked } from '../steps/pack.ts'

export function receiptView(receipt: Receipt, finalBlock: number): ReceiptView {
  const { model, modelId, tx, block, payer, builder, sources, at } = receipt
  return { id: receiptId(receipt), model, modelId, tx, block, amount: amount(BigInt(receipt.amount)), payer, builder, sources, at, final: block <= finalBlock }
}

export function modelView(model: Model, unpacked: Unpacked, payout: string | null, paid: readonly QueryPaid[]): ModelView {
  const { spec, report } = unpacked
  const own = paid.filter((event) => event.modelId === model.modelId)
  return {
    name: model.name,
    packageId: model.packageId,
    task: spec.task,
    words: spec.words,
    modelId: model.modelId,
    price: model.price === null ? null : amount(model.price),
    payout,
    labels: spec.labels,
    exam: { n: report.n, metric: report.metric, arms: report.arms.map(({ name, what, score, interval }) => ({ name, what, score, interval })) },
    queries: own.length,
    earned: amount(sum(own)),
  }
}

/** Earnings are counted from QueryPaid events alone: what the contract did, not what the gateway remembers. */
export function earningsView(builder: string, balance: bigint, models: readonly Model[], paid: readonly QueryPaid[]): EarningsView {
  return {
    builder,
    balance: amount(balance),
    total: amount(sum(paid)),
    models: models.flatMap((model) => {
      if (!model.modelId) return []
      const own = paid.filter((event) => event.modelId === model.modelId)
      return [{ name: model.name, modelId: model.modelId, queries: own.length, earned: amount(sum(own)) }]
    }),
  }
}

function sum(paid: readonly QueryPaid[]): bigint {
  return paid.reduce((total, event) => total + event.amount, 0n)
}
