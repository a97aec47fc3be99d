/** Runtime: runs a base model with or without an adapter. Knows nothing of tasks: it scores prompts. */
import type { Refusal } from '../core/errors.ts'
import type { Prompt } from '../core/prompt.ts'

/** The very vocabulary that is served, for counting tokens before training. */
export interface Vocabulary {
  count(text: string): number
  /** Longest sequence the base was trained for, in tokens. */
  readonly contextLength: number
  /** `count` vocabulary strings of one token each that stand for labels. Refuses more labels than the vocabulary offers. */
  labelTokens(count: number): string[] | Refusal
}

export interface Scorer {
  /**
   * For each prompt, for each of its `read` places in order: probabilities over the label tokens, summing to 1. Where the
   * read names the `labels` it is told apart from, all others get 0.
   * @throws {RangeError} when a prompt is longer than the context.
   */
  score(prompts: readonly Prompt[], options?: { signal?: AbortSignal | undefined }): Promise<number[][][]>
  /**
   * Natural log-likelihood of each continuation after the prefix, per token of the continuation. The base model prompted in words.
   * With `best` a continuation that cannot be the likeliest may be given -Infinity, which spares most of the work among many.
   */
  likelihood(prefix: Prompt, continuations: readonly string[], options?: { best?: boolean }): Promise<number[]>
  /**
   * What the model writes after a prompt, piece by piece, each time its likeliest token, until it ends its turn or `mostTokens` are written.
   * The pieces are whole characters. @throws {RangeError} when the prompt leaves no room to write in.
   */
  write(prompt: Prompt, options: { mostTokens: number; signal?: AbortSignal | undefined }): AsyncIterable<string>
  close(): Promise<void>
}

/** How a model is run. What a machine is best at is measured on it; what is not set, the runtime chooses. */
export type ServingSettings = {
  /** Longest prompt, in tokens. */
  contextTokens: number
  threads: number
  /** Prompts evaluated side by side. */
  sequences: number
  /** Whether what a prompt has in common with the one before it is kept instead of computed again. */
  promptCache: boolean
}

export interface Runtime {
  vocabulary(base: string): Promise<Vocabulary | Refusal>
  /** `adapter` null runs the base alone, which a fully trained model is too. The base is loaded once and shared by all scorers. */
  open(options: {
    base: string
    adapter: string | null
    labelTokens: readonly string[]
    serving?: Partial<ServingSettings> | undefined
  }): Promise<Scorer | Refusal>
  close(): Promise<void>
}
