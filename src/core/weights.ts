/**
 * Weights: an adapter or a whole model by hash, the base it came from, and every setting that made it. Knows nothing of how
 * it was trained.
 */
import { z } from 'zod'
import { Estimate } from './estimate.ts'
import { contentId, Id } from './id.ts'
import { Recipe } from './recipe.ts'
import { Search } from './search.ts'

/** The base model that was trained on, and that an adapter must be served with. */
export const Base = z.object({ name: z.string(), sha256: Id, licence: z.string() })
export type Base = z.infer<typeof Base>

/**
 * The classical part of a classify model: log p = (1 - share) log p_neural + share log softmax(temperature * scores).
 * Share and temperature were chosen on practice; share 0 means that the neural weights decide alone.
 */
export const Expert = z.object({ file: Id, what: z.string(), share: z.number().min(0).max(1), temperature: z.number().positive() })
export type Expert = z.infer<typeof Expert>

/**
 * answer: the sentences are found by words instead of chosen by the weights, because practice said so. `sentences`: so many of the best passage;
 * `passages`: so many, whole. Below `threshold`, the share of the question that the best passage must hold, it abstains.
 */
export const Quoting = z.object({ by: z.enum(['sentences', 'passages']), count: z.number().int().positive(), threshold: z.number().min(0) })
export type Quoting = z.infer<typeof Quoting>

/** A question or text that the expert put right by hand: its answer, null where the pages do not cover it, or its label. */
export const Pinned = z.object({ question: z.string().min(1), answer: z.string().nullable() })
export type Pinned = z.infer<typeof Pinned>

/** One point of the loss curve; losses are mean cross-entropy in nats over the read places. */
export const CurvePoint = z.object({
  step: z.number().int(),
  trainingLoss: z.number(),
  validationLoss: z.number().nullable(),
  // A share, added up in single precision.
  validationRight: z.number().min(0).max(1.001).optional(),
  seconds: z.number(),
})
export type CurvePoint = z.infer<typeof CurvePoint>

export const Weights = z.object({
  datasetId: Id,
  base: Base,
  /** `adapter`: the file is a LoRA that is served on the base. `model`: all weights were trained, and the file is served alone. */
  kind: z.enum(['adapter', 'model']).default('adapter'),
  /** SHA-256 of the GGUF file: the LoRA, or the whole model. */
  adapter: Id,
  /** Vocabulary strings whose tokens stand for label 0, 1, ... */
  labelTokens: z.array(z.string()).min(2),
  recipe: Recipe,
  /** answer: sentences above this probability are quoted; when none is, the model abstains. Chosen on practice. */
  threshold: z.number().min(0).max(1).nullable(),
  /** classify: null when practice gave the classical part no share. */
  expert: Expert.nullable(),
  /** answer: present when the weights do not choose the sentences. */
  quoting: Quoting.optional(),
  /** answer, and classify with one label: what the expert put right by hand, said again whenever it is asked in nearly the same words. Absent where there is nothing. */
  pinned: z.array(Pinned).min(1).optional(),
  /** transform: tokens it may write at most, from what it learned. Absent elsewhere. */
  mostTokens: z.number().int().positive().optional(),
  /** The file of the weights that the training went on from; absent where it began at the base. */
  from: Id.optional(),
  bestStep: z.number().int(),
  curve: z.array(CurvePoint),
  /** What the training was predicted to take, and what was tried before it; null where nothing was. */
  estimate: Estimate.nullable().default(null),
  search: Search.nullable().default(null),
})
export type Weights = z.infer<typeof Weights>

/** What a runtime opens to serve weights: the base with the adapter on it, or the whole model alone. `paths` are of the base's file and of theirs. */
export function servedFrom(kind: Weights['kind'], paths: { base: string; weights: string }): { base: string; adapter: string | null } {
  return kind === 'model' ? { base: paths.weights, adapter: null } : { base: paths.base, adapter: paths.weights }
}

export const weightsId = (weights: Weights): Id => contentId(weights)

/** The loss on practice examples at a step, such as the best; infinite where none was measured. */
export function lossAt(curve: readonly { step: number; validationLoss: number | null }[], step: number): number {
  return curve.find((point) => point.step === step && point.validationLoss !== null)?.validationLoss ?? Number.POSITIVE_INFINITY
}
