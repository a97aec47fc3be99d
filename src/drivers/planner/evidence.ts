/**
 * How much the words and the files speak for each task: points, and how sure the choice is.
 * Knows nothing of what the other fields of a spec will be.
 */
import type { Task } from '../../core/spec.ts'
import type { FileListing } from '../../ports/planner.ts'
import type { Parts } from './columns.ts'
import { beginnings, taskCues } from './cues.ts'
import { languageMentions } from './language-names.ts'
import { plain } from './languages.ts'
import { enumerations, withoutKinds } from './lists.ts'
import { lengthIn } from './measures.ts'

/** What one file looks like before the task is known. */
export type Seen = { file: FileListing; parts: Parts | { kind: 'pages' } | { kind: 'unread'; why: string } }

export type Choice = { task: Task; points: Record<Task, number>; sure: boolean }

const order: readonly Task[] = ['answer', 'classify', 'extract', 'transform']
/** No matter how many words say the same, they are one wish. */
const mostFromWords = 7

/** What is to be read in documents, by their names: these are asked, those are filled in. */
const reference =
  /(?<!\p{L})(?:manual|handbook|hand?buch|guide|guia|guideline|regulation|reglament|reglement|regula|rules?|bylaw|byelaw|policy|policies|politica|faq|catalog|katalog|leaflet|folleto|brosur|merkbl|fiche|instruc|convenio|statute|code|law|ley|act|standard|norm|wiki|mwongozo|kijitabu|vijitabu|sheria|kitabu|book|libro|buku|protocol|procedure|sop|glossary|mapping|निर्देश|नियम|आदेश|手册|规章|规定|条例|دليل|لائحة)/iu

const even = (name: string): string =>
  plain(name)
    .replace(/[_\s-]+/g, ' ')
    .trim()

/** Columns that hold a tick where a kind applies. */
const ticks = beginnings(
  'ticks? in|ticked|tick (?:marks?|columns?|box)|with ticks|check ?box|checkmarks?|(?:an? )?x in (?:the|each|every)|0\\/1|1\\/0|one-hot|yes\\/no columns?|binary|marcad[ao]s con|casillas|cases cochees|cochees|kreuzchen|angekreuzt|haken in|assinalad|caixas marcadas|alama ya tiki|tiki|टिक|centang|dicentang|打勾|勾选',
)

/** The words or a note say that a table's columns hold ticks. */
export const ticksIn = (text: string, seen: readonly Seen[]): boolean => ticks.test(text) || seen.some(({ file }) => ticks.test(plain(file.note ?? '')))

export function chooseTask(words: string, seen: readonly Seen[]): Choice {
  const text = plain(withoutKinds(words))
  const points: Record<Task, number> = { answer: 0, classify: 0, extract: 0, transform: 0 }
  const byWords: Record<Task, number> = { ...points }
  for (const task of order) {
    let sum = 0
    for (const [weight, cues] of taskCues[task]) {
      const places = text.match(new RegExp(cues.source, 'gu'))?.length ?? 0
      // Said twice is a little surer than once.
      if (places) sum += weight + (places > 1 ? 0.5 : 0)
    }
    byWords[task] = Math.min(sum, mostFromWords)
    points[task] += byWords[task]
  }
  const kinds = seen.map((entry) => entry.parts.kind)
  const has = (kind: string): boolean => kinds.includes(kind as never)
  if (has('labelled')) points.classify += 4.5
  if (has('questions')) points.answer += 5
  if (has('pairs')) points.transform += 4
  // One more column beside a text is a kind more often than anything else.
  if (has('either')) {
    points.classify += 1.5
    points.transform += 1
    points.extract += 0.5
  }
  if (has('tagged')) points.extract += 5
  if (has('fields')) points.extract += has('pages') ? 4 : 3.5
  const pages = seen.filter((entry) => entry.parts.kind === 'pages')
  if (pages.length) points.answer += 1.5
  if (pages.some(({ file }) => reference.test(file.name.replace(/[_-]/g, ' ')))) points.answer += 1.5
  if (has('reference')) points.answer += 1
  const listed = enumerations(words)
  const columns = seen
    .flatMap((entry) => (entry.parts.kind === 'fields' ? entry.parts.fields : entry.parts.kind === 'reference' ? (entry.file.columns ?? []) : []))
    .map(even)
  const asColumns = listed.find((one) => one.items.filter((item) => columns.includes(even(item))).length * 2 > one.items.length)
  // A list that stands in the head of the sheet is a list of things to find, or of kinds with a tick below each that holds.
  const ticked = ticksIn(text, seen)
  if (asColumns && !ticked) points.extract += 3
  if (ticked && (has('fields') || asColumns)) {
    points.classify += 4
    points.extract -= has('fields') ? 3.5 : 0
  }
  const [first] = listed
  if (first && !asColumns && first.score >= 1.5) {
    if (first.for === 'labels') points.classify += first.score >= 4.5 ? 3.5 : first.score >= 3.5 ? 2.5 : 1.5
    if (first.for === 'fields') points.extract += first.score >= 3.5 ? 2.5 : 1.5
    // A bare list after a colon, and nothing else said: kinds.
    if (first.for === 'either' && first.score >= 2.5 && first.items.length >= 3 && !byWords.answer && !byWords.extract)
      points[pages.length && !has('either') ? 'extract' : 'classify'] += 2.5
  }
  if (seen.every(({ parts }) => parts.kind !== 'questions') && lengthIn(words)) points.transform += 1
  const mentions = languageMentions(words)
  if (mentions.some((one) => one.role === 'in') && mentions.some((one) => one.role === 'out')) points.transform += 2
  else if (mentions.some((one) => one.role === 'out')) points.transform += 0.5
  const ranked = [...order].sort((a, b) => points[b] - points[a])
  const best = ranked[0]!
  const lead = points[best] - points[ranked[1]!]
  return {
    task: best,
    points,
    sure: byWords[best] >= 2 || (points[best] >= 2.5 && lead >= 1.5) || points[best] - (pages.length && best === 'answer' ? 1.5 : 0) >= 2.5,
  }
}
