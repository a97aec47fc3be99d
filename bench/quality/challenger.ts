/**
 * Challenger: anybody's entry to a task. A folder with a `predict.mjs` that reads one JSON object a line, `{"input": "..."}`, and writes one a line:
 * `{"label": "..."}`, `{"answer": "..." or null}` or `{"entities": [{"type", "start", "end"}]}`. It runs in a process of its own that may read
 * its own folder and nothing else on this machine, write nothing and start nothing (Node's permission model), so that what is right stays unknown to
 * it. The network is not closed to it: that is for whoever runs it to do. Knows nothing of other arms.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../../src/core/errors.ts'
import { contentId, hashBytes, type Id } from '../../src/core/id.ts'
import { entityTally } from '../../src/core/report.ts'
import { worth } from '../../src/steps/worth.ts'
import type { Cell } from './results.ts'
import { type Said, saidLabels, saidTallies, saidWorths } from './score.ts'
import type { Task } from './task.ts'

export type Entry = { name: string; folder: string; id: Id }

/** Memory of its own it may fill, and what it may print. */
const MEGABYTES = 2048
const MOST_OUTPUT = 64 << 20

/** What stands in a folder as an entry; its id is that of all its files. */
export function readEntry(folder: string): Entry | Refusal {
  if (!existsSync(join(folder, 'predict.mjs')))
    return refuse(
      'challenger_missing',
      `There is no predict.mjs in "${folder}".`,
      'It reads {"input"} a line from standard input and writes {"label"}, {"answer"} or {"entities"} a line.',
    )
  const real = realpathSync(folder)
  const entries = readdirSync(real, { recursive: true, withFileTypes: true })
  // Node's permissions follow links, so one would lead out of what it may read.
  const link = entries.find((entry) => entry.isSymbolicLink())
  if (link) return refuse('challenger_link', `"${link.name}" in "${folder}" is a link to somewhere else.`, 'Put the file itself there.')
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const name = basename(real)
  return { name, folder: real, id: contentId(files.map((path) => [relative(real, path), hashBytes(readFileSync(path))])) }
}

/** Asks an entry every input of a task. What it does wrong is the cell's refusal. */
export async function challengerCell(
  entry: Entry,
  task: Task,
  minutes: number,
): Promise<Pick<Cell, 'minutes' | 'refused' | 'said' | 'what' | 'package' | 'effort' | 'figures'>> {
  const began = Date.now()
  const lines = await predict(
    entry,
    task.cases.map(({ input }) => input),
    minutes,
  )
  const said = isRefusal(lines) ? lines : saidIn(lines, task)
  return {
    minutes: (Date.now() - began) / 60_000,
    ...(isRefusal(said) ? { refused: { code: said.code, message: said.message }, said: {} } : { refused: null, said: { challenger: said } }),
    ...{ what: { challenger: entry.name }, package: entry.id, effort: { words: 0, settings: [], linesOfCode: 0 }, figures: {} },
  }
}

/** Runs the entry on the inputs, and on nothing else. */
async function predict(entry: Entry, inputs: readonly string[], minutes: number): Promise<string[] | Refusal> {
  const permission = ['--permission', '--experimental-permission'].find((flag) => process.allowedNodeEnvironmentFlags.has(flag))
  if (permission === undefined) return refuse('challenger_not_confined', `Node ${process.version} cannot confine a program.`, 'Use Node 20 or later.')
  const empty = mkdtempSync(join(tmpdir(), 'bench-challenger-'))
  try {
    const flags = [permission, `--allow-fs-read=${join(entry.folder, '*')}`, '--no-warnings', `--max-old-space-size=${MEGABYTES}`]
    const child = spawn(process.execPath, [...flags, join(entry.folder, 'predict.mjs')], { cwd: empty, env: {}, stdio: ['pipe', 'pipe', 'pipe'] })
    let [stdout, stderr, late] = ['', '', false]
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, minutes * 60_000)
    child.stdout.on('data', (chunk) => {
      stdout += chunk
      if (stdout.length > MOST_OUTPUT) child.kill('SIGKILL')
    })
    child.stderr.on('data', (chunk) => {
      stderr = (stderr + chunk).slice(-2000)
    })
    // Whoever ends without reading everything is told by the number of its lines.
    child.stdin.on('error', () => {})
    child.stdin.end(inputs.map((input) => `${JSON.stringify({ input })}\n`).join(''))
    const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject))
    clearTimeout(timer)
    if (late) return refuse('challenger_late', `${entry.name} took longer than ${minutes} minutes.`, 'Raise --budget.')
    if (code !== 0)
      return refuse(
        'challenger_failed',
        `${entry.name} ended with ${code ?? 'a signal'}: ${stderr.trim().split('\n').at(-1) ?? ''}`,
        'Correct its predict.mjs.',
      )
    const lines = stdout.split('\n').filter((line) => line.trim())
    if (lines.length === inputs.length) return lines
    return refuse('challenger_lines', `${entry.name} wrote ${lines.length} lines for ${inputs.length} inputs.`, 'Write one line for each line that is read.')
  } finally {
    rmSync(empty, { recursive: true, force: true })
  }
}

const Answered = {
  classify: z.object({ label: z.string() }),
  answer: z.object({ answer: z.string().nullable() }),
  extract: z.object({ entities: z.array(z.object({ type: z.string(), start: z.number(), end: z.number() })) }),
}

function saidIn(lines: readonly string[], { description: { kind }, labels, cases }: Task): Said | Refusal {
  const values: unknown[] = []
  for (const [index, line] of lines.entries()) {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      value = undefined
    }
    const parsed = Answered[kind].safeParse(value)
    if (!parsed.success)
      return refuse(
        'challenger_line',
        `Line ${index + 1} is ${line.slice(0, 80)}, and not what ${kind} wants.`,
        `Write ${Object.keys(Answered[kind].shape)[0]}.`,
      )
    values.push(parsed.data)
  }
  if (kind === 'classify')
    return saidLabels(
      labels,
      values.map((value) => (value as z.infer<typeof Answered.classify>).label),
    )
  if (kind === 'extract')
    return saidTallies(values.map((value, index) => entityTally((value as z.infer<typeof Answered.extract>).entities, cases[index]!.entities!)))
  return saidWorths(
    values.map((value, index) => {
      const { answer } = value as z.infer<typeof Answered.answer>
      return answer === null ? undefined : worth(answer, cases[index]!.answer!)
    }),
  )
}
