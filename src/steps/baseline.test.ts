/** Sentences found by words: how they are chosen on practice, and what a model that is served by them says. No weights run here. */
import { describe, expect, it } from 'vitest'
import { type Example, exampleOf, type Passage } from '../core/dataset.ts'
import { hashText } from '../core/id.ts'
import { planOffline } from '../drivers/planner/offline.ts'
import { miniSearchRetriever } from '../drivers/retriever/minisearch.ts'
import { answer, pinnedAnswers, pinnedLabels, type Served } from './answer.ts'
import { chooseQuoting, quoteBaseline, quoteByWords } from './baseline.ts'
import { matcher } from './match.ts'
import { clearlyBetter } from './worth.ts'

const passage = (heading: string, ...sentences: string[]): Passage => ({
  ...{ id: hashText(heading), title: 'Drugs', heading, sentences, source: { file: 'drugs.md', heading } },
})
const passages = [
  passage(
    'Digoxin',
    'Digoxin makes the heart beat with more force.',
    'Potassium must be checked while somebody takes it.',
    'Yellow vision is a sign of too much.',
  ),
  passage('Aspirin', 'Aspirin keeps platelets from sticking together.', 'It can make the stomach bleed.', 'Take it with a glass of water.'),
  passage('Warfarin', 'Warfarin makes blood clot more slowly.', 'Its dose follows a blood test, the INR.', 'Cabbage and spinach weaken it.'),
]
const words = { index: miniSearchRetriever().index(passages, 'en'), match: matcher(passages) }
const example = (input: string, said: string | null): Example => exampleOf({ input, answer: said }, { file: 'drugs.md' }, 'drugs.md')
const whole = passages.map(({ heading, sentences }) => example(`What should I know about ${heading.toLowerCase()}?`, sentences.join(' ')))
const uncovered = [example('How is the weather in Lagos tomorrow?', null), example('Who won the match last night?', null)]

describe('what was put right by hand', () => {
  const pins = pinnedAnswers(
    [
      { question: 'What must be checked while somebody takes digoxin every day?', answer: 'Potassium must be checked while somebody takes it.' },
      { question: 'Can my dog take these heart pills as well?', answer: null },
      { question: 'What does the moon say about the tides of today?', answer: 'The moon pulls the sea toward itself twice a day.' },
    ],
    passages,
  )
  it('is said again to nearly the same words, from the page that supports it', () => {
    expect(pins('What must be checked while somebody takes digoxin every day', 'en')).toMatchObject({
      abstained: false,
      citations: [{ quote: 'Potassium must be checked while somebody takes it.', heading: 'Digoxin', file: 'drugs.md' }],
    })
    expect(pins('Can my dog take these heart pills as well?!', 'es')).toMatchObject({ abstained: true, text: expect.stringContaining('no tratan') })
  })

  it('is not said to another question, and nothing is quoted that no page says', () => {
    expect(pins('What must be eaten while somebody takes aspirin on Sundays?', 'en')).toBeUndefined()
    expect(pins('What does the moon say about the tides of today?', 'en')).toBeUndefined()
  })
})

describe('a label that was put right by hand', () => {
  const labels = ['good', 'bad']
  const pins = pinnedLabels(
    [
      { question: 'The parcel came late and the box was broken in two places', answer: 'good' },
      { question: 'Nothing like this was ever a label of this model at all', answer: 'ugly' },
    ],
    labels,
  )
  it('is what a text in nearly those words gets, whatever the weights say', async () => {
    const served = {
      spec: { ...planOffline('Tell me which kind of text this is.', []), task: 'classify', labels, multiLabel: false },
      pinned: pins,
    } as unknown as Served
    const parts = []
    for await (const part of answer(served, 'The parcel came late, and the box was broken in two places!')) parts.push(part)
    expect(parts).toEqual([{ delta: 'good' }, { answer: expect.objectContaining({ label: 'good', text: 'good', abstained: false }) }])
    expect(pins('The parcel came late and the box was broken in two places', 'en')!.scores).toEqual([
      { label: 'good', probability: 1 },
      { label: 'bad', probability: 0 },
    ])
  })
  it('says nothing of another text, and no label that there is not', () => {
    expect(pins('The parcel came early and everything in it was whole and clean', 'en')).toBeUndefined()
    expect(pins('Nothing like this was ever a label of this model at all', 'en')).toBeUndefined()
  })
})

