/** Pages as they were read: in order, with the sentences that examples rest on. */
import { describe, expect, it } from 'vitest'
import type { Example, Passage } from './dataset.ts'
import { hashText } from './id.ts'
import { pagesOf } from './pages.ts'

const passage = (index: number, sentences: string[]): Passage => ({
  ...{ id: hashText(`${index}`), title: 'Heart drugs', heading: `Part ${index}`, sentences, source: { file: 'pages.md' } },
})
const example = (input: string, answer: string | null): Example => ({ id: hashText(input), input, answer, source: { file: 'pages.md' }, group: 'a' })

describe('pages', () => {
  it('marks the sentences an example rests on, however they are spaced, and no other', () => {
    const passages = [passage(1, ['Take it with water.', 'Never chew it.']), passage(2, ['Ask your doctor first.'])]
    const training = [example('How?', 'Take it  with water. It is best in the morning.'), example('Who made it?', null)]
    const { total, first } = pagesOf({ passages, training, practice: [example('Whom to ask?', 'ask your doctor first')] })
    expect(total).toBe(2)
    expect(first.map(({ heading, sentences }) => [heading, sentences.map(({ used }) => used)])).toEqual([
      ['Part 1', [true, false]],
      ['Part 2', [true]],
    ])
  })

  it('shows the beginning of many and says how many there are', () => {
    const passages = Array.from({ length: 1000 }, (_, index) => passage(index, ['A sentence.']))
    const { total, first } = pagesOf({ passages, training: [], practice: [] })
    expect(total).toBe(1000)
    expect(first).toHaveLength(300)
    expect(first[0]!.sentences[0]!.used).toBe(false)
  })
})
