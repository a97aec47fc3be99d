/**
 * ONNX trainer: runs each fit in a child process on this machine's CPU. Knows nothing of the numerics; the child does.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { BaseError, type Refusal } from '../../core/errors.ts'
import type { Trainer, TrainingResult } from '../../ports/trainer.ts'
import type { ChildMessage, ParentMessage } from './messages.ts'
import { inspect, size } from './size.ts'

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))
/** Resolved from here, so that the child starts whatever the current directory is. */
const LOADER = import.meta.resolve('tsx')

/** The embedded trainer. Several fits may run at once; each has its own process. */
export function createOnnxTrainer(): Trainer {
  return {
    inspect: async (base) => inspect(base),
    size: async (question) => size(question),
    fit(job, options = {}) {
      const { signal, onProgress } = options
      return new Promise<TrainingResult | Refusal>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const child = fork(CHILD, [], { execArgv: ['--import', LOADER], stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'json' })
        let outcome: (() => void) | undefined
        let complaint = ''
        child.stderr?.on('data', (chunk) => {
          complaint = `${complaint}${chunk}`.slice(-2000)
        })
        const cancel = () => {
          outcome = () => reject(signal!.reason)
          child.kill('SIGKILL')
        }
        signal?.addEventListener('abort', cancel, { once: true })
        child.on('message', (message: ChildMessage) => {
          if (signal?.aborted) return
          if (message.kind === 'progress') onProgress?.(message.progress)
          else if (message.kind === 'result') outcome = () => resolve(message.result)
          else if (message.kind === 'refused') outcome = () => resolve(message.refusal)
          else outcome = () => reject(new TrainingFailedError(message.message, message.stack))
        })
        child.once('error', (error) => {
          outcome ??= () => reject(new TrainingFailedError(error.message, error))
          if (child.exitCode === null && child.pid === undefined) finish()
        })
        child.once('close', (code, killedBy) => {
          outcome ??= () => reject(new TrainingFailedError(`the process ended with ${killedBy ?? `code ${code}`}`, complaint))
          finish()
        })
        const finish = () => {
          signal?.removeEventListener('abort', cancel)
          outcome?.()
        }
        child.send({ job } satisfies ParentMessage, (error) => {
          if (error) outcome ??= () => reject(new TrainingFailedError(error.message, complaint || error))
        })
      })
    },
  }
}

/** The training process failed in a way that is not the data's or the base's fault, e.g. a full disk or no memory. */
export class TrainingFailedError extends BaseError {
  override readonly name = 'OnnxTrainer.TrainingFailedError'
  constructor(reason: string, cause: unknown) {
    super(`Training stopped: ${reason}.`, { cause, hints: ['The last checkpoint stays; starting again goes on from it.'] })
  }
}
