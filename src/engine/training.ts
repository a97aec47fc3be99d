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
import { trainableModel } from './full.ts'
import { type Gradient, type LossOptions, openGradient, openLoss } from './gradient.ts'
import { expandedWeights, quantisedWeights } from './layer-weights.ts'
import type { Extent } from './llama.ts'
import { type Batch, batchValues, chooseExtent, pack, readWeight, type Sequence } from './packing.ts'
import { globalNorm, type Optimiser, type Part, type Trainable, totalLength } from './parameters.ts'
import { generator, shuffle } from './random.ts'
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

export type LossPoint = { step: number; trainingLoss: number; validationLoss: number | null; seconds: number }
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
  const classes = vocabulary?.length ?? 0
  let state = resumable(options.state, trainable, optimiser) ? copy(options.state!) : initialState(trainable, optimiser, settings)
  const factor = settings.classWeights === 'balanced' && vocabulary ? balance(options.training) : undefined
  const training = factor ? balanced(options.training, factor) : options.training
  const stepExtent = chooseExtent(training, settings.tokensPerStep)
  const extent = runExtent(stepExtent, settings.accumulate)
  const validation = validationSet(factor ? balanced(options.validation, factor) : options.validation, settings)
  const quantised = settings.method === 'qlora'
  const plan = { trainable, vocabulary, threads: settings.threads, weights: quantised ? quantisedWeights(base) : expandedWeights(base) }
  const gradient = accumulated(await openGradient(base, extent, { ...plan, keep: quantised ? 'boundaries' : 'products' }), extent, classes)
  const evaluator = validation.length ? await openValidation(base, validation, settings, plan) : undefined
  const curveEvery = Math.max(1, Math.round(settings.steps / CURVE_POINTS))
  const started = performance.now() - state.seconds * 1000
  const elapsed = () => (performance.now() - started) / 1000
  let snapshot = copy(state)
  let lastSnapshot = state.seconds
  let lastProgress = 0
  const stepsOf = (epoch: number) => epochSteps(training, stepExtent, settings, epoch)
  let steps = stepsOf(state.epoch)

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
    if (!evaluator) return
    const loss = await evaluator.loss(state.parameters)
    // Before the first step nothing was learned from: the curve starts at what the untouched model loses on validation.
    const point = { step: state.step, trainingLoss: state.step ? meanLoss(state) : loss, validationLoss: loss, seconds: elapsed() }
    state.curve.push(point)
    state.lossSum = state.lossCount = 0
    if (loss < state.bestLoss) {
      state.bestLoss = loss
      state.bestStep = state.step
      state.best = state.parameters.slice()
      state.misses = 0
    } else state.misses++
    report(point)
    keep()
  }

  try {
    if (state.step === 0 && !state.curve.length) await validate()
    while (state.step < settings.steps && elapsed() < settings.maximumSeconds && state.misses < settings.patience) {
      while (state.epochStep >= steps.length) {
        state.epoch++
        state.epochStep = 0
        steps = stepsOf(state.epoch)
      }
      const share = rate(state.step, { ...settings, seconds: elapsed() })
      const { loss, slopes, tokenCount } = await gradient.run(state.parameters, steps[state.epochStep]!)
      const norm = globalNorm(slopes)
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
        if (snapshot.learningRateScale < 1) throw new DivergedError(state.step, settings.learningRate * snapshot.learningRateScale)
        snapshot.learningRateScale /= 2
        snapshot.seconds = elapsed()
        state = copy(snapshot)
        steps = stepsOf(state.epoch)
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
      if (state.step % settings.validateEvery === 0 && evaluator) await validate()
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
    if (evaluator && last?.step !== state.step) await validate()
    if (!evaluator) {
      state.best = state.parameters.slice()
      state.bestStep = state.step
    }
    keep()
    return { state: snapshot, layout: trainable.layout }
  } finally {
    await gradient.close()
    await evaluator?.close()
  }
}

const OPTIMISERS: Record<TrainingSettings['optimiser'], (layout: readonly Part[]) => Optimiser> = { adamw, adafactor }

