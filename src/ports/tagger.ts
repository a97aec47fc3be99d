/**
 * Tagger: the strong cheap reader of words, for extraction what {@link Baseline} is for classification: every tuned model is measured
 * against it, and it may be mixed into one as its classical part. Knows nothing of language models.
 */

/** A text's words, and for each the number of its tag, from 0. */
export type TaggedWords = { words: readonly string[]; tags: readonly number[] }

export interface Tagger {
  /** In words, for the report. */
  readonly what: string
  /** `tags` is how many there are. Practice ends the fitting; it is not learned from. */
  fit(options: { training: readonly TaggedWords[]; practice: readonly TaggedWords[]; tags: number; signal?: AbortSignal | undefined }): Promise<FittedTagger>
  /** Reads what {@link FittedTagger.save} wrote. @throws when the bytes are something else. */
  load(bytes: Uint8Array): LoadedTagger
}

export interface LoadedTagger {
  /** For each word a natural log-probability a tag. */
  scores(words: readonly string[]): number[][]
}

export interface FittedTagger extends LoadedTagger {
  save(): Uint8Array
}
