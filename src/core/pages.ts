/**
 * Pages as they were read, for whoever looks whether they were understood: passages in the order of their documents, each sentence with whether
 * an example to learn or practise from rests on it. Knows nothing of how a page is drawn.
 */
import type { Dataset } from './dataset.ts'
import { duplicateKey, sentences } from './dataset.ts'

export type PageView = { file: string; title: string; heading: string; sentences: { text: string; used: boolean }[] }

/** Passages shown at most; a folder of books would be megabytes. */
const SHOWN = 300

/** The first {@link SHOWN} passages of a dataset, and how many there are. The exam's own answers mark nothing: what it asks stays unsaid. */
export function pagesOf(dataset: Pick<Dataset, 'passages' | 'training' | 'practice'>): { total: number; first: PageView[] } {
  const answers = [...dataset.training, ...dataset.practice].flatMap(({ answer }) => (answer ? sentences(answer) : []))
  const used = new Set(answers.map(duplicateKey).filter(Boolean))
  const first = dataset.passages.slice(0, SHOWN).map(({ title, heading, sentences: texts, source }) => ({
    ...{ file: source.file, title, heading },
    sentences: texts.map((text) => ({ text, used: used.has(duplicateKey(text)) })),
  }))
  return { total: dataset.passages.length, first }
}
