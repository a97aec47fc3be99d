/**
 * Overlap: how near a written text comes to a reference, by characters (chrF). Counts of a case and scores of many are apart, so that a
 * bootstrap adds up counts. Knows nothing of models.
 */
import { z } from 'zod'

const ORDERS = 6
/** Recall counts this many times as much as precision. */
const BETA = 2

/** For each order of n-grams: in both, in what was written, in the reference. */
export const CharacterTally = z.array(z.object({ both: z.number().int(), written: z.number().int(), reference: z.number().int() })).length(ORDERS)
export type CharacterTally = z.infer<typeof CharacterTally>

/** Character n-grams of one to six, spaces left out (Popović 2015; as sacreBLEU counts chrF2). */
export function characterTally(written: string, reference: string): CharacterTally {
  const [own, right] = [characters(written), characters(reference)]
  return Array.from({ length: ORDERS }, (_, index) => {
    const [left, other] = [grams(own, index + 1), grams(right, index + 1)]
    let both = 0
    for (const [gram, count] of left) both += Math.min(count, other.get(gram) ?? 0)
    return { both, written: Math.max(0, own.length - index), reference: Math.max(0, right.length - index) }
  })
}

/** chrF2 of cases together, 0 to 1: precision and recall are means over the orders that both sides have. */
export function chrF(tallies: readonly CharacterTally[]): number {
  let [precision, recall, orders] = [0, 0, 0]
  for (let order = 0; order < ORDERS; order++) {
    let [both, written, reference] = [0, 0, 0]
    for (const tally of tallies) {
      both += tally[order]!.both
      written += tally[order]!.written
      reference += tally[order]!.reference
    }
    if (!written || !reference) continue
    precision += both / written
    recall += both / reference
    orders++
  }
  if (!orders || !(precision + recall)) return 0
  precision /= orders
  recall /= orders
  return ((1 + BETA ** 2) * precision * recall) / (BETA ** 2 * precision + recall)
}

const characters = (text: string): string[] => [...text.normalize('NFC').replace(/\s+/gu, '')]

function grams(text: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let at = 0; at + order <= text.length; at++) {
    const gram = text.slice(at, at + order).join('')
    counts.set(gram, (counts.get(gram) ?? 0) + 1)
  }
  return counts
}
