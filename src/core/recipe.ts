/**
 * Recipe: every setting of a training run, and the defaults chosen from the data's size. Settings travel with the weights.
 * Knows nothing of how a trainer works.
 */
import { z } from 'zod'

export const Recipe = z.object({
  /** What is trained: a LoRA, a LoRA over a base that stays quantised in memory, or all weights. */
  method: z.enum(['lora', 'qlora', 'full']).default('lora'),
  /** AdamW (Loshchilov and Hutter 2019) keeps two numbers a weight, Adafactor (Shazeer and Stern 2018) a row and a column a matrix. */
  optimiser: z.enum(['adamw', 'adafactor']).default('adamw'),
  /** LoRA rank and alpha (Hu et al. 2021): the update is (alpha / rank) * B A. */
  rank: z.number().int().positive(),
  alpha: z.number().positive(),
  /** GGUF tensor stems that get an adapter, e.g. `attn_q`. */
  targets: z.array(z.string()).min(1),
  learningRate: z.number().positive(),
  weightDecay: z.number().nonnegative(),
  warmupSteps: z.number().int().nonnegative(),
  steps: z.number().int().positive(),
  /** Tokens a step at most: sequences are packed up to this many. */
  tokensPerStep: z.number().int().positive(),
  /** A step is computed in this many parts, one after the other, to save memory; what is learned is the same but for rounding. */
  accumulate: z.number().int().positive().default(1),
  /** `balanced`: a label counts by the inverse of its frequency, at most tenfold (see `engine/balance.ts`). */
  classWeights: z.enum(['none', 'balanced']).default('none'),
  /** Longest sequence in tokens, questions and markers included. */
  maximumTokens: z.number().int().positive(),
  clipNorm: z.number().positive(),
  /** classify: each text is shown in this many versions, each with this share of its words left out; practice texts stay whole. */
  versions: z.number().int().positive(),
  wordDropout: z.number().min(0).max(0.9),
  /** Steps between validations; training stops after `patience` validations without a better loss. */
  validateEvery: z.number().int().positive(),
  patience: z.number().int().positive(),
  seed: z.number().int().nonnegative(),
  threads: z.number().int().positive(),
  /** Wall-clock limit of the training itself, in seconds; the schedule ends there. */
  maximumSeconds: z.number().positive(),
})
export type Recipe = z.infer<typeof Recipe>

export const LORA_TARGETS = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'] as const

/**
 * Chooses a recipe from the number of training tokens.
 * `epochs` passes are planned; small data gets more of them, early stopping takes the surplus back.
 */
export function chooseRecipe(options: {
  trainingTokens: number
  maximumTokens: number
  threads: number
  maximumSeconds: number
  seed?: number
  override?: Partial<Recipe>
}): Recipe {
  const tokensPerStep = 2048
  const epochs = options.trainingTokens < 30_000 ? 16 : options.trainingTokens < 120_000 ? 10 : options.trainingTokens < 400_000 ? 6 : 3
  const steps = Math.max(30, Math.ceil((options.trainingTokens * epochs) / tokensPerStep))
  return Recipe.parse({
    rank: 16,
    alpha: 32,
    targets: [...LORA_TARGETS],
    learningRate: 3e-3,
    weightDecay: 0.01,
    warmupSteps: Math.max(5, Math.ceil(steps * 0.05)),
    steps,
    tokensPerStep,
    maximumTokens: options.maximumTokens,
    clipNorm: 1,
    versions: Math.min(epochs, 8),
    wordDropout: 0.25,
    validateEvery: Math.max(10, Math.ceil(steps / 12)),
    patience: 4,
    seed: options.seed ?? 1,
    threads: options.threads,
    maximumSeconds: options.maximumSeconds,
    ...options.override,
  })
}
