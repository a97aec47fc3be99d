/**
 * Machine: what this machine offers a training run: cores, memory that is free and allowed, and how fast it multiplies
 * matrices through the engine's own session. Knows nothing of models.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism, freemem, totalmem } from 'node:os'
import { Graph } from './graph.ts'
import { linear, sum } from './ops.ts'
import { openSession } from './session.ts'

export type Machine = {
  cores: number
  /** Bytes the machine, or the container this process runs in, has in all. */
  totalBytes: number
  /** Bytes a new process can take before something is swapped out or killed. */
  availableBytes: number
}

type ReadText = (path: string) => string | undefined

/** Reads cores and memory now. `readText` returns undefined for a file that is not there. */
export function readMachine(readText: ReadText = readFile): Machine {
  let totalBytes = totalmem()
  let availableBytes = freemem()
  for (const { limit, used } of limits(readText)) {
    totalBytes = Math.min(totalBytes, limit)
    availableBytes = Math.min(availableBytes, Math.max(0, limit - used))
  }
  return { cores: availableParallelism(), totalBytes, availableBytes }
}

/** The memory limits of the control groups this process is in, versions 2 and 1 (Linux; elsewhere there are none). */
function limits(readText: ReadText): { limit: number; used: number }[] {
  const groups = (readText('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'))
  const found: { limit: number; used: number }[] = []
  const look = (folder: string, names: { limit: string; used: string; idle: string }) => {
    const limit = Number(readText(`${folder}/${names.limit}`)?.trim() ?? 'max')
    // Version 1 says "none" by a number near 2^63, version 2 by the word "max", which is no number.
    if (!Number.isFinite(limit) || limit <= 0 || limit > 2 ** 60) return
    const used = Number(readText(`${folder}/${names.used}`)?.trim() ?? 0)
    // File pages that nobody uses are given back when memory is wanted, so they do not count as used.
    const idle = Number(new RegExp(`^${names.idle} (\\d+)$`, 'm').exec(readText(`${folder}/memory.stat`) ?? '')?.[1] ?? 0)
    found.push({ limit, used: Math.max(0, used - idle) })
  }
  const paths = (own: string | undefined) => [...new Set(['', own === '/' ? '' : (own ?? '')])]
  const second = { limit: 'memory.max', used: 'memory.current', idle: 'inactive_file' }
  for (const path of paths(groups.find(([number]) => number === '0')?.[2])) look(`/sys/fs/cgroup${path}`, second)
  const first = { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', idle: 'total_inactive_file' }
  for (const path of paths(groups.find(([, controllers]) => controllers?.split(',').includes('memory'))?.[2])) look(`/sys/fs/cgroup/memory${path}`, first)
  return found
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Side of the matrices multiplied: more than the caches hold, as in training. */
const SIDE = 1024
const REPEATS = 8

/** Single-precision multiply-and-add operations a second, two for each pair, over about `seconds`; the best of the runs. */
export async function measureRate(options: { threads: number; seconds?: number }): Promise<number> {
  const graph = new Graph()
  const x = graph.input('x', [SIDE, SIDE])
  const weights = graph.constant(
    Float32Array.from({ length: SIDE * SIDE }, (_, index) => ((index % 13) - 6) / SIDE),
    [SIDE, SIDE],
  )
  let state = x
  for (let index = 0; index < REPEATS; index++) state = linear(graph, state, weights)
  const session = await openSession(graph, [sum(graph, state)], { threads: options.threads })
  try {
    const values = { x: Float32Array.from({ length: SIDE * SIDE }, (_, index) => (index % 7) - 3) }
    const until = performance.now() + (options.seconds ?? 1) * 1000
    let fastest = Number.POSITIVE_INFINITY
    do {
      const began = performance.now()
      await session.run(values)
      fastest = Math.min(fastest, performance.now() - began)
    } while (performance.now() < until)
    return (2 * SIDE ** 3 * REPEATS) / (fastest / 1000)
  } finally {
    await session.close()
  }
}
