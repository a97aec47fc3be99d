/**
 * Shares: a model's royalties divided among several people for ever. Pure; knows nothing of the contract that does it.
 */
import { z } from 'zod'
import { type Refusal, refuse } from './errors.ts'
import type { Address } from './listing.ts'
import type { Amount } from './royalty.ts'

/** One of the people, and how many of all the shares are theirs. */
export type Holder = { recipient: Address; shares: bigint }

/** `gathered` is what queries paid and was not sent on yet; without holders the builder is paid whole and alone. */
export type SharesView = {
  model: string
  modelId: string
  payout: string
  holders: { recipient: string; shares: string; yours: boolean }[]
  gathered: Amount
}

/** What was sent on, of each address it had gathered at. */
export type SharesSent = { model: string; sent: { payout: string; tx: string; amount: Amount }[] }

export const SharesPut = z.object({
  holders: z
    .array(
      z.object({
        recipient: z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'an address is 0x and 40 hex digits'),
        shares: z.string().regex(/^\d{1,28}$/, 'shares are a whole number, such as "70"'),
      }),
    )
    .max(100)
    .describe('Who gets how much of every payment from now on, yourself among them; empty for yourself alone.'),
})

/** `0xA…=30` as people write it. */
export function parseHolder(text: string): Holder | Refusal {
  const match = /^(0x[0-9a-fA-F]{40})=(\d{1,28})$/.exec(text.trim())
  if (!match) return refuse('holder_invalid', `"${text}" is not an address and its shares.`, 'Write 0x and 40 hex digits, =, and a whole number: 0x12...ef=30')
  return { recipient: match[1] as Address, shares: BigInt(match[2]!) }
}

/** What of an amount is one recipient's, in whole atomic units. Rounding can bring them at most one unit more each time it is sent. */
export function partOf(amount: bigint, holders: readonly Holder[], recipient: string): bigint {
  const all = holders.reduce((sum, { shares }) => sum + shares, 0n)
  const own = holders.filter((holder) => holder.recipient.toLowerCase() === recipient.toLowerCase()).reduce((sum, { shares }) => sum + shares, 0n)
  return all === 0n ? 0n : (amount * own) / all
}
