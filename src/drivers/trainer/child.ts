/**
 * Child: the process a training run lives in, so that the server stays responsive and a cancelled run can simply be ended.
 * Takes one job over IPC, trains, answers, exits. Exits too when the parent goes away. Knows nothing of specs.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { type Refusal, refuse } from '../../core/errors.ts'
import { adapterFile } from '../../engine/adapter.ts'
import { matrixShape, openLlama } from '../../engine/architecture.ts'
import { readCheckpoint, writeCheckpoint, writeWhole } from '../../engine/checkpoint.ts'
import { FormatError } from '../../engine/gguf.ts'
import { DivergedError, train } from '../../engine/training.ts'
import type { TrainingJob, TrainingProgress, TrainingResult } from '../../ports/trainer.ts'
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
  if (new Set(labels).size < 2)
    return refuse('too_few_labels', `${new Set(labels).size} distinct label tokens were given.`, 'Training needs at least two labels.')
  const sets = prepare(job, vocabulary)
  await vocabulary.close()
  if ('refused' in sets) return sets

  mkdirSync(job.folder, { recursive: true })
  // A run that was killed while writing leaves its temporary file.
  for (const name of readdirSync(job.folder)) if (name.endsWith('.tmp')) rmSync(join(job.folder, name), { force: true })
  const checkpoint = join(job.folder, 'checkpoint.bin')
  const found = readCheckpoint(checkpoint, job.id)
  let trained: Awaited<ReturnType<typeof train>>
  try {
    trained = await train({
      ...sets,
      base,
      vocabulary: labels,
      settings: job.recipe,
      state: found,
      onProgress,
      onSnapshot: (state) => writeCheckpoint(checkpoint, job.id, state),
    })
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error
    return refuse(
      'training_diverged',
      `The loss stopped being a number at step ${error.step + 1}, also at half the learning rate (${error.learningRate}).`,
      'Use a smaller learning rate, or look for broken rows in the data.',
    )
  }
  const { state, layout } = trained
  const adapter = join(job.folder, 'adapter.gguf')
  writeWhole(adapter, adapterFile(base, job.recipe, layout, state.best))
  return { adapter, bestStep: state.bestStep, curve: state.curve, seconds: state.seconds, resumed: found !== undefined }
}

/** Sends and waits until the message has left, so that exiting cannot lose it. */
function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send) process.send(message, undefined, undefined, () => resolve())
    else resolve()
  })
}

process.once('disconnect', () => process.exit(1))
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
