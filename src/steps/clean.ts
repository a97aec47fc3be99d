/**
 * Examples -> examples that repeat and contradict each other no more, near ones bound into one group, and what was found.
 * Knows nothing of files, parts or models.
 */
import { ADDED } from '../core/corrections.ts'
import { duplicateKey, type Example, outcomeKey, outcomeText } from '../core/dataset.ts'
import type { Findings } from '../core/findings.ts'
import { likenessOf } from './likeness.ts'

const rank = ({ source, made }: Example): number => (source.file === ADDED ? 0 : made === undefined ? 1 : 2)

export type Cleaned = { cases: Example[] } & Pick<Findings, 'duplicates' | 'contradictions'>

const shownContradictions = 20

/**
 * One of each: exact and near duplicates go when they say the same; an input with several labels keeps the one most rows
 * give, and goes when there is no such one. Near duplicates that say different things stay, bound to one group. What people
 * wrote comes before what was made.
 */
export function clean(cases: readonly Example[]): Cleaned {
  const byKey = new Map<string, Example[]>()
  // What the expert added first, then real examples: of two that say the same, the later is the duplicate.
  for (const item of [...cases].sort((a, b) => rank(a) - rank(b))) {
    const key = duplicateKey(item.input)
    const same = byKey.get(key)
    if (same) same.push(item)
    else byKey.set(key, [item])
  }
  const duplicates = { exact: 0, near: 0 }
  const contradictions: Findings['contradictions'] = { count: 0, shown: [] }
  const singles: Example[] = []
  for (const same of byKey.values()) {
    const votes = new Map<string, Example[]>()
    for (const item of same) {
      const said = outcomeKey(item)
      const before = votes.get(said)
      if (before) before.push(item)
      else votes.set(said, [item])
    }
    const sides = [...votes.values()].sort((a, b) => b.length - a.length)
    const [first, second] = sides
    duplicates.exact += same.length - votes.size
    // Questions and translations may well have two right answers: the first stands. A label cannot be two things.
    const label = first![0]!.label !== undefined || first![0]!.labels !== undefined || first![0]!.entities !== undefined
    // What the expert wrote about this very input is right, however many rows say something else.
    const own = same.findLast(({ source }) => source.file === ADDED)
    const kept = own ?? (!second || second.length < first!.length || !label ? first![0]! : null)
    if (second) {
      contradictions.count++
      if (contradictions.shown.length < shownContradictions)
        contradictions.shown.push({
          input: same[0]!.input.slice(0, 200),
          said: sides.map((items) => ({ outcome: outcomeText(items[0]!).slice(0, 200), rows: items.slice(0, 20).map((item) => item.source.row ?? 0) })),
          kept: kept && outcomeText(kept).slice(0, 200),
        })
    }
    if (kept) singles.push(kept)
  }
  const group = new Map<string, string>()
  const root = (name: string): string => {
    let found = name
    while (group.has(found)) found = group.get(found)!
    return found
  }
  const likeness = likenessOf(singles.length)
  const kept: Example[] = []
  for (const item of singles) {
    const alike = likeness.find(item.input).map((index) => kept[index]!)
    if (alike.some((other) => outcomeKey(other) === outcomeKey(item))) {
      duplicates.near++
      continue
    }
    for (const other of alike) if (root(other.group) !== root(item.group)) group.set(root(item.group), root(other.group))
    likeness.add(item.input)
    kept.push(item)
  }
  return { cases: kept.map((item) => ({ ...item, group: root(item.group) })), duplicates, contradictions }
}
