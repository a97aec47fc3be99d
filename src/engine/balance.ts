/**
 * Balance: weights that let every class count the same, however often it occurs. Knows nothing of what classes are.
 */
import type { Read, Sequence } from './packing.ts'

/** No class counts more than this many times what it would without balancing: a class of one example is mostly noise. */
export const HIGHEST = 10

/**
 * The factor of each class: total / (classes that occur * total of the class), over the read weights of `training`, at most
 * {@link HIGHEST}. Reads that are told apart within labels of their own (tasks) are counted by themselves. A class that
 * does not occur has no factor.
 */
export function balance(training: readonly Sequence[]): (read: Read) => number {
  const tasks = new Map<string, Map<number, number>>()
  for (const { reads } of training)
    for (const read of reads) {
      const totals = tasks.get(task(read)) ?? new Map<number, number>()
      tasks.set(task(read), totals.set(read.label, (totals.get(read.label) ?? 0) + read.weight))
    }
  const factors = new Map<string, Map<number, number>>()
  for (const [name, totals] of tasks) {
    const present = [...totals].filter(([, weight]) => weight > 0)
    const total = present.reduce((sum, [, weight]) => sum + weight, 0)
    factors.set(name, new Map(present.map(([label, weight]) => [label, Math.min(HIGHEST, total / (present.length * weight))])))
  }
  return (read) => factors.get(task(read))?.get(read.label) ?? 1
}

/** Sequences whose reads count by the factor too. */
export function balanced(sequences: readonly Sequence[], factor: (read: Read) => number): Sequence[] {
  return sequences.map((sequence) => ({ ...sequence, reads: sequence.reads.map((read) => ({ ...read, weight: read.weight * factor(read) })) }))
}

const task = ({ labels }: Read): string => labels?.join() ?? 'all'
