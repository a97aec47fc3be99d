/**
 * Messages: what the trainer and its child process say to each other over IPC. Knows nothing of either's work.
 */
import type { Refusal } from '../../core/errors.ts'
import type { TrainingJob, TrainingProgress, TrainingResult } from '../../ports/trainer.ts'

/** From the parent, once. Afterwards it only goes away, which ends the child. */
export type ParentMessage = { job: TrainingJob }

/** From the child: progress any number of times, then one of the others. */
export type ChildMessage =
  | { kind: 'progress'; progress: TrainingProgress }
  | { kind: 'result'; result: TrainingResult }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'failed'; message: string; stack: string | undefined }
