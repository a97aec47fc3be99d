/**
 * Course: one stretch of training, how far it is, which rows are due at which learning rate. The rules are those of pretrain.py.
 * Knows nothing of models.
 */
export type Stage = { name: string; rows: number; length: number; share: number }

/** Where a course stands; what a checkpoint holds beside the numbers. */
export type CourseState = { course: string; step: number; tokens: number; minutes: number; rows: number[] }

export type Course = {
  name: string
  stages: readonly Stage[]
  tokens: number
  maximumMinutes: number | undefined
  learningRate: number
  warmupSteps: number
  /** Of the rows of a batch, so many are plain text; where they stand is the last of a state's rows. */
  replayedRows?: number | undefined
}

export function startOf(course: Course): CourseState {
  return { course: course.name, step: 0, tokens: 0, minutes: 0, rows: [...course.stages, ...(course.replayedRows ? [0] : [])].map(() => 0) }
}

/** From 0 to 1: whichever of tokens and minutes is further along. */
export function progress({ tokens, maximumMinutes }: Course, state: CourseState): number {
  return Math.min(1, Math.max(state.tokens / tokens, maximumMinutes ? state.minutes / maximumMinutes : 0))
}

/** Index of the stage that is due: stages follow each other by their shares of the whole. */
export function stageAt(course: Course, state: CourseState): number {
  const done = progress(course, state)
  let reached = 0
  for (const [index, { share }] of course.stages.entries()) {
    reached += share
    if (done < reached - 1e-9) return index
  }
  return course.stages.length - 1
}

/** Linear warm-up, then a straight line to zero at the end. */
export function learningRate(course: Course, state: CourseState): number {
  return course.learningRate * Math.min(1, (state.step + 1) / Math.max(1, course.warmupSteps)) * (1 - progress(course, state))
}
