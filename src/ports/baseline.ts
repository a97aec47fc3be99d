/**
 * Baseline: the strong cheap classifier. Every tuned model is measured against it, and it may be mixed into one as its
 * classical part, where practice says that helps. Knows nothing of language models.
 */
export interface Baseline {
  /** In words, for the report, e.g. "TF-IDF n-grams + linear SVM". */
  readonly what: string
  fit(options: {
    training: readonly LabelledText[]
    /** Used to choose its own regularisation; never the exam. */
    practice: readonly LabelledText[]
    signal?: AbortSignal | undefined
  }): Promise<FittedBaseline>
  /** Reads what {@link FittedBaseline.save} wrote. @throws when the bytes are something else. */
  load(bytes: Uint8Array): LoadedBaseline
}

/** A text and its kind; `labels` where several may hold, or none: each is then told apart from all the rest. */
export type LabelledText = { input: string; label: string; labels?: readonly string[] | undefined }

export interface LoadedBaseline {
  /** Labels it knows, in the order of its scores. */
  readonly labels: readonly string[]
  predict(inputs: readonly string[]): string[]
  /** One row an input, one score a label; higher is likelier, comparable within a row. */
  scores(inputs: readonly string[]): number[][]
}

export interface FittedBaseline extends LoadedBaseline {
  /** Scores of the practice inputs, in order, before practice was learned from: fit to choose with. */
  readonly practiceScores: number[][]
  save(): Uint8Array
}
