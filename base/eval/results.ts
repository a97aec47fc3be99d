/**
 * Results: what was measured, cell by cell in one JSON file, and as the tables of the card, which name the cells that are missing. Knows
 * nothing of how a cell is measured.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { writeWhole } from '../../src/engine/checkpoint.ts'

const Cell = z.object({
  arm: z.string(),
  task: z.string(),
  seed: z.number(),
  seconds: z.number(),
  method: z.string(),
  /** SHA-256 of the base's file; of the untrained arm, of the base whose shape it has. */
  base: z.string(),
  accuracy: z.number(),
  macroF1: z.number(),
  steps: z.number(),
  bestStep: z.number(),
  learningRate: z.number(),
  trainingSeconds: z.number(),
  examSeconds: z.number(),
})
const BitsCell = z.object({
  arm: z.string(),
  base: z.string(),
  length: z.number(),
  bitsPerByte: z.number(),
  sources: z.record(z.string(), z.number()),
  languages: z.record(z.string(), z.number()),
  agreement: z.object({ tokens: z.number(), ours: z.number(), llamaCpp: z.number(), relative: z.number() }),
})
const Probed = z.object({
  arm: z.string(),
  base: z.string(),
  scores: z.record(z.string(), z.object({ n: z.number(), share: z.number(), interval: z.tuple([z.number(), z.number()]) })),
})
const Served = z.object({ arm: z.string(), base: z.string(), threads: z.number(), readPerSecond: z.number(), writtenPerSecond: z.number(), bytes: z.number() })
const Stored = z.object({ cells: z.array(Cell), bits: z.array(BitsCell), probes: z.array(Probed).default([]), serving: z.array(Served).default([]) })
export type Probed = z.infer<typeof Probed>
export type Served = z.infer<typeof Served>
export type Cell = z.infer<typeof Cell>
export type BitsCell = z.infer<typeof BitsCell>
/** What tells one cell from another. */
export type Place = Pick<Cell, 'arm' | 'task' | 'seed' | 'seconds' | 'method' | 'base'>

export class Results {
  readonly #path: string
  readonly #stored: z.infer<typeof Stored>

  /** @throws {Error} when the file is there and holds something else. */
  constructor(path: string) {
    this.#path = path
    if (!existsSync(path)) this.#stored = { cells: [], bits: [], probes: [], serving: [] }
    else {
      const parsed = Stored.safeParse(JSON.parse(readFileSync(path, 'utf8')))
      if (!parsed.success) throw new Error(`${path} holds no results of base:eval: give --json another name.`, { cause: parsed.error })
      this.#stored = parsed.data
    }
  }

  find(place: Place): Cell | undefined {
    return this.#stored.cells.find((cell) => (Object.keys(place) as (keyof Place)[]).every((key) => cell[key] === place[key]))
  }

  findBits(base: string, length: number): BitsCell | undefined {
    return this.#stored.bits.find((bits) => bits.base === base && bits.length === length)
  }

  findProbes(base: string): Probed | undefined {
    return this.#stored.probes.find((one) => one.base === base)
  }

  findServing(base: string, threads: number): Served | undefined {
    return this.#stored.serving.find((one) => one.base === base && one.threads === threads)
  }

  addProbes(probed: Probed): void {
    this.#stored.probes.push(probed)
    this.#write()
  }

  addServing(served: Served): void {
    this.#stored.serving.push(served)
    this.#write()
  }

  add(cell: Cell): void {
    this.#stored.cells.push(cell)
    this.#write()
  }

  addBits(bits: BitsCell): void {
    this.#stored.bits.push(bits)
    this.#write()
  }

