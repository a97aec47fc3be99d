/**
 * Child: the process a training run lives in, so that the server stays responsive and a cancelled run can simply be ended.
 * Takes one job over IPC, trains, answers, exits. Exits too when the parent goes away. Knows nothing of specs.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { type Refusal, refuse } from '../../core/errors.ts'
import { BASE_KEY } from '../../core/export.ts'
import { adapterFile } from '../../engine/adapter.ts'
import { matrixShape, openLlama } from '../../engine/architecture.ts'
import { readCheckpoint, writeCheckpoint, writeWhole } from '../../engine/checkpoint.ts'
import { FormatError } from '../../engine/gguf.ts'
import { writeModel } from '../../engine/gguf-writer.ts'
import { type Part, partViews } from '../../engine/parameters.ts'
import { weightsIn } from '../../engine/start.ts'
import { DivergedError, type LossProgress, type TrainingState, train } from '../../engine/training.ts'
import type { TrainingJob, TrainingProgress, TrainingResult } from '../../ports/trainer.ts'
import { writeFailure } from '../files/durable.ts'
import { fileHash } from '../files/hash.ts'
import { LabelTokenError, openVocabulary } from '../llama/vocabulary.ts'
import type { ChildMessage, ParentMessage } from './messages.ts'
import { prepare } from './prepare.ts'

/** Trains one job in this process. */
async function run(job: TrainingJob, onProgress: (progress: TrainingProgress) => void): Promise<Omit<TrainingResult, 'peakBytes'> | Refusal> {
  const vocabulary = await openVocabulary(job.base)
  if ('refused' in vocabulary) return vocabulary
  let base: ReturnType<typeof openLlama>
  let labels: number[]
  try {
    base = openLlama(job.base)
    for (const stem of job.recipe.targets) matrixShape(base.shape, stem)
    labels = vocabulary.labelIds(job.labelTokens)
  } catch (error) {
    if (error instanceof FormatError)
      return refuse('base_unsupported', `"${job.base}" cannot be trained: ${error.message}.`, 'Use a GGUF file of a supported model.')
    if (error instanceof LabelTokenError) return refuse('label_not_a_token', error.message, error.hints[0] ?? 'Take other label tokens.')
    throw error
  }
  const sets = prepare(job, vocabulary, labels)
  await vocabulary.close()
  if ('refused' in sets) return sets

  mkdirSync(job.folder, { recursive: true })
  // A run that was killed while writing leaves its temporary file.
  for (const name of readdirSync(job.folder)) if (name.endsWith('.tmp')) rmSync(join(job.folder, name), { force: true })
  const checkpoint = join(job.folder, 'checkpoint.bin')
  const found = readCheckpoint(checkpoint, job.id)
  const notices: string[] = []
  let latest: LossProgress | undefined
  const tell = (progress: LossProgress) => {
    latest = progress
    onProgress(progress)
  }
  /** A disk without room does not end a run that is in memory: it is told once, the last whole checkpoint stays, and the next is tried again. */
  const keep = (state: TrainingState) => {
    try {
      writeCheckpoint(checkpoint, job.id, state)
    } catch (error) {
      if (!isWriteFailure(error)) throw error
      if (notices.length) return
      notices.push(`${writeFailure(checkpoint, error).message} Training goes on without a new checkpoint.`)
      if (latest) onProgress({ ...latest, notice: notices[0] })
    }
  }
  let trained: Awaited<ReturnType<typeof train>>
  try {
    trained = await train({
      training: sets.training,
      validation: sets.validation,
      base,
      vocabulary: sets.among === 'labels' ? labels : undefined,
      settings: job.recipe,
      state: found,
      ...(job.from === undefined ? {} : { initial: (layout) => startFrom(job.from!, layout) }),
      onProgress: tell,
      onSnapshot: keep,
    })
  } catch (error) {
    if (error instanceof FormatError && job.from !== undefined)
      return refuse('start_unfit', `The weights to go on from do not fit this training: ${error.message}.`, 'Train from the base.')
    if (!(error instanceof DivergedError)) throw error
    return refuse(
      'training_diverged',
      `The loss stopped being a number at step ${error.step + 1}, also at half the learning rate (${error.learningRate}).`,
      'Use a smaller learning rate, or look for broken rows in the data.',
    )
  }
  const { state, layout } = trained
  const kind = job.recipe.method === 'full' ? 'model' : 'adapter'
  const file = join(job.folder, `${kind}.gguf`)
  try {
    if (kind === 'model') {
      const views = partViews(layout, state.best)
      await writeModel({ source: job.base, path: file, type: 'F16', tensors: (name) => views[name] })
    } else writeWhole(file, [adapterFile(base, job.recipe, layout, state.best, [[BASE_KEY, await fileHash(job.base), 'string']])])
  } catch (error) {
    if (!isWriteFailure(error)) throw error
    const { message, hint } = writeFailure(file, error)
    return refuse('weights_unwritable', message, hint)
  }
  return { kind, file, bestStep: state.bestStep, curve: state.curve, seconds: state.seconds, resumed: found !== undefined, notices }
}

/** @throws {FormatError} also for a file that is not there. */
function startFrom(path: string, layout: readonly Part[]): Float32Array {
  try {
    return weightsIn(path, layout)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new FormatError('there is no such file')
    throw error
  }
}

/** Errors of the disk or its limits, not of the program. */
function isWriteFailure(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOENT'].includes(String((error as NodeJS.ErrnoException | undefined)?.code))
}

/** Sends and waits until the message has left, so that exiting cannot lose it. */
function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send) process.send(message, undefined, undefined, () => resolve())
    else resolve()
  })
}

process.once('disconnect', () => process.exit(1))
// A limit on the size of files is then an error of the write, to be told as a full disk is, and not the end of the process.
if (process.platform !== 'win32') process.on('SIGXFSZ', () => {})
try {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
} catch {
  // Some sandboxes forbid it; training then competes on equal terms.
}
process.once('message', async (message: ParentMessage) => {
  try {
    const result = await run(message.job, (progress) => void send({ kind: 'progress', progress }))
    await send(
      'refused' in result ? { kind: 'refused', refusal: result } : { kind: 'result', result: { ...result, peakBytes: process.resourceUsage().maxRSS * 1024 } },
    )
  } catch (error) {
    const fault = error instanceof Error ? error : new Error(String(error))
    await send({ kind: 'failed', message: fault.message, stack: fault.stack })
  }
  process.exit(0)
})
