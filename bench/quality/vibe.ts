/**
 * Vibe: one cell of the vibe arm. What a domain expert does, done: a sentence and the files go through the command line into a data folder of
 * their own, and what came of it is read back from the package in that folder. Knows nothing of other arms or of tables.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { exampleId, type Passage } from '../../src/core/dataset.ts'
import { isRefusal, type Refusal, refuse } from '../../src/core/errors.ts'
import { OpenedExam } from '../../src/core/exam.ts'
import { type Id, Id as IdSchema } from '../../src/core/id.ts'
import { entityTally } from '../../src/core/report.ts'
import { type Said as SaidToCase, Sheet } from '../../src/core/sheet.ts'
import { folderStore } from '../../src/drivers/store/folder.ts'
import type { Store } from '../../src/ports/store.ts'
import { unpack } from '../../src/steps/pack.ts'
import { supports, worth } from '../../src/steps/worth.ts'
import type { Cell } from './results.ts'
import { type Said, saidLabels, saidTallies, saidWorths } from './score.ts'
import type { Task } from './task.ts'

const BIN = fileURLToPath(new URL('../../bin/modelfactory.mjs', import.meta.url))
/** Flags that hand something over or say how the command is to speak: no settings. */
const NO_SETTINGS = ['--files', '--data', '--json', '--yes']
/** A command that takes this much longer than its budget hangs. */
const PATIENCE_MINUTES = 45

export type Read = Pick<Cell, 'said' | 'what' | 'base' | 'figures'>

/** Builds a model of a task and reads what it said of every case. A refusal of the command is the cell's outcome; faults are thrown. */
export async function vibeCell(
  task: Task,
  { seed, budgetMinutes, tell }: { seed: number; budgetMinutes: number; tell?: (line: string) => void },
): Promise<Pick<Cell, 'minutes' | 'refused' | 'package' | 'effort'> & Read> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-quality-'))
  try {
    for (const file of task.files) write(join(folder, 'files', file.name), file.text)
    write(join(folder, 'exam', task.exam.name), task.exam.text)
    const words = task.description.sentence
    const flags = ['--files', join(folder, 'files'), '--exam', join(folder, 'exam', task.exam.name), '--minutes', String(budgetMinutes)]
    // The first seed is the factory's own; others are the benchmark's wish, and count as a setting.
    if (seed !== 1) flags.push('--recipe', JSON.stringify({ seed }))
    const data = ['--data', join(folder, 'data')]
    flags.push(...data, '--yes', '--json')
    const began = Date.now()
    const reply = await modelfactory(['build', words, ...flags], Built, { minutes: budgetMinutes + PATIENCE_MINUTES, tell })
    const measured = { minutes: (Date.now() - began) / 60_000, effort: effortOf(words, flags) }
    const nothing = { package: null, said: {}, what: {}, base: null, figures: {} }
    if (isRefusal(reply)) return { ...measured, ...nothing, refused: { code: reply.code, message: reply.message } }
    // The builder's own copy of the sealed cases says which answer is to which of them.
    const cases = join(folder, 'cases.json')
    const opened = await modelfactory(['exam', 'cases', reply.model, '--to', cases, ...data, '--json'], z.unknown(), { minutes: PATIENCE_MINUTES })
    if (isRefusal(opened)) return { ...measured, ...nothing, package: reply.package, refused: { code: opened.code, message: opened.message } }
    const exam = OpenedExam.parse(JSON.parse(readFileSync(cases, 'utf8')))
    const read = await readBuild(folderStore(join(folder, 'data', 'store')), reply.package, { task, exam })
    if (isRefusal(read)) return { ...measured, ...nothing, package: reply.package, refused: { code: read.code, message: read.message } }
    return { ...measured, refused: null, package: reply.package, ...read }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** What was typed and touched, counted from what the command was given. */
export function effortOf(words: string, flags: readonly string[]): Cell['effort'] {
  const settings = flags.filter((flag) => flag.startsWith('--') && !NO_SETTINGS.includes(flag))
  return { words: words.split(/\s+/).filter(Boolean).length, settings, linesOfCode: 0 }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const Built = z.object({ package: IdSchema, model: z.string() })
const Refused = z.object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string() }) })

