/**
 * Recipe: every setting of a training run, and the defaults chosen from the data's size. Settings travel with the weights.
 * Knows nothing of how a trainer works.
 */
import { z } from 'zod'
import { type Refusal, refuse } from './errors.ts'

const Settings = z.object({
  /** What is trained: a LoRA, a LoRA over a base that stays quantised in memory, or all weights. */
  method: z.enum(['lora', 'qlora', 'full']),
  /** AdamW (Loshchilov and Hutter 2019) keeps two numbers a weight, Adafactor (Shazeer and Stern 2018) a row and a column a matrix. */
  optimiser: z.enum(['adamw', 'adafactor']),
  /** LoRA rank and alpha (Hu et al. 2021): the update is (alpha / rank) * B A. */
  rank: z.number().int().positive().max(4096),
  alpha: z.number().positive(),
  /** GGUF tensor stems that get an adapter, e.g. `attn_q`. */
  targets: z
    .array(z.string())
    .min(1)
    .refine((stems) => new Set(stems).size === stems.length, 'a target is named twice'),
  learningRate: z.number().positive(),
  weightDecay: z.number().nonnegative(),
  warmupSteps: z.number().int().nonnegative(),
  steps: z.number().int().positive().max(100_000_000),
  /** Tokens a step at most: sequences are packed up to this many. */
  tokensPerStep: z.number().int().positive().max(1_048_576),
  /** A step's rows are computed in this many runs, one after the other, to save memory; what is learned is the same but for rounding. */
  accumulate: z.number().int().positive().max(4096),
  /** `balanced`: a label counts by the inverse of its frequency, at most tenfold (see `engine/balance.ts`). */
  classWeights: z.enum(['none', 'balanced']),
  /** Longest sequence in tokens, questions and markers included. */
  maximumTokens: z.number().int().positive(),
  clipNorm: z.number().positive(),
  /** classify: each text is shown in this many versions, each with this share of its words left out; practice texts stay whole. */
  versions: z.number().int().positive().max(1000),
  wordDropout: z.number().min(0).max(0.9),
  /** Steps between validations; training stops after `patience` validations without a better loss. */
  validateEvery: z.number().int().positive(),
  patience: z.number().int().positive(),
  seed: z.number().int().nonnegative(),
  threads: z.number().int().positive().max(1024),
  /** Wall-clock limit of the training itself, in seconds; the schedule ends there. */
  maximumSeconds: z.number().positive(),
})
/** Packages made before a setting was there did what its default says. */
export const Recipe = Settings.extend({
  method: Settings.shape.method.default('lora'),
  optimiser: Settings.shape.optimiser.default('adamw'),
  accumulate: Settings.shape.accumulate.default(1),
  classWeights: Settings.shape.classWeights.default('none'),
})
export type Recipe = z.infer<typeof Recipe>

/** Settings given by hand. Whatever is not named is chosen. */
export const RecipeOverride = z.strictObject(Settings.partial().shape)

/** Checks settings given by hand. Refuses what is no setting, or no value of one, by name. */
export function parseOverride(value: unknown): Partial<Recipe> | Refusal {
  const parsed = RecipeOverride.safeParse(value)
  // A key that is undefined is one that is not there.
  if (parsed.success) return Object.fromEntries(Object.entries(parsed.data).filter(([, one]) => one !== undefined))
  const names = Object.keys(Settings.shape).join(', ')
  const issue = parsed.error.issues[0]!
  if (issue.code === 'unrecognized_keys') return refuse('recipe_unknown_setting', `A recipe has no setting "${issue.keys[0]}".`, `Its settings are ${names}.`)
  const name = issue.path[0]
  if (name === undefined) return refuse('recipe_invalid', `The recipe ${JSON.stringify(value)} is not an object of settings.`, `Give some of ${names}.`)
  const given = JSON.stringify((value as Record<string, unknown>)[String(name)])
  return refuse(
    'recipe_invalid',
    `The recipe's ${String(name)} cannot be ${given}: ${issue.message}.`,
    'Correct it or leave it out; what is not named is chosen.',
  )
}

export const LORA_TARGETS = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'] as const

/** Width of the base on which {@link LEARNING_RATE} was found (docs/log.md). */
const MEASURED_WIDTH = 256
const LEARNING_RATE = 3e-3
/** Longest sequence chosen: attention costs by the square of it, and specialised questions are short. */
const MOST_TOKENS = 1024

/**
 * Learning rate for a base of this width: inversely proportional to it, as Adam's rate for hidden matrices must be for the
 * best one to carry over between widths (Yang et al. 2022, muP, table 3). From 3e-3 at width 256, measured, it gives 1.9e-4 at
 * width 4096, where Dettmers et al. 2023 (QLoRA) found 2e-4 for 7 B. All weights are trained at a tenth of a LoRA's rate
 * (Schulman et al. 2025, "LoRA Without Regret").
 */
