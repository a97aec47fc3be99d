/**
 * `bench`: enters a program of anybody's for one of the benchmark's tasks. The benchmark stands outside the product and runs as a program of its
 * own; this passes on what was asked and says what came of it. Knows nothing of how anything is measured.
 */
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { type Refusal, refuse } from '../../core/errors.ts'
import { ROOT } from '../../factory/config.ts'
import type { Context } from './connect.ts'

export type BenchFlags = { task: string; challenger: string; tasks?: string; results?: string }

const Refused = z.object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string() }) })
const Entered = z.object({ task: z.string(), challenger: z.string(), package: z.string(), metric: z.string(), score: z.number().nullable() }).loose()

export async function bench({ out }: Context, { task, challenger, tasks, results }: BenchFlags): Promise<Refusal | undefined> {
  const options = ['--only', task, '--challenger', resolve(challenger), ...(tasks === undefined ? [] : ['--tasks', resolve(tasks)])]
  const kept = results === undefined ? [] : ['--json', resolve(results)]
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'bench', 'quality', 'run.ts'), ...options, ...kept], {
    ...{ cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  await new Promise<void>((done, failed) => child.once('close', () => done()).once('error', failed))
  const lines = stdout.trim().split('\n')
  let last: unknown
  try {
    last = JSON.parse(lines.at(-1) ?? '')
  } catch {
    last = undefined
  }
  const refused = Refused.safeParse(last)
  if (refused.success) return refuse(refused.data.error.code, refused.data.error.message, refused.data.error.hint)
  const entered = Entered.safeParse(last)
  if (!entered.success)
    return refuse(
      'bench_failed',
      `The benchmark ended without a result: ${stderr.trim().split('\n').at(-1) || 'it said nothing'}`,
      'Correct --task or --tasks.',
    )
  for (const line of lines.slice(0, -1)) out.line(line)
  const { metric, score } = entered.data
  out.result(last, score === null ? 'It has no score.' : `${entered.data.challenger} has ${(100 * score).toFixed(1)} ${metric} on ${entered.data.task}.`)
  return undefined
}
