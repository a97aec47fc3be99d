/**
 * Budget wallet: an account of the data folder that asks paid questions for whoever owns the machine, and the limits it is held to. Its key
 * stays here: what leaves is a signature. Knows nothing of HTTP or of how a query is paid.
 */
import type { LocalAccount } from 'viem'
import { z } from 'zod'
import { type Refusal, refuse } from '../core/errors.ts'
import { localAccount } from '../drivers/keystore/keystore.ts'
import type { Chain } from '../ports/chain.ts'
import type { Database } from '../ports/database.ts'
import type { Account } from '../ports/keystore.ts'

/** Atomic units of OPEN; null is no limit of that kind. */
export type Limits = { perQuery: bigint; perDay: bigint; perModelPerDay: bigint | null }

const UNIT = 10n ** 18n
/** Until its owner says otherwise. */
const CAREFUL: Limits = { perQuery: UNIT / 10n, perDay: UNIT, perModelPerDay: null }
/** What one press of "play money" gives. */
const GIFT = 10n * UNIT
const LIMITS = 'budget-limits'
const LEDGER = 'budget-ledger'

const Atomic = z.string().regex(/^\d{1,60}$/)
const Kept = z.object({ perQuery: Atomic, perDay: Atomic, perModelPerDay: Atomic.nullable() })

export type BudgetWallet = {
  account: Pick<LocalAccount, 'address' | 'signTypedData'>
  balance(): Promise<bigint>
  limits(): Promise<Limits>
  setLimits(limits: Limits): Promise<void>
  /** Where the paying client keeps what it spent; see apps/client/ledger.ts. */
  keep: { load(): Promise<string | undefined>; save(text: string): Promise<void> }
  /** Play money, on the embedded chain alone. */
  fund(): Promise<{ tx: string } | Refusal>
}

export function openBudget({ chain, database, payer }: { chain: Chain; database: Database; payer: Account }): BudgetWallet {
  const { settings } = database
  return {
    account: localAccount(payer),
    balance: async () => (await chain.balance(payer.address)).open,
    async limits() {
      const kept = Kept.safeParse(await settings.get(LIMITS))
      if (!kept.success) return CAREFUL
      const { perQuery, perDay, perModelPerDay } = kept.data
      return { perQuery: BigInt(perQuery), perDay: BigInt(perDay), perModelPerDay: perModelPerDay === null ? null : BigInt(perModelPerDay) }
    },
    setLimits: ({ perQuery, perDay, perModelPerDay }) =>
      settings.set(LIMITS, { perQuery: `${perQuery}`, perDay: `${perDay}`, perModelPerDay: perModelPerDay === null ? null : `${perModelPerDay}` }),
    keep: {
      async load() {
        const text = await settings.get(LEDGER)
        return typeof text === 'string' ? text : undefined
      },
      save: (text) => settings.set(LEDGER, text),
    },
    async fund() {
      if (!chain.network.test) return refuse('no_faucet', 'OPEN is not given away on this chain.', `Send some to ${payer.address}.`)
      return chain.fund(payer.address, GIFT)
    },
  }
}
