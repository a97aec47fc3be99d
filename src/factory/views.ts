/**
 * Views: records and packages turned into the JSON that apps show. Knows nothing of how they are served.
 */

import { type Receipt, receiptId } from '../core/receipt.ts'
import { type Amount, amount } from '../core/royalty.ts'
import type { BuildView, EarningsView, ModelView, ReceiptView, Standing } from '../core/view.ts'
import type { Model } from '../ports/database.ts'
import type { TrainingProgress } from '../ports/trainer.ts'
import type { Unpacked } from '../steps/pack.ts'
import type { PaidTotal } from './tally.ts'

export function receiptView(receipt: Receipt, finalBlock: number): ReceiptView {
  const { model, modelId, tx, block, payer, builder, sources, at } = receipt
  return { id: receiptId(receipt), model, modelId, tx, block, amount: amount(BigInt(receipt.amount)), payer, builder, sources, at, final: block <= finalBlock }
}

export function modelView(
  model: Model,
  unpacked: Unpacked,
  { payout, paid, standing }: { payout: string | null; paid: readonly PaidTotal[]; standing: Standing },
): ModelView {
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
    exam: {
      ...{ n: report.n, metric: report.metric, verdict: report.verdict ?? null },
      arms: report.arms.map(({ name, what, score, interval }) => ({ name, what, score, interval })),
    },
    standing,
    ...totals(own),
  }
}

/**
 * Earnings are counted from QueryPaid events alone: what the contract did, not what the gateway remembers. `part` says what of a payment to an
 * address is the builder's.
 */
export function earningsView(
  { builder, part }: { builder: string; part: (payee: string, sum: bigint) => bigint | undefined },
  balance: bigint,
  models: readonly Model[],
  paid: readonly PaidTotal[],
): EarningsView {
  const own = paid.flatMap((total) => {
    const mine = part(total.builder, total.amount)
    return mine === undefined ? [] : { ...total, amount: mine }
  })
  return {
    builder,
    balance: amount(balance),
    total: totals(own).earned,
    models: models.flatMap((model) => {
      if (!model.modelId) return []
      return [{ name: model.name, modelId: model.modelId, ...totals(own.filter((total) => total.modelId === model.modelId)) }]
    }),
  }
}

function totals(paid: readonly PaidTotal[]): { queries: number; earned: Amount } {
  return {
    queries: paid.reduce((sum, { queries }) => sum + queries, 0),
    earned: amount(paid.reduce((sum, total) => sum + total.amount, 0n)),
  }
}

/** Points of a curve that are kept; of more, every other one between validations goes. */
const CURVE_POINTS = 400

/** Training as it stands after one more report. */
export function trainingView(before: BuildView['training'] | undefined, progress: TrainingProgress): NonNullable<BuildView['training']> {
  const { step, steps, trainingLoss, validationLoss, validationRight, secondsLeft, tokensPerSecond } = progress
  const points = [...(before?.points ?? []), { step, trainingLoss, validationLoss, validationRight }]
  const kept = points.length > CURVE_POINTS ? points.filter((point, index) => point.validationLoss !== null || index % 2) : points
  return { points: kept, step, steps, secondsLeft, tokensPerSecond }
}
