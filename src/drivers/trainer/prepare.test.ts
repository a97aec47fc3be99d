import { expect, it } from 'vitest'
import { classifyPrompt, type Prompt, selectPrompt } from '../../core/prompt.ts'
import { chooseRecipe } from '../../core/recipe.ts'
import type { TrainingJob } from '../../ports/trainer.ts'
import { prepare } from './prepare.ts'

/** One token a character, so that lengths can be counted by eye. */
const vocabulary = {
  contextLength: 50,
  tokenize(prompt: Prompt) {
    const tokens: number[] = []
    const reads: { position: number; label?: number; weight?: number; labels?: readonly number[] }[] = []
    const learned: number[] = []
    for (const segment of prompt) {
      if (segment.kind === 'read') reads.push({ position: tokens.length - 1, ...segment })
      else
        for (const token of segment.kind === 'text' ? [...segment.text].map((character) => character.codePointAt(0)!) : [1]) {
          if (segment.kind === 'text' && segment.learned && tokens.length) learned.push(tokens.length)
          tokens.push(token)
        }
    }
    return { tokens, reads, learned }
  },
}
const read = (position: number, label: number) => ({ position, label, weight: 1 })
const labelled = (label: number, ...labels: number[]): Prompt => [
  { kind: 'text', text: 'a' },
  { kind: 'read', label, labels },
]
const good = [classifyPrompt('yes', 1), classifyPrompt('no', 0)]
const job = (change: Partial<TrainingJob>): TrainingJob => ({
  ...{ id: 'job', base: 'base', training: good, validation: good, labelTokens: ['a', 'b'], folder: 'folder' },
  recipe: chooseRecipe({ trainingTokens: 10, maximumTokens: 20, threads: 1, maximumSeconds: 1 }),
  ...change,
})

it('keeps tokens, places, labels and weights', () => {
  const prompt = selectPrompt('q', { rank: 0, match: 1 }, 'h', ['s', 't'], [1, 0], [2, 3])
  expect(prepare(job({ training: [prompt, ...good] }), vocabulary, [5, 6])).toMatchObject({
    training: [
      {
        reads: [
          { position: 10, label: 1, weight: 2 },
          { position: 12, label: 0, weight: 3 },
        ],
      },
      { tokens: [1, 121, 101, 115, 1] },
      {},
    ],
    validation: [{ reads: [{ position: 4, label: 1, weight: 1 }] }, {}],
  })
})

it('learns text by its next tokens, and labels as tokens beside it', () => {
  const text: Prompt = [
    { kind: 'special', token: 'start' },
    { kind: 'text', text: 'a' },
    { kind: 'text', text: 'bc', learned: true },
  ]
  expect(prepare(job({ training: [text, ...good], validation: [[{ kind: 'text', text: 'xyz', learned: true }]] }), vocabulary, [5, 6])).toEqual({
    among: 'vocabulary',
    training: [
      { tokens: [1, 97, 98, 99], reads: [read(1, 98), read(2, 99)] },
      { tokens: [1, 121, 101, 115, 1], reads: [read(4, 6)] },
      { tokens: [1, 110, 111, 1], reads: [read(3, 5)] },
    ],
    validation: [{ tokens: [120, 121, 122], reads: [read(0, 121), read(1, 122)] }],
  })
})

it('keeps the labels of a task', () => {
  const prompt: Prompt = [
    { kind: 'text', text: 'a' },
    { kind: 'read', label: 2, labels: [1, 2] },
  ]
  const several = { labelTokens: ['a', 'b', 'c'] }
  expect(prepare(job({ ...several, training: [prompt, ...good] }), vocabulary, [5, 6, 7])).toMatchObject({
    among: 'labels',
    training: [{ reads: [{ position: 0, label: 2, weight: 1, labels: [1, 2] }] }, {}, {}],
  })
})

it.each<[string, Partial<TrainingJob>, string, RegExp]>([
  ['no examples', { training: [] }, 'training_empty', /0 training examples/],
  ['one label', { training: [classifyPrompt('a', 1), classifyPrompt('b', 1)] }, 'training_one_label', /All 2 .*number 1/],
  [
    'one label once weightless ones are left out',
    { training: [selectPrompt('q', { rank: 0, match: 1 }, 'h', ['s', 't'], [1, 0], [1, 0]), classifyPrompt('a', 1)] },
    'training_one_label',
    /number 1/,
  ],
  ['one text', { training: [classifyPrompt('a', 1), classifyPrompt('a', 0)] }, 'training_identical', /All 2/],
  ['a validation text that does not fit', { validation: [classifyPrompt('x'.repeat(30), 0)] }, 'prompt_too_long', /Validation example 1 is 32 tokens.* 20\./],
  ['no label', { training: [...good, classifyPrompt('what')] }, 'prompt_without_label', /example 3/],
  ['a label without a token', { training: [...good, classifyPrompt('what', 2)] }, 'label_unknown', /label number 2, but there are 2/],
  ['a label outside its own task', { training: [...good, labelled(1, 0)] }, 'labels_invalid', /label number 1 among the labels \[0\] of 2/],
  ['a task with a label that is none', { training: [...good, labelled(1, 1, 2)] }, 'labels_invalid', /\[1, 2\] of 2/],
  ['a weight that is not one', { training: [...good, selectPrompt('q', { rank: 0, match: 1 }, 'h', ['s'], [1], [Number.NaN])] }, 'weight_invalid', /NaN/],
])('refuses %s', (_, change, code, message) => {
  expect(prepare(job(change), vocabulary, [5, 6])).toMatchObject({ refused: true, code, message: expect.stringMatching(message) })
})
