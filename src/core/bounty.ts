/**
 * Bounties as the board of wanted models shows them: money for a need, won by the first model that passes cases nobody has seen. Pure; knows nothing
 * of the contract that holds the money, nor of who answers.
 */
import { z } from 'zod'
import type { Address, Hex } from './listing.ts'
import { exactMatch } from './metrics.ts'
import { tokenF1, words } from './report.ts'
import type { Amount } from './royalty.ts'

/** How an answer is held against the right one: the same but for case and punctuation (SQuAD), or the words they share. */
export const MEASURES = ['exact match', 'token-F1'] as const
export type Measure = (typeof MEASURES)[number]
/** With right answers of at most this many words, an answer is right or wrong. */
const SHORT = 4

export const SealedCase = z.object({ input: z.string().trim().min(1).max(20_000), output: z.string().trim().min(1).max(4000) })
export type SealedCase = z.infer<typeof SealedCase>

export const BountyPost = z.object({
  amount: z
    .string()
    .regex(/^\d{1,20}(\.\d{1,18})?$/, 'a decimal number of OPEN')
    .describe('What is paid, whole, to the builder of the first model that passes; a decimal number of OPEN.'),
  days: z.number().int().min(1).max(366).default(30),
  pass: z.number().gt(0).max(1).default(0.9).describe('The mean score a model needs, of 1.'),
  measure: z.enum(MEASURES).optional(),
  sealed: z
    .array(SealedCase)
    .min(5, 'at least five, or luck alone would pass')
    .max(100, 'at most a hundred')
    .describe('Cases that nobody sees before the end.'),
})
export type BountyPost = z.infer<typeof BountyPost>
export const EntryPost = z.object({ model: z.string().min(1).max(200) })

/** A version of a model that was examined; no more of it is told than its score, or the cases could be guessed one by one. */
export type BountyEntry = { model: string; modelId: Hex; packageId: string; at: number; score: number; passed: boolean; evidence: string }

export type BountyView = {
  bountyId: Hex
  wantedId: string
  amount: Amount
  poster: Address
  examiner: Address
  /** Unix seconds: until then models can be entered. */
  deadline: number
  status: 'open' | 'over' | 'paid' | 'withdrawn'
  cases: number
  pass: number
  measure: Measure
  entries: BountyEntry[]
  /** While a model is examined. */
  examining: { model: string; done: number; of: number } | null
  /** Who won it, and the transaction that paid. */
  won: { model: string; modelId: Hex; tx: Hex } | null
  /** The cases, once they were opened as the money went back. */
  opened: SealedCase[] | null
}

/** The measure that fits the right answers. */
export function measureOf(cases: readonly SealedCase[]): Measure {
  return cases.every(({ output }) => words(output).length <= SHORT) ? 'exact match' : 'token-F1'
}

/** Mean score of answers, 0 to 1. */
export function scoreOf(measure: Measure, cases: readonly SealedCase[], answers: readonly string[]): number {
  const one = measure === 'token-F1' ? tokenF1 : (answer: string, right: string) => (exactMatch(answer, right) ? 1 : 0)
  return cases.reduce((sum, { output }, place) => sum + one(answers[place] ?? '', output), 0) / cases.length
}

/** Where two texts are the same but for case, punctuation and spaces. */
export function sameCase(one: string, other: string): boolean {
  return one.trim() === other.trim() || (words(one).length > 0 && exactMatch(one, other))
}

/** `yours`: whoever asks owns this gateway, and may offer, enter and take back. */
export type BountiesView = { bounties: BountyView[]; yours: boolean }
