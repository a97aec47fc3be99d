/**
 * Reconcile: payments cut off by a crash are completed or released, by what the chain knows of them. Also the one way a
 * payment becomes settled: its receipt is kept first. Knows nothing of models or HTTP.
 */
import type { Answer } from '../core/answer.ts'
import { contentId, hashText } from '../core/id.ts'
import type { Receipt } from '../core/receipt.ts'
import type { TermsMet } from '../core/terms.ts'
import type { Authorization, Chain, Settlement } from '../ports/chain.ts'
import type { Database, Payment } from '../ports/database.ts'

export type Settled = Extract<Settlement, { status: 'settled' }>

/** What became of payments, counted. */
export type Reconciliation = { completed: number; released: number; unknown: number }

export type ReconcilePorts = { chain: Pick<Chain, 'settlement'>; database: Pick<Database, 'payments' | 'receipts' | 'models'> }

/**
 * Run once at start, after the chain has sent its journal again and before the first query is served.
 * `reserved` was never sent: free again. `sending` and `unknown` are asked of the chain: settled ones get their receipt,
 * ones the chain has never seen are free again, and the rest stay `unknown`.
 */
export async function reconcile(ports: ReconcilePorts, options: { now: () => number }): Promise<Reconciliation> {
  const { payments } = ports.database
  const result: Reconciliation = { completed: 0, released: 0, unknown: 0 }
  for (const payment of await payments.inState(['reserved'])) if (await payments.remove(payment.key, ['reserved'])) result.released++
  for (const payment of await payments.inState(['sending', 'unknown'])) {
    const outcome = await resolve(ports, options, payment)
    if (outcome !== 'unseen') result[outcome]++
    else if (await payments.remove(payment.key, ['sending', 'unknown'])) result.released++
  }
  return result
}

/** Asks the chain again about payments whose outcome was not known; safe at any time, to be run now and then while serving. */
export async function recheck(ports: ReconcilePorts, options: { now: () => number }): Promise<Reconciliation> {
  const result: Reconciliation = { completed: 0, released: 0, unknown: 0 }
  for (const payment of await ports.database.payments.inState(['unknown'])) {
    const outcome = await resolve(ports, options, payment)
    result[outcome === 'unseen' ? 'unknown' : outcome]++
  }
  return result
}

/** Payments that became final, were made again after a reorganisation, or cannot be made again; counted. */
export type Confirmation = { final: number; again: number; undone: number }

/**
 * Looks after payments that are settled and not yet final. One that was reorganised away is sent again, which pays it once at most;
 * its receipt follows it into its new transaction. One that cannot be made again is left as it stands, and counted.
 */
export async function confirm(
  ports: { chain: Pick<Chain, 'settlement' | 'settle'>; database: Pick<Database, 'payments' | 'receipts'> },
  options: { now: () => number },
): Promise<Confirmation> {
  const { chain, database } = ports
  const result: Confirmation = { final: 0, again: 0, undone: 0 }
  for (const payment of await database.payments.toConfirm()) {
    const authorization = readAuthorization(payment)
    const { modelId, requestHash } = payment
    const standing = await chain.settlement(authorization)
    const settlement = standing ?? (await chain.settle({ modelId, requestHash, authorization }))
    if (settlement.status === 'refused') result.undone++
    if (settlement.status !== 'settled') continue
    if (standing === undefined || payment.tx !== settlement.tx) result.again++
    const before = payment.tx && { tx: payment.tx, requestHash, nonce: authorization.nonce }
    const receipt = before && (await database.receipts.find(before))
    if (before && receipt && (receipt.tx !== settlement.tx || receipt.block !== settlement.block))
      await database.receipts.replace(before, { ...receipt, tx: settlement.tx, block: settlement.block })
    if (payment.tx !== settlement.tx || settlement.final)
      await database.payments.move(payment.key, ['settled'], { tx: settlement.tx, final: settlement.final, updatedAt: options.now() })
    if (settlement.final) result.final++
  }
  return result
}

