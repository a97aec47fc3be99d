/**
 * Training: the loop that fits a LoRA to labelled sequences: batches, gradients, clipping, AdamW, validation, early stopping,
 * snapshots. Everything that decides a step is in the {@link TrainingState}, so a run can be taken up again exactly. Knows
 * nothing of files, prompts or processes.
 */

import { adamw, globalNorm } from './adamw.ts'
import { type AdapterPart, adapterLayout, adapterViews, initialAdapter, type LoraSettings } from './adapter.ts'
import type { Llama } from './architecture.ts'
import { gradients } from './autodiff.ts'
import { type Evaluator, openEvaluator } from './evaluate.ts'
import { buildLlama, type Extent } from './llama.ts'
import { crossEntropy } from './ops.ts'
import { type Batch, batchValues, chooseExtent, pack, type Sequence } from './packing.ts'
import { generator, shuffle } from './random.ts'
import { rate } from './schedule.ts'
import { openSession, type Session } from './session.ts'

export type TrainingSettings = LoraSettings & {
  learningRate: number
  weightDecay: number
  warmupSteps: number
  steps: number
  tokensPerStep: number
  clipNorm: number
  validateEvery: number
  patience: number
  seed: number
  threads: number
  maximumSeconds: number
}

export type LossPoint = { step: number; trainingLoss: number; validationLoss: number | null; seconds: number }
export type LossProgress = LossPoint & { steps: number; tokensPerSecond: number; secondsLeft: number }

/** All that a run needs to go on. Arrays are in the order of the adapter's layout. */
export type TrainingState = {
  step: number
  epoch: number
  /** Batches of this epoch already used. */
  batch: number
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
  adapter: Float32Array
  first: Float32Array
  second: Float32Array
  best: Float32Array
}

export type TrainingOptions = {
  base: Llama
  training: readonly Sequence[]
  validation: readonly Sequence[]
  /** Token ids of the classes; labels index them. */
  vocabulary: readonly number[]
  settings: TrainingSettings
  /** A state to go on from; ignored when its adapter is of another size. */
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
 * Trains until the steps, the seconds or the patience run out and returns the last state; `best` holds the adapter.
 * @throws {DivergedError} when the loss is not a number even at half the learning rate.
 */
export async function train(options: TrainingOptions): Promise<{ state: TrainingState; layout: AdapterPart[] }> {
  const { base, settings, vocabulary, onProgress, onSnapshot } = options
  const layout = adapterLayout(base, settings)
  let state = resumable(options.state, layout) ? copy(options.state!) : initialState(layout, settings)
  const extent = chooseExtent([...options.training], settings.tokensPerStep)
  const validation = validationSet(options.validation, settings)
  const gradient = await openGradient(base, extent, settings, vocabulary, layout)
  const evaluator = validation.length ? await openValidation(base, validation, settings, vocabulary, layout) : undefined
  const curveEvery = Math.max(1, Math.round(settings.steps / CURVE_POINTS))
  const started = performance.now() - state.seconds * 1000
  const elapsed = () => (performance.now() - started) / 1000
  let snapshot = copy(state)
  let lastSnapshot = state.seconds
  let lastProgress = 0
  let batches = epochBatches(options.training, extent, settings.seed, state.epoch)

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
    const loss = await evaluator.loss(state.adapter)
    // Before the first step nothing was learned from: the curve starts at what the untouched model loses on validation.
    const point = { step: state.step, trainingLoss: state.step ? meanLoss(state) : loss, validationLoss: loss, seconds: elapsed() }
    state.curve.push(point)
    state.lossSum = state.lossCount = 0
    if (loss < state.bestLoss) {
      state.bestLoss = loss
      state.bestStep = state.step
      state.best = state.adapter.slice()
      state.misses = 0
    } else state.misses++
    report(point)
    keep()
  }

  try {
    if (state.step === 0 && !state.curve.length) await validate()
    while (state.step < settings.steps && elapsed() < settings.maximumSeconds && state.misses < settings.patience) {
      while (state.batch >= batches.length) {
        state.epoch++
        state.batch = 0
        batches = epochBatches(options.training, extent, settings.seed, state.epoch)
      }
      const values = batchValues(batches[state.batch]!, extent, vocabulary.length)
      const share = rate(state.step, { ...settings, seconds: elapsed() })
      const { loss, slopes } = await gradient.run(state.adapter, values)
      const norm = globalNorm(slopes)
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
        if (snapshot.learningRateScale < 1) throw new DivergedError(state.step, settings.learningRate * snapshot.learningRateScale)
        snapshot.learningRateScale /= 2
        snapshot.seconds = elapsed()
        state = copy(snapshot)
        batches = epochBatches(options.training, extent, settings.seed, state.epoch)
        continue
      }
      state.step++
      state.batch++
      update(state, layout, slopes, { ...settings, learningRate: settings.learningRate * state.learningRateScale * share, norm })
      state.tokens += values.tokenCount
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
      state.best = state.adapter.slice()
      state.bestStep = state.step
    }
    keep()
    return { state: snapshot, layout }
  } finally {
    await gradient.close()
    await evaluator?.close()
  }
}

