/**
 * Passages -> further examples to learn from, by a teacher: generate, judge, filter. An answer becomes the very sentences of the passage that support it,
 * or nothing; nothing nearly like an exam or practice case comes in; and what people wrote stays first and is never crowded out. Only the training
 * part grows. Knows nothing of which model teaches.
 */
import { type Correction, corrected } from '../core/corrections.ts'
import { type Dataset, duplicateKey, type Exam, type Example, exampleOf, type Passage } from '../core/dataset.ts'
import { contentId } from '../core/id.ts'
import type { Spec } from '../core/spec.ts'
import type { Lesson, Silence, Teacher, Text } from '../ports/teacher.ts'
import { Likeness } from './likeness.ts'
import { supports } from './worth.ts'

/** A lesson judged below this is not used. */
const LEAST = 4
/** Words of a passage for each question that is asked of it. */
const WORDS_PER_QUESTION = 25
const MOST_PER_PASSAGE = 4
/** Shorter passages say too little to ask about. */
const FEWEST_WORDS = 20
/** With this many examples there is enough to learn from; a teacher writes what is missing. */
const ENOUGH = 600
/** After so many passages in a row without a reply the teacher is not asked any more. */
const PATIENCE = 3
/** Part of what replies are kept under: to be raised when prompts or filters change. */
const VERSION = 1

/** Replies of before, by what was asked: a build that goes on, or is made again, asks nothing twice. */
export type Kept = { get(key: string): Promise<unknown>; set(key: string, value: unknown): Promise<void> }

export type Taught = {
  examples: Example[]
  passages: number
  /** What did not come in, and why. */
  dropped: { unsupported: number; judged: number; known: number; silent: number }
  /** Why nothing was asked, or the asking ended early. */
  note: string | null
}

type Reply = { lessons: Lesson[]; scores: number[] }
const isReply = (value: unknown): value is Reply =>
  typeof value === 'object' && value !== null && Array.isArray((value as Reply).lessons) && Array.isArray((value as Reply).scores)

export async function teach(
  ports: { teacher: Teacher; kept: Kept },
  material: { spec: Spec; dataset: Dataset; exam: Exam },
  options: {
    signal: AbortSignal
    /** What the expert changed: examples of the teacher are corrected and removed like any others. */
    corrections?: readonly Correction[]
    onProgress?: (progress: { done: number; of: number; examples: number }) => void
  },
): Promise<Taught> {
  const { teacher, kept } = ports
  const { spec, dataset, exam } = material
  const taught: Taught = { examples: [], passages: 0, dropped: { unsupported: 0, judged: 0, known: 0, silent: 0 }, note: null }
  if (spec.task !== 'answer') return taught
  if (spec.privacy === 'local' && !teacher.local) return { ...taught, note: `${teacher.name} was not asked, because nothing may leave your own machines.` }
  const most = ENOUGH - dataset.training.length
  if (most <= 0) return taught
  const known = new Likeness()
  for (const { input } of [...exam.cases, ...dataset.practice, ...dataset.training]) known.add(input)
  // A part of a document that the exam or practice stands on is not taught from: its questions would be theirs in other words.
  const apart = new Set([...exam.cases, ...dataset.practice].map(({ source }) => placeOf(source)))
  const passages = dataset.passages.filter(
    (passage) => !apart.has(placeOf({ file: passage.source.file, heading: passage.heading.split(' - ')[0] })) && wordsOf(passage) >= FEWEST_WORDS,
  )
  let silent = 0
  for (const [index, passage] of spread(passages).entries()) {
    if (taught.examples.length >= most) break
    options.signal.throwIfAborted()
    const reply = await ask({ teacher, kept }, passage, spec)
    if ('silent' in reply) {
      taught.dropped.silent++
      if (++silent < PATIENCE) continue
      taught.note = `${teacher.name} gave no usable reply ${PATIENCE} times in a row (${reply.silent}), so it was not asked any more.`
      break
    }
    silent = 0
    taught.passages++
    for (const [place, { question, answer }] of reply.lessons.entries()) {
      const holds = supports(answer)
      const quoted = passage.sentences.filter(holds).join(' ')
      if (!quoted) taught.dropped.unsupported++
      else if ((reply.scores[place] ?? 0) < LEAST) taught.dropped.judged++
      else if (!duplicateKey(question) || known.find(question).length) taught.dropped.known++
      else if (taught.examples.length < most) {
        known.add(question)
        taught.examples.push(exampleOf({ input: question.trim(), answer: quoted }, passage.source, passage.source.file, 'teacher'))
      }
    }
    options.onProgress?.({ done: index + 1, of: passages.length, examples: taught.examples.length })
  }
  // What was added by hand is in the dataset already.
  const changes = (options.corrections ?? []).filter(({ kind }) => kind !== 'add')
  return { ...taught, examples: corrected(taught.examples, changes) }
}

async function ask({ teacher, kept }: { teacher: Teacher; kept: Kept }, passage: Passage, spec: Spec): Promise<Reply | Silence> {
  const text: Text = { title: passage.title, heading: passage.heading, text: passage.sentences.join(' ') }
  const wish = {
    count: Math.min(MOST_PER_PASSAGE, Math.max(1, Math.round(wordsOf(passage) / WORDS_PER_QUESTION))),
    language: spec.language[0] ?? 'en',
    audience: spec.audience,
  }
  const key = `teacher:${contentId({ version: VERSION, teacher: teacher.name, text, wish })}`
  const before = await kept.get(key)
  if (isReply(before)) return before
  const lessons = await teacher.generate(text, wish)
  if ('silent' in lessons) return lessons
  const scores = lessons.length ? await teacher.judge(text, lessons) : []
  if ('silent' in scores) return scores
  const reply = { lessons, scores }
  await kept.set(key, reply)
  return reply
}

/** In one sentence what came of it, for the builder. */
export function describeTaught(taught: Taught, teacher: string): string {
  const { unsupported, judged, known, silent } = taught.dropped
  const left = [
    unsupported && `${unsupported} said what its passage does not`,
    judged && `${judged} were judged unfit`,
    known && `${known} were there already or too near the exam`,
    silent && `${silent} passages got no reply`,
  ].filter(Boolean)
  const first = `${taught.examples.length} examples more were written by ${teacher} from ${taught.passages} passages, each answered in the passage’s own words${left.length ? `; left out: ${left.join(', ')}` : ''}.`
  return taught.note ? `${first} ${taught.note}` : first
}

const placeOf = ({ file, heading }: { file: string; heading?: string | undefined }): string => `${file}\n${heading ?? ''}`
const wordsOf = (passage: Passage): number => passage.sentences.reduce((sum, sentence) => sum + sentence.split(/\s+/).length, 0)

/** Every document early: the first passage of each, then the second of each, and so on. */
function spread(passages: readonly Passage[]): Passage[] {
  const turns = new Map<string, number>()
  const placed = passages.map((passage) => {
    const turn = turns.get(passage.source.file) ?? 0
    turns.set(passage.source.file, turn + 1)
    return { passage, turn }
  })
  return placed.sort((a, b) => a.turn - b.turn).map(({ passage }) => passage)
}
