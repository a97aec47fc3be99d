/**
 * Cases -> exam, practice, training: the exam first, whole groups only, each kind in its share.
 * What falls where depends on the groups' names and the seed alone. Knows nothing of texts or files.
 */
import { type Example, fraction } from '../core/dataset.ts'

export type Parts = { exam: Example[]; practice: Example[]; training: Example[] }

export const examSize = { share: 0.2, least: 30, most: 200 }
export const practiceSize = { share: 0.12, least: 10, most: 400 }

/** `kind` is what is kept in proportion: the label, or whether the pages cover the question. */
export function part(cases: readonly Example[], kind: (example: Example) => string, seed: number): Parts {
  const totals = count(cases, kind)
  const examTarget = Math.min(Math.max(Math.round(cases.length * examSize.share), examSize.least), examSize.most)
  const exam = choose(cases, kind, totals, examTarget, examSize.most, seed, new Map())
  const inExam = new Set(exam)
  const rest = cases.filter((example) => !inExam.has(example))
  const practice = choose(rest, kind, totals, practiceTarget(cases), practiceSize.most, seed + 1, count(exam, kind))
  const inPractice = new Set(practice)
  return { exam, practice, training: rest.filter((example) => !inPractice.has(example)) }
}

/** Practice and training alone, where the exam came as a file of its own. */
export function practicePart(cases: readonly Example[], kind: (example: Example) => string, seed: number): Omit<Parts, 'exam'> {
  const practice = new Set(choose(cases, kind, count(cases, kind), practiceTarget(cases), practiceSize.most, seed + 1, new Map()))
  return { practice: [...practice], training: cases.filter((example) => !practice.has(example)) }
}

const practiceTarget = (cases: readonly Example[]): number =>
  Math.min(Math.max(Math.round(cases.length * practiceSize.share), practiceSize.least), practiceSize.most)

const count = (cases: readonly Example[], kind: (example: Example) => string): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const example of cases) counts.set(kind(example), (counts.get(kind(example)) ?? 0) + 1)
  return counts
}

/**
 * Takes whole groups in an order the seed decides, the best of each dozen, as long as enough of a group's cases are still wanted
 * and no kind is left with fewer cases for learning than it has to give. `gone` counts what earlier parts took.
 */
function choose(
  cases: readonly Example[],
  kind: (example: Example) => string,
  totals: ReadonlyMap<string, number>,
  target: number,
  most: number,
  seed: number,
  gone: ReadonlyMap<string, number>,
): Example[] {
  const all = [...totals.values()].reduce((sum, value) => sum + value, 0)
  const wanted = new Map([...totals].map(([name, total]) => [name, (total * target) / all]))
  const left = new Map([...totals].map(([name, total]) => [name, total - (gone.get(name) ?? 0)]))
  const groups = new Map<string, Example[]>()
  for (const example of cases) {
    const members = groups.get(example.group)
    if (members) members.push(example)
    else groups.set(example.group, [example])
  }
  const order = [...groups].map(([name, members]) => ({ members, place: fraction(name, seed) })).sort((a, b) => a.place - b.place)
  const taken: Example[] = []
  const aims = new Map(wanted)
  let waiting = order.filter((group) => group.members.length <= most).map((group) => ({ members: group.members, kinds: count(group.members, kind) }))
  // The first round takes groups that fit well, the second fills what is still missing with groups that fit less well.
  for (const fit of [0.5, 0.25]) {
    let place = 0
    while (taken.length < target && place < waiting.length) {
      const dozen = waiting.slice(place, place + 12).map((group) => ({ group, value: worth(group) }))
      const best = dozen.reduce((found, entry) => (entry.value > found.value ? entry : found), { group: dozen[0]!.group, value: 0 })
      if (best.value === 0) {
        place += 12
        continue
      }
      for (const [name, number] of best.group.kinds) {
        wanted.set(name, wanted.get(name)! - number)
        left.set(name, left.get(name)! - number)
      }
      taken.push(...best.group.members)
      waiting = waiting.filter((group) => group !== best.group)
    }
    /** What a group adds to the kinds still wanted, the scarce ones before all; 0 when it does not fit. */
    function worth(group: { members: Example[]; kinds: Map<string, number> }): number {
      if (taken.length + group.members.length > most) return 0
      let useful = 0
      let value = 0
      for (const [name, number] of group.kinds) {
        const part = Math.min(number, Math.max(wanted.get(name)!, 0))
        useful += part
        value += part / aims.get(name)!
        if (left.get(name)! - number < Math.max(1, Math.floor(totals.get(name)! * 0.45))) return 0
      }
      return useful < group.members.length * fit ? 0 : value / group.members.length
    }
  }
  const chosen = new Set(taken)
  return cases.filter((example) => chosen.has(example))
}
