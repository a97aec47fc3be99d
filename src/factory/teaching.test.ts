/** What a teacher wrote, corrected by the expert and recalled for whoever reviews. Knows nothing of models: this teacher says what it is told to. */
import { expect, it } from 'vitest'
import type { Correction } from '../core/corrections.ts'
import { exampleOf, type Passage } from '../core/dataset.ts'
import { hashText } from '../core/id.ts'
import { planOffline } from '../drivers/planner/offline.ts'
import type { Teacher } from '../ports/teacher.ts'
import type { Material } from './material.ts'
import { openTeaching } from './teaching.ts'

const digoxin: Passage = {
  ...{ id: hashText('digoxin'), title: 'drugs.md', heading: 'Digoxin', source: { file: 'drugs.md', heading: 'Digoxin' } },
  sentences: [
    'Digoxin slows the heart and makes it beat with more force.',
    'The level of potassium in the blood must be checked while somebody takes it.',
    'Nausea and yellow vision are early signs that there is too much of it.',
  ],
}
const potassium = { question: 'What must be checked while taking digoxin?', answer: digoxin.sentences[1]! }
const vision = { question: 'How do I notice too much digoxin?', answer: digoxin.sentences[2]! }
const elsewhere = exampleOf({ input: 'What does warfarin do?', answer: 'It thins blood.' }, { file: 'drugs.md', heading: 'Warfarin' }, 'drugs.md')
const material = {
  spec: planOffline('Answer questions of patients about heart drugs from these pages.', []),
  dataset: { specId: hashText('s'), examId: hashText('e'), training: [], practice: [], passages: [digoxin], notes: [] },
  exam: { specId: hashText('s'), salt: hashText('salt'), cases: [elsewhere] },
} as Pick<Material, 'spec' | 'dataset' | 'exam'> as Material
const memory = () => {
  const values = new Map<string, unknown>()
  return { get: async (key: string) => values.get(key), set: async (key: string, value: unknown) => void values.set(key, value) }
}

it('is corrected and thinned out like any other, which holds when the dataset is made again', async () => {
  let asked = 0
  const teacher: Teacher = {
    ...{ name: 'told', local: true },
    generate: async () => {
      asked++
      return [potassium, vision]
    },
    judge: async () => {
      asked++
      return [5, 5]
    },
  }
  const settings = memory()
  const { signal } = new AbortController()
  const teaching = openTeaching({ teacher, database: { settings } })
  const plain = await teaching.teach(material, [], async () => {}, signal)
  const [first, second] = plain.training
  const corrections: Correction[] = [
    { kind: 'replace', id: first!.id, outcome: { answer: digoxin.sentences[0]! } },
    { kind: 'remove', id: second!.id },
    { kind: 'add', input: 'Added by hand?', outcome: { answer: 'x' } },
  ]
  const expected = [{ input: potassium.question, answer: digoxin.sentences[0] }]
  expect((await teaching.teach(material, corrections, async () => {}, signal)).training).toMatchObject(expected)
  // Whoever reviews sees the same, and no teacher is asked for it; before it was ever asked there is nothing of it to see.
  expect((await teaching.recall(material, corrections)).training).toMatchObject(expected)
  expect((await teaching.recall(material, corrections)).training).toHaveLength(1)
  expect((await openTeaching({ teacher, database: { settings: memory() } }).recall(material, [])).training).toEqual([])
  expect(asked).toBe(2)
})
