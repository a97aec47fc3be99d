/**
 * Run: the command that measures the bases: `npm run base:eval [-- --quick] [--only TASK] [--base FILE]... [--json FILE] [--seeds N]
 * [--seconds N] [--recipe '{"method":"full"}'] [--tasks DIR] [--threads N] [--part bits|probes|serving|tasks]`. What is in the JSON file
 * is not measured again.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isRefusal } from '../../src/core/errors.ts'
import { parseOverride, type Recipe } from '../../src/core/recipe.ts'
import { fileHash } from '../../src/drivers/files/hash.ts'
import { bitsPerByte, readHeldOut } from './bits.ts'
import { fineTune, writeUntrained } from './finetune.ts'
import { probe } from './probes.ts'
import { bitsTable, type Column, probesTable, Results, servingLines, taskTable } from './results.ts'
import { serving } from './serving.ts'
import { QUICK, readEngineered, readTask, TASKS } from './tasks.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const HELD_OUT = here('./held-out.jsonl.gz')
const BASES = here('../')
/** Seconds of training a cell has; with --quick six cells and the rest stay within 20 minutes. */
const SECONDS = 300
const QUICK_SECONDS = 120
const LENGTH = 256
const PARTS: readonly string[] = ['bits', 'probes', 'serving', 'tasks']
const folder = mkdtempSync(join(tmpdir(), 'base-eval-'))

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...{ quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true }, base: { type: 'string', multiple: true } },
      ...{ json: { type: 'string' }, seeds: { type: 'string' }, seconds: { type: 'string' }, recipe: { type: 'string' } },
      ...{ tasks: { type: 'string', default: here('../../bench/tasks') }, threads: { type: 'string' }, part: { type: 'string' } },
    },
  })
  const whole = (name: 'seeds' | 'seconds' | 'threads', otherwise: number) => {
    const value = values[name] === undefined ? otherwise : Number(values[name])
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is "${values[name]}": give a whole number from 1.`)
    return value
  }
  const { part } = values
  const recipe = readRecipe(values.recipe)
  // Under this name cells of one recipe are kept apart from those of another.
  const method = values.recipe === undefined ? 'lora' : JSON.stringify(recipe)
  if (part !== undefined && !PARTS.includes(part)) throw new Error(`--part is "${part}": say one of ${PARTS.join(', ')}.`)
  const due = (name: string) => part === undefined || part === name
  const threads = whole('threads', availableParallelism())
  const seconds = whole('seconds', values.quick ? QUICK_SECONDS : SECONDS)
  const seeds = Array.from({ length: whole('seeds', values.quick ? 1 : 3) }, (_, index) => index + 1)
  const tasks = values.only ?? [...(values.quick ? QUICK : TASKS)]
  const bases = values.base ?? ownBases()
  if (!bases.length) throw new Error(`There is no base in ${BASES}: name one by --base FILE.`)
  for (const base of bases) if (!existsSync(base)) throw new Error(`There is no base at ${base}: --base names a GGUF file.`)
  const results = new Results(values.json ?? here('./results.json'))
  const named = await Promise.all(
    bases.map(async (path) => ({ path, arm: basename(path, '.gguf').replace(/^modelfactory-base-/, ''), base: await fileHash(path) })),
  )

  if (due('bits')) {
    if (existsSync(HELD_OUT)) {
      const documents = readHeldOut(HELD_OUT)
      for (const { path, arm, base } of named) {
        if (results.findBits(base, LENGTH)) continue
        const bits = await bitsPerByte(path, documents, { length: LENGTH, threads })
        results.addBits({ arm, base, ...bits })
        console.log(`${arm}: ${bits.bitsPerByte.toFixed(4)} bits per byte`)
      }
    } else console.log(`There is no held-out text at ${HELD_OUT}: bits per byte are left out.`)
    console.log(['', ...bitsTable(named.flatMap(({ base }) => results.findBits(base, LENGTH) ?? [])), ''].join('\n'))
  }
  if (due('probes')) {
    for (const { path, arm, base } of named) if (!results.findProbes(base)) results.addProbes({ arm, base, scores: await probe(path, { threads }) })
    console.log([...probesTable(named.flatMap(({ base }) => results.findProbes(base) ?? [])), ''].join('\n'))
  }
  if (due('serving')) {
    for (const { path, arm, base } of named)
      for (const using of new Set([1, threads]))
        if (!results.findServing(base, using)) results.addServing({ arm, base, ...(await serving(path, { threads: using })) })
    console.log(
      [...servingLines(named.flatMap(({ base }) => [...new Set([1, threads])].flatMap((using) => results.findServing(base, using) ?? []))), ''].join('\n'),
    )
  }
  if (!due('tasks')) return

  const columns = named.flatMap(({ path, arm, base }) => [
    { arm: `untrained ${arm}`, base, path, untrained: true },
    { arm, base, path, untrained: false },
  ])
  // Seeds come last: after one of each there is a whole table, however coarse.
  for (const seed of seeds)
    for (const name of tasks)
      for (const { arm, base, path, untrained } of columns) {
        const place = { arm, task: name, seed, seconds, method, base }
        if (results.find(place)) continue
        const task = readTask(values.tasks, name)
        let start = path
        if (untrained) {
          start = join(folder, 'untrained.gguf')
          await writeUntrained(path, start, seed)
        }
        console.log(`${arm}, ${name}, seed ${seed}:`)
        const found = await fineTune({
          base: start,
          task,
          seed,
          seconds,
          recipe,
          threads,
          folder: join(folder, 'cell'),
          tell: (line) => console.log(`  ${line}`),
        })
        results.add({ ...place, ...found })
        console.log(
          `  macro-F1 ${(100 * found.macroF1).toFixed(1)}, accuracy ${(100 * found.accuracy).toFixed(1)}, ${found.steps} steps in ${found.trainingSeconds} s, exam ${found.examSeconds} s`,
        )
      }
  const shown: Column[] = columns.map(({ arm, base }) => ({ arm, base }))
  console.log(['', ...taskTable(results, { columns: shown, tasks, seeds, seconds, method, engineered: readEngineered(values.tasks) })].join('\n'))
}

/** Settings of `--recipe`. @throws {Error} naming the setting that is none. */
function readRecipe(text: string | undefined): Partial<Recipe> {
  if (text === undefined) return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Error(`--recipe is ${text}: give a JSON object such as '{"method":"full"}'.`, { cause })
  }
  const parsed = parseOverride(value)
  if (isRefusal(parsed)) throw new Error(`${parsed.message} ${parsed.hint}`)
  return parsed
}

/** The Q8_0 files of the repository, largest version last. */
function ownBases(): string[] {
  return readdirSync(BASES)
    .filter((name) => name.endsWith('.q8_0.gguf'))
    .sort()
    .map((name) => join(BASES, name))
}