/** The state before the first step. */
function initialState(layout: readonly AdapterPart[], settings: TrainingSettings): TrainingState {
  const adapter = initialAdapter(layout, settings.seed)
  return {
    ...{
      step: 0,
      epoch: 0,
      batch: 0,
      seconds: 0,
      tokens: 0,
      learningRateScale: 1,
      lossSum: 0,
      lossCount: 0,
      bestStep: 0,
      bestLoss: Number.MAX_VALUE,
      misses: 0,
    },
    ...{ curve: [], adapter, first: new Float32Array(adapter.length), second: new Float32Array(adapter.length), best: adapter.slice() },
  }
}

function resumable(state: TrainingState | undefined, layout: readonly AdapterPart[]): boolean {
  const length = layout.reduce((total, part) => total + part.length, 0)
  return state !== undefined && [state.adapter, state.first, state.second, state.best].every((values) => values.length === length)
}

function copy(state: TrainingState): TrainingState {
  const { adapter, first, second, best } = state
  return { ...state, curve: [...state.curve], adapter: adapter.slice(), first: first.slice(), second: second.slice(), best: best.slice() }
}

function meanLoss(state: TrainingState): number {
  return state.lossCount ? state.lossSum / state.lossCount : (state.curve.at(-1)?.trainingLoss ?? 0)
}

/** The batches of one pass over the data, in an order that depends on seed and epoch only. */
function epochBatches(sequences: readonly Sequence[], extent: Extent, seed: number, epoch: number): Batch[] {
  const next = generator(seed * 7919 + epoch * 104_729 + 1)
  return shuffle(pack(shuffle(sequences, next), extent), next)
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

/** Clips by global norm and takes one AdamW step in place. */
function update(
  state: TrainingState,
  layout: readonly AdapterPart[],
  slopes: readonly Float32Array[],
  options: { learningRate: number; weightDecay: number; clipNorm: number; norm: number },
): void {
  const scale = options.norm > options.clipNorm ? options.clipNorm / options.norm : 1
  for (const [index, { offset, length }] of layout.entries()) {
    const part = (values: Float32Array) => values.subarray(offset, offset + length)
    adamw(part(state.adapter), slopes[index]!, { first: part(state.first), second: part(state.second) }, { ...options, step: state.step, scale })
  }
}

/** The graph of the loss and its gradients, compiled. */
async function openGradient(base: Llama, extent: Extent, settings: TrainingSettings, vocabulary: readonly number[], layout: readonly AdapterPart[]) {
  const { graph, logits } = buildLlama(base, extent, { vocabulary, lora: settings })
  const targets = graph.input('targets', [extent.rows * extent.reads, vocabulary.length])
  const loss = crossEntropy(graph, logits, targets)
  const slopes = gradients(graph, loss)
  const session: Session = await openSession(graph, [loss, ...layout.map(({ name }) => slopes.get(name)!)], { threads: settings.threads })
  return {
    async run(adapter: Float32Array, values: ReturnType<typeof batchValues>): Promise<{ loss: number; slopes: readonly Float32Array[] }> {
      const { tokenCount: _tokens, weight: _weight, ...arrays } = values
      const [value, ...found] = await session.run({ ...adapterViews(layout, adapter), ...arrays })
      return { loss: value![0]!, slopes: found }
    },
    close: () => session.close(),
  }
}

async function openValidation(
  base: Llama,
  sequences: readonly Sequence[],
  settings: TrainingSettings,
  vocabulary: readonly number[],
  layout: readonly AdapterPart[],
): Promise<{ loss(adapter: Float32Array): Promise<number>; close: Evaluator['close'] }> {
  const extent = chooseExtent(sequences, settings.tokensPerStep)
  const batches = pack(sequences, extent)
  const evaluator = await openEvaluator(base, extent, { threads: settings.threads, vocabulary, lora: settings, layout })
  return {
    async loss(adapter) {
      let sum = 0
      let weights = 0
      for (const batch of batches) {
        const { loss, weight } = await evaluator.run(batch, adapter)
        sum += loss * weight
        weights += weight
      }
      return sum / weights
    },
    close: () => evaluator.close(),
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
