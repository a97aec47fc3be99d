/**
 * Earnings: what the contract paid a builder, payment by payment and day by day, ready to be handed to an accountant. The figures are those of
 * the chain's QueryPaid events; receipts only add what a payment was for. Pure; knows nothing of where either is kept.
 */
import type { Id } from './id.ts'
import type { Address, Hex } from './listing.ts'
import type { Receipt } from './receipt.ts'
import { type Amount, amount } from './royalty.ts'

/** The router's event of one paid query, and where it stands; `amount` in atomic units. */
export type QueryPaid = { modelId: Hex; payer: Address; builder: Address; amount: bigint; requestHash: Hex; nonce: Hex; tx: Hex; block: number }

export type PaymentLine = {
  /** Unix milliseconds of the receipt; null for a payment made at the contract without this gateway. */
  at: number | null
  /** UTC, YYYY-MM-DD; null as above. */
  day: string | null
  model: string
  modelId: Hex
  /** The package that answered; null as above. */
  version: Id | null
  payer: Address
  /** The address that was paid: the builder's, or one that several people hold in shares. */
  builder: Address
  amount: Amount
  /** What of it is the builder's: all, or their part of a shared payout. */
  yours: Amount
  tx: Hex
  block: number
  /** Where this server proves the payment and that it went to the builder in full; null as above. */
  passport: string | null
}

/** What one version of one model earned on one day. */
export type DayLine = { day: string | null; model: string; version: Id | null; queries: number; earned: Amount }

export type EarningsExport = { builder: Address; total: Amount; queries: number; days: DayLine[]; payments: PaymentLine[] }

/**
 * Every payment to `builder`, in the order given, with its sums. A model that is not among `models` goes by its receipt's name, or its id. `part`
 * says what of a payment to an address is the builder's, undefined when none of it is; sums are of that.
 */
export function earningsExport(
  builder: Address,
  { paid, receipts, models }: { paid: readonly QueryPaid[]; receipts: readonly Receipt[]; models: readonly { modelId: Hex | null; name: string }[] },
  part = (payee: Address, sum: bigint): bigint | undefined => (payee.toLowerCase() === builder.toLowerCase() ? sum : undefined),
): EarningsExport {
  const names = new Map(models.map(({ modelId, name }) => [modelId?.toLowerCase(), name]))
  const known = new Map(receipts.map((receipt) => [keyOf(receipt.tx, receipt.requestHash, receipt.nonce), receipt]))
  const own = paid.flatMap((event) => {
    const yours = part(event.builder, event.amount)
    return yours === undefined ? [] : { ...event, yours }
  })
  const payments = own.map((event): PaymentLine => {
    const { modelId, payer, tx, block, requestHash, nonce, yours } = event
    // A receipt of before nonces were kept has none; its transaction paid for one query only.
    const receipt = known.get(keyOf(tx, requestHash, nonce)) ?? known.get(keyOf(tx, requestHash, undefined))
    return {
      ...(receipt ? { at: receipt.at, day: new Date(receipt.at).toISOString().slice(0, 10) } : { at: null, day: null }),
      ...{ model: names.get(modelId.toLowerCase()) ?? receipt?.model ?? modelId, modelId, version: receipt?.packageId ?? null },
      ...{ payer, builder: event.builder, amount: amount(event.amount), yours: amount(yours), tx, block },
      passport: receipt ? `/api/receipts/${tx}/passport?request=${requestHash}&nonce=${nonce}` : null,
    }
  })
  const total = own.reduce((sum, { yours }) => sum + yours, 0n)
  return { builder, total: amount(total), queries: own.length, days: daysOf(payments), payments }
}

/** Two payers may ask the same in one transaction; the nonce tells them apart. */
function keyOf(tx: Hex, requestHash: string, nonce: Hex | undefined): string {
  return `${tx}:${requestHash}:${nonce ?? ''}`.toLowerCase()
}

/** Newest day first, days that are not known last. */
function daysOf(payments: readonly PaymentLine[]): DayLine[] {
  const sums = new Map<string, { day: string | null; model: string; version: Id | null; queries: number; sum: bigint }>()
  for (const { day, model, version, yours } of payments) {
    const key = JSON.stringify([day, model, version])
    const line = sums.get(key) ?? { day, model, version, queries: 0, sum: 0n }
    sums.set(key, line)
    line.queries++
    line.sum += BigInt(yours.atomic)
  }
  return [...sums.values()]
    .map(({ sum, ...line }) => ({ ...line, earned: amount(sum) }))
    .sort((left, right) => (right.day ?? '').localeCompare(left.day ?? '') || left.model.localeCompare(right.model))
}

const COLUMNS = [
  'time',
  'model',
  'version',
  'amount_open',
  'amount_atomic',
  'payer',
  'builder',
  'transaction',
  'block',
  'passport',
  'yours_open',
  'yours_atomic',
] as const

/** The payments as CSV (RFC 4180), one a line under a heading. A cell that a spreadsheet would run as a formula is kept text by an apostrophe. */
export function earningsCsv({ payments }: Pick<EarningsExport, 'payments'>): string {
  const rows = payments.map(({ at, model, version, amount: paid, yours, payer, builder, tx, block, passport }) => [
    ...[at === null ? '' : new Date(at).toISOString(), model, version ?? '', paid.open, paid.atomic, payer, builder, tx, String(block), passport ?? ''],
    ...[yours.open, yours.atomic],
  ])
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
