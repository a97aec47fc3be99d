/**
 * Reader of everything: text and tables here, documents and archives in a child process with limits of memory and time.
 * Knows nothing of folders, nor of what a file will be used for.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { BaseError, isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Content, Reader } from '../../ports/reader.ts'
import { plainForm } from './documents.ts'
import type { Job, Outcome } from './messages.ts'
import { badSize, readText } from './text-files.ts'

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))
/** Resolved from here, so that the child starts whatever the current directory is. */
const LOADER = import.meta.resolve('tsx')

export type ReadingLimits = {
  /** What one file may take. */
  seconds: number
  /** What the process that opens documents may hold, all in all. */
  megabytes: number
  /** How long that process waits for another file. */
  idleSeconds: number
}

const usual: ReadingLimits = { seconds: 120, megabytes: 1000, idleSeconds: 5 }

/** The embedded reader. Documents are opened one after the other in one process, which goes when there are none. */
export function anyFiles(wanted: Partial<ReadingLimits> = {}): Reader {
  const limits = { ...usual, ...wanted }
  let child: ChildProcess | undefined
  /** Whether that process has read a file before: what that left behind must not be held against the next one. */
  let used = false
  let idle: NodeJS.Timeout | undefined
  let last: Promise<unknown> = Promise.resolve()

  function start(): ChildProcess {
    const started = fork(CHILD, [String(limits.megabytes * 1024 * 1024)], {
      execArgv: [`--max-old-space-size=${Math.ceil(limits.megabytes * 0.75)}`, '--import', LOADER],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
      // What opens strangers' files has no business with our secrets.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MODELFACTORY_'))),
    })
    used = false
    started.once('exit', () => {
      if (child === started) child = undefined
    })
    return started
  }

  function inChild(job: Job): Promise<Content[] | Refusal> {
    return new Promise((resolve, reject) => {
      clearTimeout(idle)
      child ??= start()
      const working = child
      const wasUsed = used
      working.ref()
      working.channel?.ref()
      let late = false
      const clock = setTimeout(() => {
        late = true
        working.kill('SIGKILL')
      }, limits.seconds * 1000)
      const done = (settle: () => void) => {
        clearTimeout(clock)
        working.removeAllListeners('message').removeAllListeners('error').removeListener('exit', onExit)
        working.once('error', () => {})
        settle()
      }
      const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
        if (child === working) child = undefined
        if (late) return done(() => resolve(tooSlow(job.name, limits.seconds)))
        if (wasUsed) return done(() => resolve(inChild(job)))
        // Killed by its watchdog (137, SIGKILL), by its own heap's limit (134, SIGABRT), or broken by the file.
        if (signal || (code ?? 0) > 128) return done(() => resolve(tooHeavy(job.name, limits.megabytes)))
        done(() => reject(new ReaderFailedError(job.name, `code ${code}`)))
      }
      working.once('message', (outcome: Outcome) => {
        used = true
        done(() => resolve(outcome.contents))
        working.unref()
        working.channel?.unref()
        idle = setTimeout(() => working.kill(), limits.idleSeconds * 1000)
        idle.unref()
      })
      working.once('exit', onExit)
      working.once('error', (error) => {
        working.kill('SIGKILL')
        if (child === working) child = undefined
        done(() => (wasUsed ? resolve(inChild(job)) : reject(new ReaderFailedError(job.name, error))))
      })
      working.send(job)
    })
  }

  return {
    async read(file): Promise<Content[] | Refusal> {
      const bad = badSize(file.name, file.bytes)
      if (bad) return bad
      const form = plainForm(file)
      if (form) {
        const content = await readText(file.name, file.bytes, form)
        return isRefusal(content) ? content : [content]
      }
      const read = last.then(() => inChild({ name: file.name, bytes: file.bytes }))
      last = read.catch(() => {})
      return read
    },
  }
}

const tooSlow = (name: string, seconds: number): Refusal =>
  refuse('document_too_slow', `${name} was not read within ${seconds} seconds.`, 'Hand over a part of it, or save it again in a simpler form.')
const tooHeavy = (name: string, megabytes: number): Refusal =>
  refuse('document_too_heavy', `${name} needs more than ${megabytes} MB of memory to be read.`, 'Hand over a part of it, or save it again in a simpler form.')

/** The process that opens documents could not be started or ended on its own: not the file's fault. */
export class ReaderFailedError extends BaseError {
  override readonly name = 'AnyFiles.ReaderFailedError'
  constructor(file: string, cause: unknown) {
    super(`${file} could not be opened: the process that opens documents failed.`, { cause, hints: ['Try again; look at the free memory of the computer.'] })
  }
}
