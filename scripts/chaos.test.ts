/** A small chaos with a new seed each time; the large one is `npx tsx scripts/chaos.ts`. */
import { expect, it } from 'vitest'
import { chaos, summary } from './chaos.ts'

it('pays nothing twice and loses nothing over a few faults', { timeout: 240_000 }, async () => {
  const outcome = await chaos({ faults: 8, seed: Number(process.env.MODELFACTORY_CHAOS_SEED ?? Math.floor(Math.random() * 1e9)) })
  expect(outcome.wrong, summary(outcome)).toEqual([])
  expect(outcome.payments, summary(outcome)).toBeGreaterThan(0)
})
