/**
 * The paying side of the bench, in a process of its own so that its processor time is its own: sends requests that were prepared
 * before, so many at once, and says how long each took and what came back. Signs nothing while it is timed.
 */
import { z } from 'zod'

const Work = z.object({
  url: z.string(),
  body: z.string(),
  /** One PAYMENT-SIGNATURE a request; an empty one is sent without. */
  payments: z.array(z.string()),
  concurrency: z.number().int().positive(),
})
export type Work = z.infer<typeof Work>
export type Done = { milliseconds: number[]; failures: string[]; seconds: number; cpuSeconds: number }

process.on('message', async (message) => {
  const { url, body, payments, concurrency } = Work.parse(message)
  const done: Done = { milliseconds: [], failures: [], seconds: 0, cpuSeconds: 0 }
  const cpu = process.cpuUsage()
  const began = performance.now()
  let next = 0
  const one = async () => {
    for (;;) {
      const payment = payments[next++]
      if (payment === undefined) return
      const start = performance.now()
      try {
        const headers = { 'content-type': 'application/json', ...(payment && { 'payment-signature': payment }) }
        const response = await fetch(url, { method: 'POST', headers, body })
        const text = await response.text()
        if (response.status !== 200) done.failures.push(`${response.status} ${text.slice(0, 200)}`)
      } catch (error) {
        done.failures.push(String(error))
      }
      done.milliseconds.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, one))
  done.seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  done.cpuSeconds = (user + system) / 1e6
  process.send!(done)
})
