/** Trainer: prompts with labels + a recipe -> an adapter or a whole model. Knows nothing of specs; a prompt's text is just text to it. */
import type { Refusal } from '../core/errors.ts'
import type { Prompt } from '../core/prompt.ts'
import type { Recipe } from '../core/recipe.ts'
import type { CurvePoint, Weights } from '../core/weights.ts'

export type TrainingJob = {
  /** Names the run: a checkpoint in `folder` of the same id is resumed, one of another id is thrown away. */
  id: string
  /** GGUF file of the base, the very file that will be served. */
  base: string
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
  /** True when a checkpoint was found and continued. */
  resumed: boolean
  /** What went wrong without ending the run, a sentence each. */
  notices: string[]
}

export interface Trainer {
  /**
   * Refuses what cannot be trained (an unsupported base, a prompt that does not fit, a loss that is not a number).
   * @throws the signal's reason when cancelled; the last checkpoint stays.
   */
  fit(
    job: TrainingJob,
    options?: { signal?: AbortSignal | undefined; onProgress?: ((progress: TrainingProgress) => void) | undefined },
  ): Promise<TrainingResult | Refusal>
}
