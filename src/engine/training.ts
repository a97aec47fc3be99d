/**
 * Training: the loop that fits a model to labelled sequences: batches, gradients, clipping, optimiser, validation, early
 * stopping, snapshots. Everything that decides a step is in the {@link TrainingState}, so a run can be taken up again
 * exactly. Knows nothing of files, prompts or processes.
 */

import { adafactor } from './adafactor.ts'
import { adamw } from './adamw.ts'
import { type LoraSettings, trainableAdapter } from './adapter.ts'
import type { Llama } from './architecture.ts'
import { balance, balanced } from './balance.ts'
import { openCourse } from './course.ts'
import { trainableModel } from './full.ts'
import type { Sequence } from './packing.ts'
import { globalNorm, type Optimiser, type Part, type Trainable, totalLength } from './parameters.ts'
import { rate } from './schedule.ts'

export type TrainingSettings = LoraSettings & {
  /** `lora` and `qlora` train an adapter, `full` all weights. */
  method: 'lora' | 'qlora' | 'full'
  optimiser: 'adamw' | 'adafactor'
  learningRate: number
  weightDecay: number
  warmupSteps: number
  steps: number
  tokensPerStep: number
  /** Runs a step is computed in, each of as many of its rows (one at least). What is learned is the same but for rounding. */
  accumulate: number
  /** `balanced`: every read of labels counts by {@link balance}, in training and validation alike. */
  classWeights: 'none' | 'balanced'
  clipNorm: number
  validateEvery: number
  patience: number
  seed: number
  threads: number
  maximumSeconds: number
}

/** `validationRight`: the share of the validation's reads whose likeliest class was the right one, by their weights; where it was measured. */
export type LossPoint = { step: number; trainingLoss: number; validationLoss: number | null; validationRight?: number | undefined; seconds: number }
export type LossProgress = LossPoint & { steps: number; tokensPerSecond: number; secondsLeft: number }

/** All that a run needs to go on. `parameters` and `best` are in the order of the layout, `moments` as the optimiser keeps them. */
export type TrainingState = {
  step: number
  epoch: number
  /** Steps of this epoch already taken. */
  epochStep: number
  seconds: number
  tokens: number
  /** Halved once after a loss that was not a number. */
  learningRateScale: number
  lossSum: number
  lossCount: number
  bestStep: number
  bestLoss: number
  /** Validations since the best one. */
  misses: number
  curve: LossPoint[]
  parameters: Float32Array
  moments: Float32Array
  /** Replaced whole, never changed in place. */
  best: Float32Array
}

export type TrainingOptions = {
  base: Llama
  training: readonly Sequence[]
  validation: readonly Sequence[]
  /** Token ids of the classes that labels index; undefined: labels are token ids, judged among all of the vocabulary. */
  vocabulary: readonly number[] | undefined
  settings: TrainingSettings
  /** A state to go on from; ignored when its arrays are of other sizes. */
  state?: TrainingState | undefined
  /** The values that a run without a state starts from; without it they are the base's own, or those of a new adapter. */
  initial?: ((layout: readonly Part[]) => Float32Array) | undefined
  onProgress?: ((progress: LossProgress) => void) | undefined
  /** Called with a copy at every validation and every {@link SNAPSHOT_SECONDS}. */
  onSnapshot?: ((state: TrainingState) => void) | undefined
}

const SNAPSHOT_SECONDS = 15
const PROGRESS_SECONDS = 1
/** Points of the training loss a run of full length leaves on its curve. */
const CURVE_POINTS = 60

/**
 * Trains until the steps, the seconds or the patience run out and returns the last state; `best` holds what was trained.
 * @throws {DivergedError} when the loss is not a number even at half the learning rate.
 */