/** Runs the command to its end. @throws {Error} when its last line is neither a result nor a refusal. */
async function modelfactory<Result>(
  args: readonly string[],
  result: z.ZodType<Result>,
  { minutes, tell }: { minutes: number; tell?: ((line: string) => void) | undefined },
): Promise<Result | Refusal> {
  // What this shell has set for other work is not what a newcomer has.
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MODELFACTORY_')))
  const child = spawn(process.execPath, [BIN, ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk).slice(-20_000)
    for (const line of String(chunk).split('\n')) if (line.trim()) tell?.(line)
  })
  const timer = setTimeout(() => child.kill('SIGTERM'), minutes * 60_000)
  const stop = () => child.kill('SIGTERM')
  process.once('exit', stop)
  const ended = await new Promise<number | string>((end, fail) => child.once('close', (code, signal) => end(code ?? String(signal))).once('error', fail))
  clearTimeout(timer)
  process.off('exit', stop)
  let last: unknown
  try {
    last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  } catch {
    last = undefined
  }
  const wanted = result.safeParse(last)
  if (ended === 0 && wanted.success && last !== undefined) return wanted.data
  const refused = Refused.safeParse(last)
  if (refused.success) return refuse(refused.data.error.code, refused.data.error.message, refused.data.error.hint)
  throw new Error(`The command ended with ${ended} and no result: ${stderr.trim().split('\n').slice(-5).join(' | ')}`)
}

/**
 * What every arm of a build's exam said of the task's cases, from the package in its store. Refuses an exam of other cases: the factory then
 * read other columns than the task names, and nothing can be compared.
 */
export async function readBuild(store: Store, packageId: Id, { task, exam }: { task: Task; exam: OpenedExam }): Promise<Read | Refusal> {
  const { manifest, report, passages } = await unpack({ store }, packageId)
  const { arms } = Sheet.parse(JSON.parse(new TextDecoder().decode(await store.get(report.predictions))))
  const places = new Map(exam.cases.map(({ input, answer, truth: { covered: _, ...right } }, index) => [exampleId({ input, answer, ...right }), index]))
  const examined = task.cases.filter(({ id }) => places.has(id)).length
  const foreign = exam.cases.length - examined
  if (foreign)
    return refuse(
      'other_cases',
      `${foreign} of the ${exam.cases.length} cases it was examined on are not the task's: it read other columns, or changed what they say.`,
      'Look at its plan: modelfactory plan.',
    )
  const said: Record<string, Said> = {}
  // The model as served among others is also told apart: not every build has a part of its own for each name.
  for (const [arm, all] of Object.entries(arms)) if (all.length === exam.cases.length) said[arm] = saidBy(task, (id) => all[places.get(id) ?? -1])
  const what = Object.fromEntries(report.arms.map((arm) => [arm.name, arm.what]))
  const tuned = arms.tuned ?? []
  const figures: Record<string, number> = {
    ...{ examined, latencyMs: report.latencyMs },
    ...(task.description.kind === 'answer' ? citations(task, passages, (id) => tuned[places.get(id) ?? -1]) : {}),
  }
  return { said, what, base: manifest.base.sha256, figures }
}

/** One arm's answers, in the order of the task's cases; a case it was not asked is one it said nothing of. */
export function saidBy(task: Task, saidTo: (id: Id) => SaidToCase | undefined): Said {
  const { description, labels, cases } = task
  if (description.kind === 'classify')
    return saidLabels(
      labels,
      cases.map(({ id }) => saidTo(id)?.label),
    )
  if (description.kind === 'extract') return saidTallies(cases.map(({ id, entities }) => entityTally(saidTo(id)?.entities ?? [], entities!)))
  return saidWorths(
    cases.map(({ id, answer }) => {
      const quoted = saidTo(id)?.quotes?.join(' ')
      return quoted === undefined ? undefined : worth(quoted, answer!)
    }),
  )
}

/** A sentence this short stands in many passages. */
const TELLING = 20

/**
 * Coverage, the share of questions that were answered; and of the passages that were quoted, the share that holds a sentence of the right
 * answer. Whoever refuses everything has a coverage, and a score, of 0.
 */
function citations(task: Task, passages: readonly Passage[], saidTo: (id: Id) => SaidToCase | undefined): Record<string, number> {
  let [answered, cited, right] = [0, 0, 0]
  for (const { id, answer } of task.cases) {
    const quoted = saidTo(id)?.quotes?.join(' ')
    if (quoted === undefined) continue
    answered++
    const holds = supports(answer!)
    for (const { sentences } of passages) {
      if (!sentences.some((sentence) => sentence.length >= TELLING && quoted.includes(sentence))) continue
      cited++
      if (sentences.some(holds)) right++
    }
  }
  return { coverage: answered / task.cases.length, citations: cited, citationsRight: cited ? right / cited : 0 }
}