/** One payment by what the chain says of it; `unseen` means it was never sent, and nothing was changed. */
async function resolve(ports: ReconcilePorts, options: { now: () => number }, payment: Payment): Promise<keyof Reconciliation | 'unseen'> {
  const { chain, database } = ports
  const now = options.now()
  const settlement = await chain.settlement(readAuthorization(payment)).catch((): Settlement => ({ status: 'unknown', message: 'the chain did not answer' }))
  if (settlement === undefined && payment.tx === null) return 'unseen'
  if (settlement?.status === 'settled') {
    const model = (await database.models.get(payment.modelId))?.name ?? payment.modelId
    const answer = payment.answer === null ? null : (JSON.parse(payment.answer) as Answer)
    await complete(database, { payment, settlement, model, answer, now })
    return 'completed'
  }
  if (settlement?.status === 'refused' && payment.tx === null) {
    await database.payments.move(payment.key, ['sending', 'unknown'], { state: 'released', answer: null, identifier: null, updatedAt: now })
    return 'released'
  }
  await database.payments.move(payment.key, ['sending', 'unknown'], { state: 'unknown', updatedAt: now })
  return 'unknown'
}

/**
 * Keeps the receipt, then marks the payment settled: a crash between the two is completed by {@link reconcile}, and one after
 * both has lost nothing. `answer` null means it was paid for and cut off; the same payment gets it later without paying again.
 */
export async function complete(
  database: Pick<Database, 'payments' | 'receipts'>,
  options: { payment: Payment; settlement: Settled; model: string; answer: Answer | null; now: number },
): Promise<Receipt> {
  const { payment, settlement, model, answer, now } = options
  const receipt: Receipt = {
    modelId: payment.modelId,
    model,
    packageId: payment.packageId,
    requestHash: payment.requestHash,
    responseHash: answer === null ? hashText('') : contentId(answer),
    tx: settlement.tx,
    block: settlement.block,
    amount: settlement.amount.toString(),
    payer: settlement.payer,
    builder: settlement.builder,
    nonce: readAuthorization(payment).nonce,
    sources: answer === null ? [] : sourcesOf(answer),
    ...(payment.terms === null ? {} : { terms: JSON.parse(payment.terms) as TermsMet }),
    at: payment.createdAt,
  }
  await database.receipts.put(receipt)
  const patch = {
    state: 'settled',
    tx: settlement.tx,
    final: settlement.final,
    answer: answer === null ? null : JSON.stringify(answer),
    updatedAt: now,
  } as const
  await database.payments.move(payment.key, ['sending', 'unknown'], patch)
  return receipt
}

/** Where the quoted sentences stand, each place once, in words. */
export function sourcesOf(answer: Answer): string[] {
  return [...new Set(answer.citations.map(({ title, heading, file }) => [title, heading, file].filter(Boolean).join(' > ')))]
}

/** The key of an authorization among the payments: it pays at most once. */
export function paymentKey(authorization: Authorization): string {
  return `${authorization.from}:${authorization.nonce}`.toLowerCase()
}

/** The authorization as {@link Payment} keeps it. */
export function writeAuthorization(authorization: Authorization): string {
  const { from, to, value, validAfter, validBefore, nonce, signature } = authorization
  return JSON.stringify({ from, to, value: `${value}`, validAfter: `${validAfter}`, validBefore: `${validBefore}`, nonce, signature })
}

/** The authorization a payment was made with, from our own record of it. */
export function readAuthorization(payment: Payment): Authorization {
  const kept = JSON.parse(payment.authorization) as Record<keyof Authorization, string>
  return {
    ...(kept as unknown as Authorization),
    value: BigInt(kept.value),
    validAfter: BigInt(kept.validAfter),
    validBefore: BigInt(kept.validBefore),
  }
}
