/**
 * Dataset and Exam: examples and passages with their source, in three parts that never mix. Training is learned from,
 * practice is visible and chooses the recipe, the exam is sealed: set aside first and run once per version.
 * Knows nothing of files, tokens or models.
 */
import { z } from 'zod'
import { contentId, hashText, Id } from './id.ts'

/** Where something came from: the file, and the page, row or heading in it. */
export const Source = z.object({
  file: z.string(),
  page: z.number().int().positive().optional(),
  row: z.number().int().positive().optional(),
  heading: z.string().optional(),
  url: z.string().optional(),
})
export type Source = z.infer<typeof Source>

/** Something found in a text: what it is and where it stands, in UTF-16 units of the input, `end` excluded. */
export const Entity = z.object({ type: z.string().min(1), start: z.number().int().nonnegative(), end: z.number().int().positive() })
export type Entity = z.infer<typeof Entity>

/**
 * One case. `label` for classify (`labels` where several may hold); `answer` for answer, where null means the pages do not cover
 * it and the model must say so; `entities` for extract; `output` for transform.
 */
export const Example = z.object({
  id: Id,
  input: z.string().min(1),
  label: z.string().optional(),
  labels: z.array(z.string()).optional(),
  answer: z.string().nullable().optional(),
  entities: z.array(Entity).optional(),
  output: z.string().optional(),
  /** Made by the factory from documents, and how; absent for what people wrote. */
  made: z.enum(['heading', 'definition', 'list', 'question', 'row', 'cloze', 'teacher']).optional(),
  source: Source,
  /** Examples of one group (a document, a topic) always fall into the same part, so nothing leaks between parts. */
  group: z.string(),
})
export type Example = z.infer<typeof Example>

/** A quotable piece of a document, cut at sentence ends. */
export const Passage = z.object({ id: Id, title: z.string(), heading: z.string(), sentences: z.array(z.string().min(1)).min(1), source: Source })
export type Passage = z.infer<typeof Passage>

export const Dataset = z.object({
  specId: Id,
  examId: Id,
  training: z.array(Example),
  practice: z.array(Example),
  passages: z.array(Passage),
  /** Plain sentences about what was dropped or looked odd. */
  notes: z.array(z.string()),
})
export type Dataset = z.infer<typeof Dataset>

/** The sealed cases. The salt keeps a short exam from being guessed from its hash. */
export const Exam = z.object({ specId: Id, salt: Id, cases: z.array(Example).min(1) })
export type Exam = z.infer<typeof Exam>

export const datasetId = (dataset: Dataset): Id => contentId(dataset)
export const examId = (exam: Exam): Id => contentId(exam)

/** What an example says, without where it stands. */
export type Said = Pick<Example, 'input' | 'label' | 'labels' | 'answer' | 'entities' | 'output'>

/** Content hash of an example, from what it says and not from where it stands. */
export function exampleId({ input, label, labels, answer, entities, output }: Said): Id {
  return contentId({ input, label, labels, answer, entities, output })
}

/** An example from what it says; it stands alone unless a document or topic binds it to others. */
export function exampleOf(said: Said, source: Source, group: string | undefined, made?: Example['made']): Example {
  return { id: exampleId(said), ...said, ...(made ? { made } : {}), source, group: group?.trim() || duplicateKey(said.input) }
}

/** What an example gives as right, evened out: two of one input that differ in this contradict each other. */
export function outcomeKey(example: Said): string {
  if (example.label !== undefined) return example.label
  if (example.labels) return [...example.labels].sort().join('\n')
  if (example.entities) return example.entities.map(({ type, start, end }) => `${type} ${example.input.slice(start, end)}`).join('\n')
  return duplicateKey(example.output ?? example.answer ?? '')
}

/** What an example gives as right, for people. */
export function outcomeText(example: Said): string {
  if (example.label !== undefined) return example.label
  if (example.labels) return example.labels.join(', ') || 'none'
  if (example.entities) return example.entities.map(({ type, start, end }) => `${type}: ${example.input.slice(start, end)}`).join('; ') || 'nothing'
  return example.output ?? example.answer ?? 'not covered'
}

/** Text with case, punctuation and white space evened out: two inputs with one key are duplicates. */
export function duplicateKey(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim()
}

/** A number in [0, 1) that depends only on the text and the seed: the same rows fall into the same part on every machine. */
export function fraction(text: string, seed: number): number {
  return Number.parseInt(hashText(`${seed}:${text}`).slice(2, 14), 16) / 2 ** 48
}

/** Splits text into sentences with the platform's own segmenter; line breaks always end a sentence. */
export function sentences(text: string, language = 'en'): string[] {
  let segmenter: Intl.Segmenter
  try {
    segmenter = new Intl.Segmenter(language, { granularity: 'sentence' })
  } catch {
    segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })
  }
  return text
    .split(/\n+/)
    .flatMap((line) => Array.from(segmenter.segment(line), (part) => part.segment.trim()))
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence))
}
