/** Baseline: the strong cheap classifier every tuned model is measured against. */
export interface Baseline {
  /** In words, for the report, e.g. "TF-IDF n-grams + linear SVM". */
  readonly what: string
  fit(options: {
    training: readonly { input: string; label: string }[]
    /** Used to choose its own regularisation; never the exam. */
    practice: readonly { input: string; label: string }[]
    signal?: AbortSignal | undefined
  }): Promise<FittedBaseline>
}

export interface FittedBaseline {
  predict(inputs: readonly string[]): string[]
}
