/** Sums of the Earn page: exact, by day and by model, whatever the size of the amounts. */
import { describe, expect, it } from 'vitest'
import type { EarningsExport } from '../../../src/core/earnings.ts'
import { byModel, daily, openOf, sumOf, within } from './spans.ts'

const now = Date.UTC(2026, 4, 20, 1)
const payment = (day: string | null, atomic: string, model = 'hearts'): EarningsExport['payments'][number] => ({
  ...{ at: day === null ? null : Date.parse(`${day}T10:00:00Z`), day, model, modelId: `0x${model.length.toString(16).padStart(64, '0')}`, version: null },
  ...{ payer: '0x01', builder: '0x02', amount: { atomic: `${atomic}000`, open: '' }, yours: { atomic, open: '' }, tx: '0x03', block: 1, passport: null },
})

describe('earnings', () => {
  const payments = [
    payment('2026-05-20', '1'),
    payment('2026-05-14', '20'),
    payment('2026-05-13', '300', 'law'),
    payment(null, '4000'),
    payment('2026-05-21', '50000'),
  ]
  it('are those of today, of seven days, of all', () => {
    expect(sumOf(within(payments, 'today', now))).toBe(1n)
    expect(sumOf(within(payments, 'week', now))).toBe(21n)
    expect(sumOf(within(payments, 'all', now))).toBe(54321n)
  })
  it('are exact beyond any float', () => {
    expect(openOf(sumOf([payment(null, '123456789012345678901234567890'), payment(null, '1')]))).toBe('123456789012.345678901234567891')
    expect([0n, 1n, 10n ** 18n, 10n ** 16n].map(openOf)).toEqual(['0', '0.000000000000000001', '1', '0.01'])
  })
  it('are ordered by what each model earned', () => {
    expect(byModel(payments).map(({ model, queries, sum }) => [model, queries, sum])).toEqual([
      ['hearts', 4, 54021n],
      ['law', 1, 300n],
    ])
  })
  it('are drawn day by day, empty days too', () => {
    const drawn = daily(payments, 8, now)
    expect(drawn.map(({ day }) => day)).toEqual(['13', '14', '15', '16', '17', '18', '19', '20'].map((day) => `2026-05-${day}`))
    expect(drawn.map(({ share }) => share)).toEqual([1, 0.0666, 0, 0, 0, 0, 0, 0.0033])
    expect(daily([], 3, now).map(({ share }) => share)).toEqual([0, 0, 0])
  })
})
