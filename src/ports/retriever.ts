/** Retriever: finds the passages a question is about. Knows nothing of models. */
import type { Passage } from '../core/dataset.ts'

export interface Retriever {
  /** Builds an index over the passages; cheap enough to do when a package is loaded. */
  index(passages: readonly Passage[], language: string): PassageIndex
}

export interface PassageIndex {
  /** At most `limit` passages, best first, with a score that is comparable within one index only. */
  search(question: string, limit: number): { passage: Passage; score: number }[]
}
