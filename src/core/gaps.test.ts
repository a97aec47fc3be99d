/** What a builder is shown of questions that had no answer: by model and topic, the most asked first. */
import { expect, it } from 'vitest'
import { type Gap, gapsView } from './gaps.ts'

const gap = (question: string, times: number, tags: string[], model = 'heart'): Gap => ({ model, question, tags, times, last: 1 })

it('gathers by model and by the topic that most questions share', () => {
  const { models } = gapsView([
    gap('May I fly?', 1, ['travel']),
    gap('How much aspirin?', 2, ['dosage', 'drugs']),
    gap('How much warfarin?', 5, ['drugs', 'bleeding']),
    gap('Hm?', 4, []),
    gap('Rash?', 1, ['skin'], 'skin'),
  ])
  expect(models.map(({ model, times }) => [model, times])).toEqual([
    ['heart', 12],
    ['skin', 1],
  ])
  expect(models[0]!.topics.map(({ topic, times, questions }) => [topic, times, questions.map(({ question }) => question)])).toEqual([
    ['drugs', 7, ['How much warfarin?', 'How much aspirin?']],
    [null, 4, ['Hm?']],
    ['travel', 1, ['May I fly?']],
  ])
  expect(gapsView([])).toEqual({ models: [] })
})
