/**
 * Teacher: a large language model that writes questions about a passage and judges them. What it writes is a proposal; what is learned from is for
 * others to decide. Knows nothing of files, parts of a dataset or exams.
 */

/** A question and its answer in the passage's own words. */
export type Lesson = { question: string; answer: string }

/** A passage as the teacher sees it. */
export type Text = { title: string; heading: string; text: string }

/** Why there is no reply: `late`, `refused`, `unusable` (not what was asked for, or cut off) or `unreachable`. */
export type Silence = { silent: 'late' | 'refused' | 'unusable' | 'unreachable' }

export interface Teacher {
  /** Names the model in what is made by it. */
  readonly name: string
  /** True when it runs on this machine: what must stay local may be shown to it. */
  readonly local: boolean
  /** At most `count` questions that the text answers, in `language` (BCP-47), as this audience would ask them. */
  generate(text: Text, wish: { count: number; language: string; audience: string | null }): Promise<Lesson[] | Silence>
  /** For each lesson, from 1 (the text does not say this) to 5 (the answer stands in the text and answers the question). */
  judge(text: Text, lessons: readonly Lesson[]): Promise<number[] | Silence>
}
