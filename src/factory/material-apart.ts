/**
 * Material apart: small material is read here, large material in a process of its own, with a limit of memory, so that whoever asks a model while
 * somebody hands over a large table is answered as ever. Knows nothing of what is done with either.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { BaseError, refuse } from '../core/errors.ts'
import type { LlmPlannerOptions } from '../drivers/planner/llm.ts'
import type { openMaterial } from './material.ts'

type Material = ReturnType<typeof openMaterial>

export type Call = {
  planner: LlmPlannerOptions | undefined
  call: { method: 'plan'; values: Parameters<Material['plan']> } | { method: 'prepare'; values: Parameters<Material['prepare']> }
}
export type Reply = { value: unknown } | { fault: string }

const CHILD = fileURLToPath(new URL('./material-child.ts', import.meta.url))
/** Resolved from here, so that the child starts whatever the current directory is. */
const LOADER = import.meta.resolve('tsx')
/** Up to this many bytes it takes less time here than a process takes to start. */
const SMALL_BYTES = 256 << 10
const IDLE_MILLISECONDS = 60_000

/** `here` reads what is small. `megabytes` is what the heap of the other process may hold. */
export function materialApart(
  here: Material,
  options: { planner: LlmPlannerOptions | undefined; megabytes?: number; smallBytes?: number },
): Material & { close(): void } {
  const { planner, megabytes = 4096, smallBytes = SMALL_BYTES } = options
  let child: ChildProcess | undefined
  let idle: NodeJS.Timeout | undefined
  let last: Promise<unknown> = Promise.resolve()
  let closed = false

  function start(): ChildProcess {
    return fork(CHILD, {
      execArgv: [`--max-old-space-size=${megabytes}`, '--import', LOADER],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
      // What reads strangers' files has no business with our secrets; the planner's key comes with the call.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MODELFACTORY_'))),
    })
  }

  function ask<Value>(call: Call['call']): Promise<Value> {
    return new Promise((resolve, reject) => {
      clearTimeout(idle)
      child ??= start()
      const working = child
      working.ref()
      working.channel?.ref()
      const done = (settle: () => void) => {
        working.removeAllListeners('message').removeAllListeners('exit').removeAllListeners('error')
        working.once('error', () => {})
        settle()
      }
      const gone = () => {
        if (child === working) child = undefined
      }
      working.once('message', (reply: Reply) => {
        done(() => ('fault' in reply ? reject(new ApartError(reply.fault)) : resolve(reply.value as Value)))
        working.unref()
        working.channel?.unref()
        idle = setTimeout(() => {
          gone()
          working.kill()
        }, IDLE_MILLISECONDS)
        idle.unref()
      })
      working.once('exit', (code, signal) => {
        gone()
        // Ended by its own heap's limit (134, SIGABRT) or by the machine's (SIGKILL).
        const heavy = !closed && (signal === 'SIGABRT' || signal === 'SIGKILL' || code === 134)
        done(() => (heavy ? resolve(tooHeavy(megabytes) as Value) : reject(new ApartError(`It ended with ${signal ?? `code ${code}`}.`))))
      })
      working.once('error', (error) => {
        gone()
        working.kill('SIGKILL')
        done(() => reject(new ApartError(error.message)))
      })
      working.send({ planner, call } satisfies Call)
    })
  }

  function inTurn<Value>(call: Call['call']): Promise<Value> {
    const answered = last.then(() => ask<Value>(call))
    last = answered.catch(() => {})
    return answered
  }
  const isSmall = (files: readonly { bytes: Uint8Array }[]): boolean => files.reduce((sum, { bytes }) => sum + bytes.length, 0) <= smallBytes

  return {
    plan: async (...values) => (isSmall(values[1]) ? here.plan(...values) : inTurn({ method: 'plan', values })),
    prepare: async (...values) => (isSmall(values[1]) ? here.prepare(...values) : inTurn({ method: 'prepare', values })),
    close() {
      closed = true
      clearTimeout(idle)
      child?.kill('SIGKILL')
    },
  }
}

const tooHeavy = (megabytes: number) =>
  refuse(
    'material_too_heavy',
    `The files need more than ${megabytes} MB of memory to be understood.`,
    'Hand over a part of them: a few thousand good rows or pages are plenty.',
  )

/** The process that reads large material failed: not the files' fault. */
export class ApartError extends BaseError {
  override readonly name = 'MaterialApart.ApartError'
  constructor(what: string) {
    super('The process that reads large files failed.', { cause: new Error(what), hints: ['Try again; look at the free memory of the computer.'] })
  }
}
