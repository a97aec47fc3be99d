/**
 * Child: the process documents are opened in, so that no file, however it was made, can harm the server. Answers one job
 * after the other and ends when the parent goes away or its memory passes the limit. Knows nothing of what is done with the text.
 */
import { Worker } from 'node:worker_threads'
import { refuse } from '../../core/errors.ts'
import { readDocument } from './documents.ts'
import type { Job, Outcome } from './messages.ts'
import { reasonOf } from './xml.ts'

/** Watches from its own thread, because a library that inflates without end leaves this one no time. */
const watchdog = `
const { workerData } = require('node:worker_threads')
setInterval(() => { if (process.memoryUsage.rss() > workerData) process.kill(process.pid, 'SIGKILL') }, 50)
`
new Worker(watchdog, { eval: true, workerData: Number(process.argv[2]), execArgv: [] }).unref()

let current: string | undefined

function answer(outcome: Outcome, then = () => {}): void {
  current = undefined
  if (process.connected && process.send) process.send(outcome, undefined, undefined, then)
}

/** What a library throws on a file is about the file. */
function damaged(name: string, error: unknown): Outcome {
  const reason = reasonOf(error)
  if (error instanceof RangeError && /call stack/.test(reason))
    return { contents: refuse('nested_too_deeply', `${name} is nested too deeply to be read.`, 'Copy its text into a new document, and hand that over.') }
  const hint = 'Open it in the program that made it, save it again, and hand that over.'
  return { contents: refuse('document_damaged', `${name} cannot be read: it is damaged (${reason}).`, hint) }
}

process.once('disconnect', () => process.exit(1))
process.on('uncaughtException', (error) => {
  if (current !== undefined) answer(damaged(current, error), () => process.exit(0))
})
// A library's forgotten promise says nothing about the file; a job that hangs because of one ends by the clock.
process.on('unhandledRejection', () => {})
process.on('message', async (job: Job) => {
  current = job.name
  try {
    const read = await readDocument(job)
    // What reads a long table's rows stays in this process; the rows themselves go over.
    answer({ contents: 'refused' in read ? read : read.map((one) => (one.kind === 'table' ? { ...one, rows: [...one.rows] } : one)) })
  } catch (error) {
    answer(damaged(job.name, error))
  }
})