  #write(): void {
    mkdirSync(dirname(this.#path), { recursive: true })
    writeWhole(this.#path, [new TextEncoder().encode(`${JSON.stringify(this.#stored, null, 1)}\n`)])
  }
}

export type Column = { arm: string; base: string }
export type TableOptions = {
  columns: readonly Column[]
  tasks: readonly string[]
  seeds: readonly number[]
  seconds: number
  method: string
  engineered: ReadonlyMap<string, { accuracy: number; macroF1: number }>
}

/**
 * Macro-F1 (and accuracy) in percent on the test parts, a column an arm, the mean of its seeds and half their range; the means over the
 * tasks, the gain over the untrained arm of the same shape and the distance to the SVM, over tasks where both are there.
 */
export function taskTable(results: Results, options: TableOptions): string[] {
  const { columns, tasks, seeds, seconds, method, engineered } = options
  const missing: string[] = []
  const scores = (task: string, { arm, base }: Column) => {
    const cells = seeds.map((seed) => results.find({ arm, task, seed, seconds, method, base }))
    for (const [index, cell] of cells.entries()) if (!cell) missing.push(`${arm} ${task} seed ${seeds[index]}`)
    return cells.filter((cell) => cell !== undefined)
  }
  const found = new Map(columns.map((column) => [column.arm, new Map(tasks.map((task) => [task, scores(task, column)]))]))
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const shown = (cells: readonly Cell[]) => {
    if (!cells.length) return 'missing'
    const f1 = cells.map(({ macroF1 }) => 100 * macroF1)
    const spread = cells.length > 1 ? ` ± ${((Math.max(...f1) - Math.min(...f1)) / 2).toFixed(1)}` : ''
    return `${mean(f1).toFixed(1)}${spread} (${(100 * mean(cells.map(({ accuracy }) => accuracy))).toFixed(1)})`
  }
  const lines = [`| task | ${columns.map(({ arm }) => arm).join(' | ')} | TF-IDF + SVM |`, `|---|${columns.map(() => '---|').join('')}---|`]
  for (const task of tasks) {
    const svm = engineered.get(task)
    const own = columns.map(({ arm }) => shown(found.get(arm)!.get(task)!))
    lines.push(`| ${task} | ${own.join(' | ')} | ${svm ? `${(100 * svm.macroF1).toFixed(1)} (${(100 * svm.accuracy).toFixed(1)})` : 'not measured'} |`)
  }
  /** Mean difference of an arm from something else, over the tasks where both are there. */
  const difference = (arm: string, other: (task: string) => number | undefined): string => {
    const gains = tasks.flatMap((task) => {
      const cells = found.get(arm)!.get(task)!
      const against = other(task)
      return cells.length && against !== undefined ? [100 * (mean(cells.map(({ macroF1 }) => macroF1)) - against)] : []
    })
    return gains.length ? `${mean(gains) < 0 ? '' : '+'}${mean(gains).toFixed(1)} over ${gains.length} tasks` : 'missing'
  }
  const untrained = (arm: string) => (task: string) => {
    const cells = found.get(`untrained ${arm}`)?.get(task)
    return cells?.length ? mean(cells.map(({ macroF1 }) => macroF1)) : undefined
  }
  lines.push(`| macro-F1 above untrained | ${columns.map(({ arm }) => (arm.startsWith('untrained') ? '' : difference(arm, untrained(arm)))).join(' | ')} | |`)
  lines.push(`| macro-F1 above the SVM | ${columns.map(({ arm }) => difference(arm, (task) => engineered.get(task)?.macroF1)).join(' | ')} | |`)
  lines.push('', `Macro-F1 (accuracy) in percent; ${method}, ${seconds} s of training, ${seeds.length} seed${seeds.length > 1 ? 's, ± half their range' : ''}.`)
  lines.push(missing.length ? `Missing, by running the same command again: ${missing.join('; ')}.` : 'No cell is missing.')
  return lines
}

/** Bits per byte by source and by language, a column a file. */
export function bitsTable(all: readonly BitsCell[]): string[] {
  if (!all.length) return ['Bits per byte: missing.']
  const lines = [`| held-out text, rows of ${all[0]!.length} | ${all.map(({ arm }) => arm).join(' | ')} |`, `|---|${all.map(() => '---|').join('')}`]
  const row = (name: string, value: (bits: BitsCell) => number | undefined) =>
    lines.push(`| ${name} | ${all.map((bits) => value(bits)?.toFixed(3) ?? '').join(' | ')} |`)
  row('all', ({ bitsPerByte }) => bitsPerByte)
  for (const kind of ['languages', 'sources'] as const)
    for (const name of new Set(all.flatMap((bits) => Object.keys(bits[kind]))))
      row(kind === 'languages' ? `language ${name}` : name, (bits) => bits[kind][name])
  for (const { arm, agreement } of all)
    lines.push(
      ...(arm === all[0]!.arm ? [''] : []),
      `${arm}: llama.cpp ${agreement.llamaCpp} and our engine ${agreement.ours} nats a token on ${agreement.tokens} tokens, ${(100 * agreement.relative).toFixed(2)} % apart.`,
    )
  if (all.length > 1) {
    const [first, ...others] = all
    for (const other of others)
      lines.push(`${other.arm} against ${first!.arm}: ${(100 * (other.bitsPerByte / first!.bitsPerByte - 1)).toFixed(2)} % more bits per byte.`)
  }
  return lines
}

/** Probes in percent with their intervals, a column a file; chance is 50. */
export function probesTable(all: readonly Probed[]): string[] {
  if (!all.length) return ['Probes: missing.']
  const lines = [`| probe, chance 50 % | ${all.map(({ arm }) => arm).join(' | ')} |`, `|---|${all.map(() => '---|').join('')}`]
  const percent = (share: number) => (100 * share).toFixed(0)
  for (const name of new Set(all.flatMap(({ scores }) => Object.keys(scores)))) {
    const shown = all.map(({ scores }) => {
      const found = scores[name]
      return found ? `${percent(found.share)} [${percent(found.interval[0])}, ${percent(found.interval[1])}]` : 'missing'
    })
    lines.push(`| ${name} | ${shown.join(' | ')} |`)
  }
  return lines
}

/** How a base is served, a line a file. */
export function servingLines(all: readonly Served[]): string[] {
  if (!all.length) return ['Serving: missing.']
  return all.map(
    ({ arm, threads, readPerSecond, writtenPerSecond, bytes }) =>
      `${arm}: ${readPerSecond} tokens/s read, ${writtenPerSecond} written, ${(bytes / 1e6).toFixed(0)} MB, ${threads} thread${threads > 1 ? 's' : ''}.`,
  )
}