export async function train(options: TrainingOptions): Promise<{ state: TrainingState; layout: readonly Part[] }> {
  const { base, settings, vocabulary, onProgress, onSnapshot } = options
  const trainable = trainableOf(base, settings)
  const optimiser = OPTIMISERS[settings.optimiser](trainable.layout)
  let state = resumable(options.state, trainable, optimiser) ? copy(options.state!) : initialState(trainable, optimiser, settings, options.initial)
  const factor = settings.classWeights === 'balanced' && vocabulary ? balance(options.training) : undefined
  const training = factor ? balanced(options.training, factor) : options.training
  const validation = factor ? balanced(options.validation, factor) : options.validation
  const course = await openCourse(base, { training, validation, trainable, vocabulary, settings })
  const curveEvery = Math.max(1, Math.round(settings.steps / CURVE_POINTS))
  const started = performance.now() - state.seconds * 1000
  const elapsed = () => (performance.now() - started) / 1000
  let snapshot = copy(state)
  let lastSnapshot = state.seconds
  let lastProgress = 0
  let steps = course.steps(state.epoch)

  const keep = () => {
    state.seconds = elapsed()
    snapshot = copy(state)
    lastSnapshot = state.seconds
    onSnapshot?.(snapshot)
  }
  const report = (point: LossPoint) => {
    lastProgress = elapsed()
    // Before the first step the rate is unknown, and the time limit is all that can be promised.
    const perStep = state.step ? lastProgress / state.step : Number.POSITIVE_INFINITY
    const secondsLeft = Math.max(0, Math.min((settings.steps - state.step) * perStep, settings.maximumSeconds - lastProgress))
    onProgress?.({ ...point, steps: settings.steps, tokensPerSecond: lastProgress ? state.tokens / lastProgress : 0, secondsLeft })
  }
  const validate = async () => {
    if (!course.validate) return
    const { loss, right } = await course.validate(state.parameters)
    // Before the first step nothing was learned from: the curve starts at what the untouched model loses on validation.
    const point = { step: state.step, trainingLoss: state.step ? meanLoss(state) : loss, validationLoss: loss, validationRight: right, seconds: elapsed() }
    state.curve.push(point)
    state.lossSum = state.lossCount = 0
    // What is gone on from is no result of this run, however good it was.
    if (loss < state.bestLoss && !(options.initial && state.step === 0)) {
      state.bestLoss = loss
      state.bestStep = state.step
      state.best = state.parameters.slice()
      state.misses = 0
    } else if (!(options.initial && state.step === 0)) state.misses++
    report(point)
    keep()
  }

  try {
    if (state.step === 0 && !state.curve.length) await validate()
    while (state.step < settings.steps && elapsed() < settings.maximumSeconds && state.misses < settings.patience) {
      while (state.epochStep >= steps.length) {
        state.epoch++
        state.epochStep = 0
        steps = course.steps(state.epoch)
      }
      const share = rate(state.step, { ...settings, seconds: elapsed() })
      const { loss, slopes, tokenCount } = await course.gradient(state.parameters, steps[state.epochStep]!)
      const norm = globalNorm(slopes)
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
        if (snapshot.learningRateScale < 1) throw new DivergedError(state.step, settings.learningRate * snapshot.learningRateScale)
        snapshot.learningRateScale /= 2
        snapshot.seconds = elapsed()
        state = copy(snapshot)
        steps = course.steps(state.epoch)
        continue
      }
      state.step++
      state.epochStep++
      optimiser.step(state.parameters, slopes, state.moments, {
        ...{ step: state.step, learningRate: settings.learningRate * state.learningRateScale * share, weightDecay: settings.weightDecay },
        scale: norm > settings.clipNorm ? settings.clipNorm / norm : 1,
      })
      state.tokens += tokenCount
      state.lossSum += loss
      state.lossCount++
      if (state.step % settings.validateEvery === 0 && course.validate) await validate()
      else if (state.step % curveEvery === 0) {
        const point = { step: state.step, trainingLoss: meanLoss(state), validationLoss: null, seconds: elapsed() }
        state.curve.push(point)
        state.lossSum = state.lossCount = 0
        report(point)
      } else if (elapsed() - lastProgress > PROGRESS_SECONDS)
        report({ step: state.step, trainingLoss: meanLoss(state), validationLoss: null, seconds: elapsed() })
      if (elapsed() - lastSnapshot > SNAPSHOT_SECONDS) keep()
    }
    const last = state.curve.findLast(({ validationLoss }) => validationLoss !== null)
    if (course.validate && last?.step !== state.step) await validate()
    if (!course.validate) {
      state.best = state.parameters.slice()
      state.bestStep = state.step
    }
    keep()
    return { state: snapshot, layout: trainable.layout }
  } finally {
    await course.close()
  }
}

const OPTIMISERS: Record<TrainingSettings['optimiser'], (layout: readonly Part[]) => Optimiser> = { adamw, adafactor }

function trainableOf(base: Llama, settings: TrainingSettings): Trainable {
  return settings.method === 'full' ? trainableModel(base) : trainableAdapter(base, settings)
}

/** The state before the first step. */
function initialState({ initial, layout }: Trainable, { length }: Optimiser, settings: TrainingSettings, given: TrainingOptions['initial']): TrainingState {
  const parameters = given?.(layout) ?? initial(settings.seed)
  return {
    ...{ step: 0, epoch: 0, epochStep: 0, seconds: 0, tokens: 0, learningRateScale: 1, lossSum: 0, lossCount: 0 },
    ...{ bestStep: 0, bestLoss: Number.MAX_VALUE, misses: 0, curve: [], parameters, moments: new Float32Array(length), best: parameters.slice() },
  }
}

function resumable(state: TrainingState | undefined, { layout }: Trainable, { length }: Optimiser): boolean {
  const count = totalLength(layout)
  return state !== undefined && state.parameters.length === count && state.best.length === count && state.moments.length === length
}

function copy(state: TrainingState): TrainingState {
  return { ...state, curve: [...state.curve], parameters: state.parameters.slice(), moments: state.moments.slice() }
}

function meanLoss(state: TrainingState): number {
  return state.lossCount ? state.lossSum / state.lossCount : (state.curve.at(-1)?.trainingLoss ?? 0)
}

/** The loss or its gradient was not a finite number, at the full and at half the learning rate. */
export class DivergedError extends Error {
  override readonly name = 'Training.DivergedError'
  readonly step: number
  readonly learningRate: number
  constructor(step: number, learningRate: number) {
    super(`The loss was not a number at step ${step + 1} with learning rate ${learningRate}.`)
    this.step = step
    this.learningRate = learningRate
  }
}
