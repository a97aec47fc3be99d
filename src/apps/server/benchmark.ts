/**
 * The quality benchmark as it stands in the repository: its summary, and every answer of every case. Knows nothing of how it is measured.
 */
import { Hono } from 'hono'
import { isRefusal } from '../../core/errors.ts'
import { type Benchmark, openBenchmark } from '../../factory/benchmark.ts'
import { refusal } from './replies.ts'

/** Below `/api/benchmark`. `read` is asked at every request: somebody may be measuring. */
export function benchmarkRoutes(read: Benchmark = openBenchmark()): Hono {
  const routes = new Hono()
  routes.get('/', async (context) => {
    const found = await read.summary()
    return isRefusal(found) ? refusal(context, found, 404) : context.json(found)
  })
  routes.get('/results.json', async (context) => {
    const found = await read.raw()
    if (isRefusal(found)) return refusal(context, found, 404)
    return context.body(found, 200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Disposition': 'attachment; filename="modelfactory-benchmark.json"',
    })
  })
  return routes
}
