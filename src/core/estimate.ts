/**
 * Estimate: how long a training run will take and how much memory it will hold, before it starts; and what to change when
 * that is too much. Formulas over sizes that a trainer tells; knows nothing of models, machines or clocks.
 */
import { z } from 'zod'
import type { Recipe } from './recipe.ts'

/** What was predicted before the training, kept with the weights. */
export const Estimate = z.object({
  /** Of the training itself when nothing stops it early. */
  seconds: z.number().nonnegative(),
  /** A few steps of the very run were timed, or operations were divided by the machine's measured rate. */
  basis: z.enum(['steps', 'rate']),
  /** Most memory of the training process, and what the machine had free then. */
  peakBytes: z.number().nonnegative(),
  availableBytes: z.number().nonnegative(),
})
export type Estimate = z.infer<typeof Estimate>

/** Sizes of one step, as a trainer tells them from a base's shape and a recipe. */
export type StepSize = {
  /**
   * Bytes: the base's values as they are held, the trained numbers once, what stands between the forward and the backward
   * pass, and what the passes make for themselves at one moment.
   */
  memory: { weights: number; trained: number; held: number; made: number }
  /** Floating-point operations of one step, forwards and backwards, and of the forward pass of as many tokens. */
  operations: { step: number; forward: number }
}

/**
 * Peak = process + the base + copies of what is trained + what is held between the passes + what the passes make times
 * what onnxruntime's arena takes for it (it grows by doubling and cannot use every gap). The numbers were fitted to
 * measured peaks of training processes; `bench/engine/estimate.ts --memory` prints how far off they are with today's engine.
 */
const PROCESS_BYTES = 200e6
/** Values, slopes, the optimiser's numbers, the best so far, the snapshot of all these, the checkpoint's bytes. Adafactor's own numbers are few. */
const TRAINED_COPIES = { adamw: 14, adafactor: 9 } as const
const ARENA = 1.2

/** Most bytes of the training process. Full training holds its weights as trained numbers alone. */
export function peakBytes({ memory }: StepSize, recipe: Pick<Recipe, 'method' | 'optimiser'>): number {
  const frozen = recipe.method === 'full' ? 0 : memory.weights
  return PROCESS_BYTES + frozen + memory.trained * TRAINED_COPIES[recipe.optimiser] + memory.held + ARENA * memory.made
}

/** Validations of a run of `steps`: one before it, then one every `validateEvery`, and one at the end. */
export function validations(recipe: Pick<Recipe, 'steps' | 'validateEvery'>): number {
  return 1 + Math.ceil(recipe.steps / recipe.validateEvery)
}

/**
 * Tokens one validation reads: all of the practice set up to half of what is trained on between two validations
 * (`validationSet` of the engine's training).
 */
export function validationTokens(recipe: Pick<Recipe, 'tokensPerStep' | 'validateEvery'>, practiceTokens: number): number {
  return Math.min(practiceTokens, Math.max(8192, recipe.validateEvery * recipe.tokensPerStep * 0.5))
}

/** Share of the measured matrix rate that a training step reaches; the rest goes into element-wise passes and memory. */
export const RATE_SHARE = 0.45

/** Seconds of a whole run, when one step takes `secondsPerStep`. */
export function runSeconds(
  recipe: Pick<Recipe, 'steps' | 'validateEvery' | 'tokensPerStep'>,
  options: { secondsPerStep: number; size: StepSize; practiceTokens: number },
): number {
  const forward = options.size.operations.forward / options.size.operations.step
  const validation = options.secondsPerStep * forward * (validationTokens(recipe, options.practiceTokens) / recipe.tokensPerStep)
  return recipe.steps * options.secondsPerStep + validations(recipe) * validation
}

/** The most steps whose run ends within `seconds`; at least one. */
export function stepsWithin(seconds: number, recipe: Recipe, options: { secondsPerStep: number; size: StepSize; practiceTokens: number }): number {
  const whole = runSeconds(recipe, options)
  return whole <= seconds ? recipe.steps : Math.max(1, Math.floor((recipe.steps * seconds) / whole))
}

/** `1.2 GB`, `340 MB`. */
export function bytesText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`
}

/** `about 3.4 minutes`, `about 40 seconds`. */
export function minutesText(seconds: number): string {
  return seconds >= 90 ? `about ${(seconds / 60).toFixed(1)} minutes` : `about ${Math.max(1, Math.round(seconds))} seconds`
}
