/**
 * Benchmark: the quality benchmark's figures as the studio shows them: one sentence against an engineer, task by task, with everything a
 * reader needs to doubt them. Plain data; knows nothing of how it is measured.
 */
import { z } from 'zod'

const Interval = z.tuple([z.number(), z.number()])
const Verdict = z.enum(['win', 'tie', 'loss'])
/** Of a paired bootstrap on the same cases, as shares: 0.01 is one point. */
const Comparison = z.object({ difference: z.number(), interval: Interval, verdict: Verdict })
const Sum = z.object({ compared: z.number().int(), win: z.number().int(), tie: z.number().int(), loss: z.number().int() })

export const Benchmark = z.object({
  format: z.literal('modelfactory/benchmark@1'),
  tasks: z.array(
    z.object({
      ...{ task: z.string(), sentence: z.string(), kind: z.enum(['classify', 'extract', 'answer']), metric: z.string(), labels: z.number().int() },
      rows: z.object({ train: z.number(), validation: z.number(), exam: z.number(), files: z.number() }),
      /** Mean over seeds, and half their range where there are several. */
      score: z.object({ mean: z.number(), spread: z.number().nullable() }).nullable(),
      other: z.object({ name: z.string(), what: z.string(), score: z.number() }).nullable(),
      /** Other arms of the build's own exam: `neural`, `classical`, `base`. */
      beside: z.record(z.string(), z.number()),
      comparison: Comparison.nullable(),
      /** What another program reached with the engineer's kind of classifier. */
      quoted: z.object({ score: z.number(), how: z.string() }).nullable(),
      published: z.string().nullable(),
      oddities: z.array(z.string()),
      /** Why builds gave no model, where they did not. */
      refused: z.array(z.string()),
      ...{ seeds: z.number().int(), minutes: z.number().nullable(), words: z.number().nullable(), settings: z.array(z.string()) },
    }),
  ),
  sums: z.object({ all: Sum, reach: Sum.extend({ of: z.number(), heldWanted: z.number(), wonWanted: z.number() }) }),
  entries: z.array(
    z.object({
      ...{ task: z.string(), name: z.string(), date: z.string(), package: z.string().nullable(), score: z.number().nullable(), why: z.string().nullable() },
      against: z.array(z.object({ arm: z.string(), score: z.number(), comparison: Comparison })),
    }),
  ),
  missing: z.array(z.string()),
  notExamined: z.array(z.object({ task: z.string(), message: z.string() })),
  /** Machines, and the days of the first and the last cell. */
  measured: z.object({ from: z.string().nullable(), to: z.string().nullable(), machines: z.array(z.string()) }),
})
export type Benchmark = z.infer<typeof Benchmark>