export function learningRateFor(width: number, method: Recipe['method'] = 'lora'): number {
  const rate = (LEARNING_RATE * MEASURED_WIDTH) / Math.max(MEASURED_WIDTH, width)
  return Number((method === 'full' ? rate / 10 : rate).toPrecision(3))
}

/** Longest sequence to train and serve: what the base reads, within reason. */
export function longestFor(contextTokens: number, override?: Partial<Recipe>): number {
  return Math.min(contextTokens, override?.maximumTokens ?? MOST_TOKENS)
}

/**
 * Chooses a recipe from the number of training tokens and the width of the base. The same input gives the same recipe.
 * - Passes over the data: 16 below 30,000 tokens, 10 below 120,000, 6 below 400,000, else 3; early stopping takes the surplus back.
 * - Tokens a step: a power of two from 512 to 2048, such that one pass has at least eight steps, but one sequence must fit.
 * - Rank 16 (docs/log.md), 32 from two million tokens: an adapter must have room for what the data says (Schulman et al. 2025).
 * - Learning rate: {@link learningRateFor}. Stopping: after four validations without a better loss, twelve in a whole run.
 * - What memory allows is not known here: `fitted` in steps/plan.ts splits steps into parts and shortens sequences.
 */
export function chooseRecipe(options: {
  trainingTokens: number
  maximumTokens: number
  threads: number
  maximumSeconds: number
  /** Width of the base's hidden state; without it the rate is that of the base in the repository. */
  width?: number | undefined
  /** Tokens of the longest training sequence. */
  longest?: number | undefined
  seed?: number
  override?: Partial<Recipe>
}): Recipe {
  const { trainingTokens, override } = options
  const eighth = 2 ** Math.floor(Math.log2(Math.max(1, trainingTokens / 8)))
  const tokensPerStep = Math.max(Math.min(2048, Math.max(512, eighth)), options.longest ?? 0)
  const epochs = trainingTokens < 30_000 ? 16 : trainingTokens < 120_000 ? 10 : trainingTokens < 400_000 ? 6 : 3
  const steps = override?.steps ?? Math.max(30, Math.ceil((trainingTokens * epochs) / (override?.tokensPerStep ?? tokensPerStep)))
  const rank = override?.rank ?? (trainingTokens < 2e6 ? 16 : 32)
  return Recipe.parse({
    rank,
    alpha: 2 * rank,
    targets: [...LORA_TARGETS],
    learningRate: learningRateFor(options.width ?? MEASURED_WIDTH, override?.method),
    weightDecay: 0.01,
    ...paceOf(steps),
    tokensPerStep,
    maximumTokens: options.maximumTokens,
    clipNorm: 1,
    versions: Math.min(epochs, 8),
    wordDropout: 0.25,
    patience: 4,
    seed: options.seed ?? 1,
    threads: options.threads,
    maximumSeconds: options.maximumSeconds,
    ...override,
  })
}

/**
 * Of the rate of the training before, and steps at most. That training ended where practice was best, so a whole pass at a third of its rate
 * was worse on practice and on the exam (docs/log.md, 2026-12-01); what the expert wrote is seen several times in these few.
 */
const CONTINUED_RATE = 0.1
const CONTINUED_STEPS = 20

/**
 * A short training that goes on from weights made with `recipe`, because a few examples came or changed: a few steps at a tenth of the rate,
 * judged once, at their end, since they are to take those examples in and not to find the best moment on the others.
 */
export function continuing(recipe: Recipe, options: { trainingTokens: number; threads: number; maximumSeconds: number }): Recipe {
  const steps = Math.min(CONTINUED_STEPS, Math.max(8, Math.ceil(options.trainingTokens / recipe.tokensPerStep)))
  return {
    ...recipe,
    ...{ steps, warmupSteps: 2, validateEvery: steps, patience: 1, versions: 1 },
    ...{ learningRate: recipe.learningRate * CONTINUED_RATE, threads: options.threads, maximumSeconds: Math.max(1, Math.floor(options.maximumSeconds)) },
  }
}

/** The settings that go with a number of steps: a twentieth of them warms up, and there are twelve validations. */
export function paceOf(steps: number): Pick<Recipe, 'steps' | 'warmupSteps' | 'validateEvery'> {
  return { steps, warmupSteps: Math.max(5, Math.ceil(steps * 0.05)), validateEvery: Math.max(10, Math.ceil(steps / 12)) }
}
