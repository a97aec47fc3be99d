/** Stories: builds and models of one name belong together, and the river shows how far they came and no further. */
import { describe, expect, it } from 'vitest'
import { amount, build, model, state } from './sample.ts'
import { compare, isLearning, nounOf, type Story, steps, stories } from './story.ts'

const event = (arrow: string) => ({ at: 1, arrow, text: arrow })
const drawn = (story: Partial<Story>): string =>
  steps({ name: 'heart', words: '', build: null, model: null, ...story })
    .map((step) => ({ done: '#', active: '>', waiting: '.', stopped: 'x' })[step.state])
    .join('')

describe('stories', () => {
  it('puts a model and its latest build together', () => {
    const found = stories(
      state({
        builds: [build({ id: 'old', name: 'heart', createdAt: 1, state: 'failed' }), build({ id: 'new', name: 'heart', createdAt: 2, state: 'done' })],
        models: [model({ name: 'heart' }), model({ name: 'law' })],
      }),
    )
    expect(found.map((story) => [story.name, story.build?.id, story.model?.name])).toEqual([
      ['heart', 'new', 'heart'],
      ['law', undefined, 'law'],
    ])
  })

  it('lists work under way first, then the newest', () => {
    const builds = [
      build({ id: 'a', name: 'a', state: 'done', createdAt: 3 }),
      build({ id: 'b', name: 'b', state: 'queued', createdAt: 1 }),
      build({ id: 'c', name: 'c', state: 'refused', createdAt: 4 }),
    ]
    expect(stories(state({ builds })).map((story) => story.name)).toEqual(['b', 'c', 'a'])
  })
})

describe('steps', () => {
  const training = { points: [], step: 310, steps: 400, secondsLeft: 20, tokensPerSecond: 1 }
  it('takes progress for training, until the exam begins', () => {
    const early = { name: 'heart', words: '', build: build({ events: [event('collect')], training }), model: null }
    expect([drawn(early), isLearning(early)]).toEqual(['###>....', true])
    const later = { ...early, build: build({ events: [event('train')], training }) }
    expect([drawn(later), isLearning(later)]).toEqual(['####>...', false])
    expect(isLearning({ ...early, build: build({ state: 'cancelled', events: [event('collect')], training }) })).toBe(false)
  })

  it.each([
    ['queued with nothing done', { build: build({ state: 'queued' }) }, '#>......'],
    ['about to train', { build: build({ events: [event('describe'), event('collect')] }) }, '###>....'],
    ['examined, not packed', { build: build({ events: [event('train'), event('examine')] }) }, '####>...'],
    ['packed, not filed', { build: build({ events: [event('examine'), event('pack')] }) }, '#####...'],
    ['a late note changes nothing', { build: build({ events: [event('collect'), event('note')] }) }, '###>....'],
    ['an arrow of a newer server changes nothing', { build: build({ events: [event('describe'), event('distil')] }) }, '##>.....'],
    ['refused while reading', { build: build({ state: 'refused', events: [event('note')] }) }, '#x......'],
    ['failed in training', { build: build({ state: 'failed', events: [event('collect'), event('note')] }) }, '###x....'],
    ['built, not published', { build: build({ state: 'done', events: [event('pack')] }), model: model({}) }, '#####...'],
    ['a model whose build is forgotten', { model: model({}) }, '#####...'],
    ['published', { model: model({ modelId: '0xa', price: amount('0.01') }) }, '######..'],
    ['paid', { model: model({ modelId: '0xa', price: amount('0.01'), queries: 1 }) }, '########'],
    ['built again while the old one sells', { build: build({ events: [event('collect')] }), model: model({ modelId: '0xa', queries: 3 }) }, '###>.###'],
  ])('%s', (_name, story, expected) => expect(drawn(story)).toBe(expected))
})

it('does not take an inherited property for an arrow', () => expect(nounOf('constructor')).toBeNull())

it('calls overlapping intervals unclear, touching ones too', () => {
  expect(compare({ interval: [0.6, 0.7] }, { interval: [0.2, 0.3] })).toBe('better')
  expect(compare({ interval: [0.2, 0.3] }, { interval: [0.6, 0.7] })).toBe('worse')
  expect(compare({ interval: [0.5, 0.7] }, { interval: [0.4, 0.5] })).toBe('unclear')
})