describe('quoting by words', () => {
  it('chooses on practice how much to quote and when to say nothing', () => {
    const { quoting, score } = chooseQuoting(words, [...whole, ...uncovered])
    expect(score).toBeCloseTo(5, 6)
    expect(quoteByWords(words, quoting, 'Tell me about warfarin')?.map(({ quote }) => quote)).toEqual(passages[2]!.sentences)
    expect(quoteByWords(words, quoting, 'How is the weather in Oslo tomorrow?')).toBeNull()
    // Where a sentence is the answer, one passage whole is too much.
    const single = chooseQuoting(
      {
        index: miniSearchRetriever().index(
          [{ ...passages[0]!, sentences: [...passages[0]!.sentences, ...passages[1]!.sentences, ...passages[2]!.sentences] }],
          'en',
        ),
        match: words.match,
      },
      [example('Which sign shows too much: yellow vision?', 'Yellow vision is a sign of too much.')],
    )
    expect(single.quoting).toMatchObject({ by: 'sentences' })
  })

  it('takes the place of what was trained only where practice tells them apart', () => {
    expect(clearlyBetter([1, 1, 0, 1, 1, 0], [0, 0, 0, 1, 0, 0])).toBe(true)
    expect(clearlyBetter([0.7, 0.5, 0.6, 0.8], [0.6, 0.6, 0.5, 0.85])).toBe(false)
    expect(clearlyBetter([0.5, 0.5], [0.5, 0.5])).toBe(false)
    expect(clearlyBetter([0, 0.2], [1, 0.9])).toBe(false)
    expect(clearlyBetter([1], [0])).toBe(false)
  })

  it('is what the exam’s simple method says, to the word', () => {
    const practice = [...whole, ...uncovered]
    const cheap = quoteBaseline({ retriever: miniSearchRetriever() }, { passages, practice, language: 'en' })
    const { quoting } = chooseQuoting(words, practice)
    for (const { input } of [...practice, example('Does aspirin hurt the stomach?', null)])
      expect(cheap(input)).toEqual(quoteByWords(words, quoting, input)?.map(({ quote }) => quote) ?? null)
  })

  it('serves a model whose weights are not asked, with sources, and abstains in its language', async () => {
    const spec = { ...planOffline('Answer questions of patients from these pages.', []), outputLanguage: ['es'] }
    const served: Served = {
      ...{ spec, threshold: 0.5, vocabulary: { count: () => 1, labelTokens: () => [], contextLength: 1024 }, expert: null, tagger: null, ...words },
      scorer: {
        score: () => Promise.reject(new Error('the weights were asked')),
        likelihood: () => Promise.reject(new Error('the weights were asked')),
        write: () => {
          throw new Error('the weights were asked')
        },
        close: async () => {},
      } as unknown as Served['scorer'],
      quoting: { by: 'passages', count: 1, threshold: 0.15 },
    }
    const said = async (question: string) => {
      let text = ''
      for await (const part of answer(served, question)) {
        if ('answer' in part) return { text, answer: part.answer }
        text += part.delta
      }
      throw new Error('no answer')
    }
    const found = await said('What does warfarin do to blood?')
    expect(found.answer.citations.map(({ quote, heading, file }) => [quote, heading, file])).toEqual(
      passages[2]!.sentences.map((sentence) => [sentence, 'Warfarin', 'drugs.md']),
    )
    expect(found.text).toBe(found.answer.text)
    expect(found.text).toContain('[Drugs: Warfarin, drugs.md]')
    expect((await said('Who won the match last night?')).answer).toMatchObject({ abstained: true, text: expect.stringContaining('no tratan esta pregunta') })
    await expect(
      said('What does warfarin do to blood?').then(() => answer({ ...served, quoting: undefined }, 'What does warfarin do?').next()),
    ).rejects.toThrow('the weights were asked')
  })
})
