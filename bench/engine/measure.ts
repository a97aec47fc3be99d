/**
 * Measure: runs measurements in processes of their own, one at a time, ours and the peer's in turns so that a busy moment
 * meets both. Knows nothing of what is compared with what.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeRandomModel } from '../../src/engine/random-model.ts'
import { MODELS, RANK, type Work } from './work.ts'

export type Form = 'ours' | 'eager' | 'compiled'
export type Measured = { seconds: number[]; losses: number[]; peakBytes: number }
/** Tokens a second over the median step, of all repeats together; or why there is none. */
export type Result = { tokensPerSecond: number; peakBytes: number; steps: number[] } | { missing: string }

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'bench-engine-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

/** The peer's interpreter, when one is named and has what it needs. */
export const PYTHON = process.env.PYTHON

/** The random model of that name and form on disk; written once. Frozen or trained in 32 bits it is F32, quantised it is the shape's own type. */
function modelFile(work: Work): string {
  const quantised = work.method === 'qlora'
  const path = join(folder, `${work.model}-${quantised ? 'quantised' : 'f32'}.gguf`)
  const { type, ...shape } = MODELS[work.model]!
  if (!existsSync(path)) writeRandomModel(path, quantised ? { ...shape, type: type ?? 'Q4_0' } : shape)
  return path
}

/** Removes the files of a model, which may be large. */
export function forget(model: string): void {
  for (const form of ['quantised', 'f32']) rmSync(join(folder, `${model}-${form}.gguf`), { force: true })
}

/** Runs a program and reads the JSON on the last line it prints. */
export function ask(command: string, args: readonly string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: undefined, TOKENIZERS_PARALLELISM: 'false' }
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
    let printed = ''
    let complaint = ''
    child.stdout.on('data', (chunk) => {
      printed += chunk
    })
    child.stderr.on('data', (chunk) => {
      complaint = `${complaint}${chunk}`.slice(-1500)
    })
    child.once('error', reject)
    child.once('close', (code) => {
      const line = printed.trim().split('\n').at(-1)
      if (code === 0 && line) resolve(JSON.parse(line))
      else reject(new Error(`ended with ${code}: ${complaint.trim().split('\n').at(-1) ?? ''}`))
    })
  })
}

function once(form: Form, work: Work): Promise<Measured> {
  const { type: _, ...shape } = MODELS[work.model]!
  if (form === 'ours') return ask(process.execPath, ['--import', 'tsx', here('./ours.ts'), JSON.stringify(work), modelFile(work)]) as Promise<Measured>
  return ask(PYTHON!, [here('./peer.py'), JSON.stringify(work), JSON.stringify({ ...shape, rank: RANK }), form]) as Promise<Measured>
}

/** Measures one work in each form, `repeats` processes of each, in turns. */
export async function measure(work: Work, forms: readonly Form[], repeats: number, tell: (line: string) => void): Promise<Record<Form, Result>> {
  const runs: Record<Form, Measured[]> = { ours: [], eager: [], compiled: [] }
  const missing: Partial<Record<Form, string>> = {}
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const form of forms) {
      if (missing[form]) continue
      if (form !== 'ours' && !PYTHON) {
        missing[form] = 'PYTHON names no interpreter'
        continue
      }
      try {
        const measured = await once(form, work)
        runs[form].push(measured)
        tell(
          `  ${work.model} ${work.method} ${form} ${repeat + 1}/${repeats}: ${Math.round(rate(work, measured.seconds))} tokens/s, ${gigabytes(measured.peakBytes)} GB`,
        )
      } catch (error) {
        missing[form] = (error as Error).message
        tell(`  ${work.model} ${work.method} ${form}: ${missing[form]}`)
      }
    }
  const result = (form: Form): Result => {
    const all = runs[form]
    if (!all.length) return { missing: missing[form] ?? 'not asked for' }
    const steps = all.flatMap(({ seconds }) => seconds)
    return { tokensPerSecond: rate(work, steps), peakBytes: median(all.map(({ peakBytes }) => peakBytes)), steps }
  }
  return { ours: result('ours'), eager: result('eager'), compiled: result('compiled') }
}

const rate = (work: Work, seconds: readonly number[]) => (work.rows * work.length) / median(seconds)

export const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(2)

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
