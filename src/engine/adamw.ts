/**
 * AdamW (Loshchilov and Hutter 2019, decoupled weight decay) over typed arrays, and clipping by global norm. An adapter is
 * small enough that this costs a few milliseconds a step. Knows nothing of graphs or models.
 */

export type AdamState = { first: Float32Array; second: Float32Array }
export const BETAS = [0.9, 0.99] as const
const EPSILON = 1e-8

/** Euclidean norm of all gradients together, in double precision. */
export function globalNorm(gradients: readonly Float32Array[]): number {
  let sum = 0
  for (const gradient of gradients) for (let index = 0; index < gradient.length; index++) sum += gradient[index]! * gradient[index]!
  return Math.sqrt(sum)
}

/**
 * One update in place. `step` counts from 1 and corrects the bias of the moments; `scale` multiplies the gradient first
 * (clipping). The decay is applied to the parameter directly, times the learning rate.
 */
export function adamw(
  parameter: Float32Array,
  gradient: Float32Array,
  state: AdamState,
  options: { step: number; learningRate: number; weightDecay: number; scale: number },
): void {
  const [beta1, beta2] = BETAS
  const { step, learningRate, weightDecay, scale } = options
  const { first, second } = state
  const correction1 = 1 / (1 - beta1 ** step)
  const correction2 = 1 / (1 - beta2 ** step)
  const keep = 1 - learningRate * weightDecay
  for (let index = 0; index < parameter.length; index++) {
    const slope = gradient[index]! * scale
    const mean = beta1 * first[index]! + (1 - beta1) * slope
    const square = beta2 * second[index]! + (1 - beta2) * slope * slope
    first[index] = mean
    second[index] = square
    parameter[index] = parameter[index]! * keep - (learningRate * mean * correction1) / (Math.sqrt(square * correction2) + EPSILON)
  }
}