function trainableOf(base: Llama, settings: TrainingSettings): Trainable {
  return settings.method === 'full' ? trainableModel(base) : trainableAdapter(base, settings)
}

/** The state before the first step. */
function initialState({ initial }: Trainable, { length }: Optimiser, settings: TrainingSettings): TrainingState {
  const parameters = initial(settings.seed)
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

/** The batches of every step of one pass over the data, in an order that depends on seed and epoch only. */
function epochSteps(sequences: readonly Sequence[], extent: Extent, { seed, accumulate }: TrainingSettings, epoch: number): Batch[][] {
  const next = generator(seed * 7919 + epoch * 104_729 + 1)
  return shuffle(pack(shuffle(sequences, next), extent), next).map((step) => parts(step, runExtent(extent, accumulate)))
}

/** What one run computes of a step. */
function runExtent(step: Extent, accumulate: number): Extent {
  return { ...step, rows: Math.ceil(step.rows / accumulate) }
}

/** A step's rows, as many at a time as one run takes. Runs of empty rows are left out. */
function parts(step: Batch, { rows }: Extent): Batch[] {
  const all = Array.from({ length: Math.ceil(step.length / rows) }, (_, index) => step.slice(index * rows, (index + 1) * rows))
  return all.filter((batch) => batch.some((row) => row.length))
}

/** At most as many validation sequences as cost a small part of the training between two validations. */
function validationSet(sequences: readonly Sequence[], settings: TrainingSettings): Sequence[] {
  const most = Math.max(8192, settings.validateEvery * settings.tokensPerStep * 0.5)
  const total = sequences.reduce((sum, { tokens }) => sum + tokens.length, 0)
  if (total <= most) return [...sequences]
  const chosen: Sequence[] = []
  let left = most
  for (const sequence of shuffle(sequences, generator(settings.seed))) {
    if (sequence.tokens.length > left) continue
    left -= sequence.tokens.length
    chosen.push(sequence)
  }
  return chosen
}

/**
 * Runs a step's batches one after the other and adds up their losses and slopes, in that order. Every read counts by its
 * weight over that of all reads of the step, so the split changes nothing but rounding.
 */
function accumulated(gradient: Gradient, extent: Extent, classes: number) {
  let sums: Float32Array[] | undefined
  return {
    async run(parameters: Float32Array, batches: readonly Batch[]): Promise<{ loss: number; slopes: readonly Float32Array[]; tokenCount: number }> {
      const total = readWeight(batches)
      let loss = 0
      let tokenCount = 0
      let slopes: readonly Float32Array[] = []
      for (const [index, batch] of batches.entries()) {
        const values = batchValues(batch, extent, classes, total)
        const found = await gradient.run(parameters, values)
        loss += found.loss
        tokenCount += values.tokenCount
        if (batches.length === 1) slopes = found.slopes
        else {
          sums ??= found.slopes.map(({ length }) => new Float32Array(length))
          for (const [part, sum] of sums.entries())
            if (index === 0) sum.set(found.slopes[part]!)
            else addTo(sum, found.slopes[part]!)
          slopes = sums
        }
      }
      return { loss, slopes, tokenCount }
    },
    close: () => gradient.close(),
  }
}

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let index = 0; index < sum.length; index++) sum[index]! += values[index]!
}

async function openValidation(
  base: Llama,
  sequences: readonly Sequence[],
  settings: TrainingSettings,
  plan: LossOptions,
): Promise<{ loss(parameters: Float32Array): Promise<number>; close(): Promise<void> }> {
  const whole = chooseExtent(sequences, settings.tokensPerStep)
  const extent = runExtent(whole, settings.accumulate)
  const batches = pack(sequences, whole).flatMap((step) => parts(step, extent))
  const total = readWeight(batches)
  const forward = await openLoss(base, extent, plan)
  return {
    async loss(parameters) {
      let sum = 0
      for (const batch of batches) sum += await forward.run(parameters, batchValues(batch, extent, plan.vocabulary?.length ?? 0, total))
      return sum
    },
    close: () => forward.close(),
  }
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
