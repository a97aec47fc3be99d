/**
 * Benchmark: reads the quality benchmark's committed figures, its summary and every answer of every case, from the repository. Knows nothing of
 * how they are measured or shown.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Benchmark as Summary } from '../core/benchmark.ts'
import { type Refusal, refuse } from '../core/errors.ts'
import { ROOT } from './config.ts'

export type Benchmark = { summary(): Promise<Summary | Refusal>; raw(): Promise<string | Refusal> }

export function openBenchmark(root = ROOT): Benchmark {
  const text = (...path: string[]) => readFile(join(root, ...path), 'utf8').catch(() => undefined)
  const gone = () =>
    refuse('benchmark_not_there', 'The benchmark’s figures are not in this copy of ModelFactory.', 'Take a whole clone, or measure: npm run bench:quality.')
  return {
    async summary() {
      const found = await text('docs', 'benchmark.json')
      if (found === undefined) return gone()
      try {
        const parsed = Summary.safeParse(JSON.parse(found))
        if (parsed.success) return parsed.data
      } catch {
        // Said below, as for JSON of another shape.
      }
      return refuse('benchmark_unreadable', 'The file docs/benchmark.json is not a summary of the benchmark.', 'Write it again: npm run bench:quality.')
    },
    async raw() {
      return (await text('bench', 'quality', 'results', 'results.json')) ?? gone()
    },
  }
}
