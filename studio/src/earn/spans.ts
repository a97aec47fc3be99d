/**
 * What was earned in a span of days, from the payments alone. Of a shared payment the builder's part counts. Money is added as integers of atomic units. Knows nothing of the page.
 */
import type { EarningsExport } from '../../../src/core/earnings.ts'

export type Span = 'today' | 'week' | 'all'
type Payments = EarningsExport['payments']
const DAY_MS = 86_400_000

/** The UTC day of a moment, YYYY-MM-DD. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** Payments of a span that ends now; those without a time are in `all` alone. */
export function within(payments: Payments, span: Span, now: number): Payments {
  if (span === 'all') return payments
  const first = span === 'today' ? dayOf(now) : dayOf(now - 6 * DAY_MS)
  return payments.filter(({ day }) => day !== null && day >= first && day <= dayOf(now))
}

export const sumOf = (payments: Payments): bigint => payments.reduce((sum, { yours }) => sum + BigInt(yours.atomic), 0n)

/** Atomic units as a decimal of OPEN, which has 18 places. */
export function openOf(atomic: bigint): string {
  const text = atomic.toString().padStart(19, '0')
  const fraction = text.slice(-18).replace(/0+$/, '')
  return `${text.slice(0, -18)}${fraction ? `.${fraction}` : ''}`
}

/** What each model earned, most first. */
export function byModel(payments: Payments): { model: string; modelId: string; queries: number; sum: bigint }[] {
  const models = new Map<string, { model: string; modelId: string; queries: number; sum: bigint }>()
  for (const { model, modelId, yours } of payments) {
    const line = models.get(modelId) ?? { model, modelId, queries: 0, sum: 0n }
    models.set(modelId, { ...line, queries: line.queries + 1, sum: line.sum + BigInt(yours.atomic) })
  }
  return [...models.values()].sort((a, b) => (a.sum < b.sum ? 1 : a.sum > b.sum ? -1 : a.model < b.model ? -1 : 1))
}

/** Sums of the last `days` days, oldest first; `share` of the best day. */
export function daily(payments: Payments, days: number, now: number): { day: string; sum: bigint; share: number }[] {
  const sums = new Map<string, bigint>()
  for (const { day, yours } of payments) if (day !== null) sums.set(day, (sums.get(day) ?? 0n) + BigInt(yours.atomic))
  const list = Array.from({ length: days }, (_, index) => dayOf(now - (days - 1 - index) * DAY_MS)).map((day) => ({ day, sum: sums.get(day) ?? 0n }))
  const [most = 0n] = list.map(({ sum }) => sum).sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
  // A picture needs four digits, not eighteen.
  return list.map((one) => ({ ...one, share: most === 0n ? 0 : Number((one.sum * 10_000n) / most) / 10_000 }))
}
