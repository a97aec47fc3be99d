/**
 * Results: every cell that was measured, in one JSON file that is replaced whole after each, and what was last asked for. Knows nothing of how a
 * cell is measured or shown.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { z } from 'zod'
import { type Id, Id as IdSchema } from '../../src/core/id.ts'
import { writeWhole } from '../../src/engine/checkpoint.ts'
import { saidLabels } from './score.ts'
import type { Task } from './task.ts'

const Machine = z.object({ processor: z.string(), cores: z.number().int(), memoryGb: z.number(), node: z.string(), platform: z.string() })
export type Machine = z.infer<typeof Machine>

/** What a task was when its cells were measured: enough to score and to show them without its folder. */
const Asked = z.object({
  dataId: IdSchema,
  ...{ sentence: z.string(), kind: z.enum(['classify', 'extract', 'answer']), metric: z.string() },
  /** `inferred` holds what nobody had written down. */
  ...{ from: z.enum(['task.json', 'known', 'inferred']), inferred: z.array(z.string()) },
  flags: z.array(z.object({ code: z.string(), text: z.string() })),
  rows: z.object({ train: z.number().int(), validation: z.number().int(), exam: z.number().int(), files: z.number().int() }),
  labels: z.array(z.string()),
  truth: z.string(),
  published: z.string().nullable(),
  /** Another's figures of the same split, by metric, with how they were got. */
  quoted: z.object({ how: z.string(), figures: z.record(z.string(), z.number()) }).nullable(),
})
export type Asked = z.infer<typeof Asked>

const Cell = z.object({
  ...{ task: z.string(), dataId: IdSchema, arm: z.enum(['vibe', 'engineered', 'challenger']) },
  /** Of the engineered arm, which is the same every time, 0 and null. */
  ...{ seed: z.number().int(), budgetMinutes: z.number().nullable() },
  ...{ date: z.string(), machine: Machine, minutes: z.number() },
  /** Why there is no score: the sentence the arm itself gave. */
  refused: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** What was said of each case (score.ts), by part: of the vibe arm `tuned` is what is served, the rest are the other arms of its own exam. */
  said: z.record(z.string(), z.string()),
  what: z.record(z.string(), z.string()),
  package: IdSchema.nullable(),
  base: IdSchema.nullable(),
  /** What a person did for it: words typed, settings touched by name, and where code had to be written, its lines. */
  effort: z.object({ words: z.number().int(), settings: z.array(z.string()), linesOfCode: z.number().int() }),
  figures: z.record(z.string(), z.number()),
})
export type Cell = z.infer<typeof Cell>
/** What tells one cell from another. */
export type Place = Pick<Cell, 'task' | 'dataId' | 'arm' | 'seed' | 'budgetMinutes'>

/** What a run is to measure; its missing cells are named until they are there. */
const Plan = z.object({
  tasks: z.array(z.string()),
  seeds: z.array(z.number().int()),
  budgetMinutes: z.number(),
  /** Tasks that cannot be examined, and why. */
  refused: z.array(z.object({ task: z.string(), code: z.string(), message: z.string() })),
})
export type Plan = z.infer<typeof Plan>

const Stored = z.object({ format: z.literal('modelfactory/quality@1'), plan: Plan.nullable(), tasks: z.record(z.string(), Asked), cells: z.array(Cell) })
export type Stored = z.infer<typeof Stored>

export class Results {
  readonly #path: string
  readonly #stored: Stored

  /** @throws {Error} when the file is there and holds something else. */
  constructor(path: string) {
    this.#path = path
    if (!existsSync(path)) this.#stored = { format: 'modelfactory/quality@1', plan: null, tasks: {}, cells: [] }
    else {
      let value: unknown
      try {
        value = JSON.parse(readFileSync(path, 'utf8'))
      } catch (cause) {
        throw new Error(`${path} is not JSON: give --json another name.`, { cause })
      }
      const parsed = Stored.safeParse(value)
      if (!parsed.success) throw new Error(`${path} holds no results of bench:quality: give --json another name.`, { cause: parsed.error })
      this.#stored = parsed.data
    }
  }

  get all(): Readonly<Stored> {
    return this.#stored
  }

  plan(plan: Plan): void {
    this.#stored.plan = plan
    this.#write()
  }

  /** Keeps what a task is; cells of the same name with other data stay, and are not shown. */
  ask(name: string, asked: Asked): void {
    this.#stored.tasks[name] = asked
    this.#write()
  }

  find(place: Place): Cell | undefined {
    return findCell(this.#stored, place)
  }

  add(cell: Cell): void {
    this.#stored.cells.push(cell)
    this.#write()
  }

  #write(): void {
    mkdirSync(dirname(this.#path), { recursive: true })
    writeWhole(this.#path, [new TextEncoder().encode(`${JSON.stringify(this.#stored, null, 1)}\n`)])
  }
}

export function findCell(stored: Readonly<Stored>, place: Place): Cell | undefined {
  return stored.cells.find((cell) => (Object.keys(place) as (keyof Place)[]).every((key) => cell[key] === place[key]))
}

/** Where the cells of a plan are kept: for each task the engineered one, where there is one, and one vibe cell a seed. Seeds come last. */
export function placesOf(plan: Pick<Plan, 'tasks' | 'seeds' | 'budgetMinutes'>, tasks: Readonly<Record<string, Pick<Asked, 'dataId' | 'kind'>>>): Place[] {
  return plan.seeds.flatMap((seed, round) =>
    plan.tasks.flatMap((task): Place[] => {
      const asked = tasks[task]
      if (!asked) return []
      const { dataId } = asked
      const engineered: Place[] = round === 0 && asked.kind === 'classify' ? [{ task, dataId, arm: 'engineered', seed: 0, budgetMinutes: null }] : []
      return [...engineered, { task, dataId, arm: 'vibe', seed, budgetMinutes: plan.budgetMinutes }]
    }),
  )
}

export const placeName = ({ task, arm, seed }: Place): string => (arm === 'engineered' ? `${arm} ${task}` : `${arm} ${task} seed ${seed}`)

/** What is kept of a task beside its cells. */
export function askedOf(task: Task, quoted: Asked['quoted']): Asked {
  const { description, labels, cases } = task
  return {
    ...{ dataId: task.dataId as Id, sentence: description.sentence, kind: description.kind, metric: description.metric },
    ...{ from: task.from, inferred: task.inferred, flags: task.flags, labels, published: task.published, quoted },
    rows: { train: task.train.length, validation: task.validation.length, exam: cases.length, files: task.files.length },
    truth:
      description.kind === 'classify'
        ? saidLabels(
            labels,
            cases.map(({ label }) => label),
          )
        : '',
  }
}

/** This machine, as far as it bears on minutes. */
export function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  }
}
