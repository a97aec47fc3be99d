/** Trainer: prompts with labels + a recipe -> an adapter or a whole model. Knows nothing of specs; a prompt's text is just text to it. */
import type { Refusal } from '../core/errors.ts'
import type { StepSize } from '../core/estimate.ts'
import type { Prompt } from '../core/prompt.ts'
import type { Recipe } from '../core/recipe.ts'
import type { CurvePoint, Weights } from '../core/weights.ts'

export type TrainingJob = {
  /** Names the run: a checkpoint in `folder` of the same id is resumed, one of another id is thrown away. */
  id: string
  /** GGUF file of the base, the very file that will be served. */
  base: string
  /** Weights that this trainer gave for the same base and the same method, rank and targets: the run goes on from them, and not from the base. */
  from?: string | undefined
  /**
   * Every prompt has at least one labelled `read` or `learned` text and fits `recipe.maximumTokens`. Where any text is
   * learned, labels are told from the whole vocabulary; elsewhere from the label tokens alone.
   */
  training: readonly Prompt[]
  validation: readonly Prompt[]
  /** Vocabulary strings, each one token, that stand for label 0, 1, ... */
  labelTokens: readonly string[]
  recipe: Recipe
  /** For checkpoints; the trainer owns it. */
  folder: string
}

export type TrainingProgress = CurvePoint & {
  steps: number
  tokensPerSecond: number
  secondsLeft: number
  /** Something that went wrong and does not end the run, as a sentence: a checkpoint that could not be written. */
  notice?: string | undefined
}

export type TrainingResult = {
  /** `adapter`: a GGUF LoRA. `model`: a whole GGUF model, which is what method `full` gives. Of the best validation loss. */
  kind: Weights['kind']
  /** Path of that file. */
  file: string
  bestStep: number
  curve: CurvePoint[]
  seconds: number
  /** Most memory the training held, its process and all; 0 where that is not known. */
  peakBytes: number
  /** True when a checkpoint was found and continued. */
  resumed: boolean
  /** What went wrong without ending the run, a sentence each. */
  notices: string[]
}

/** What a base and a set of prompts are like, as far as the size of a training step goes. */
export type SizeQuestion = {
  base: string
  recipe: Recipe
  /** Tokens of the longest prompt, and places read for every token. */
  longest: number
  readsPerToken: number
}

/** A base as the choice of a recipe sees it. */
export type BaseSize = { width: number; parameters: number; contextTokens: number }

export interface Trainer {
  /** Reads the head of a base file. Refuses as `fit` does. */
  inspect(base: string): Promise<BaseSize | Refusal>
  /** Memory and operations of one step, from shapes alone: nothing is loaded. Refuses as `fit` does. */
  size(question: SizeQuestion): Promise<StepSize | Refusal>
  /**
   * Refuses what cannot be trained (an unsupported base, a prompt that does not fit, a loss that is not a number).
   * @throws the signal's reason when cancelled; the last checkpoint stays.
   */
  fit(
    job: TrainingJob,
    options?: { signal?: AbortSignal | undefined; onProgress?: ((progress: TrainingProgress) => void) | undefined },
  ): Promise<TrainingResult | Refusal>
}
