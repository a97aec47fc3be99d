/** Live data: the state follows the events, whatever order and however often they come. */
import { describe, expect, it } from 'vitest'
import { readProblem } from './api.ts'
import { newsOf, readEvent, reduce } from './live.ts'
import { amount, build, earnings, model, receipt, state } from './sample.ts'

describe('reduce', () => {
  it('adds a build it does not know and replaces one it knows', () => {
    const added = reduce(state(), { type: 'build', build: build({ id: 'one', name: 'first' }) })
    expect(added.builds.map((one) => one.id)).toEqual(['one'])
    const two = reduce(added, { type: 'build', build: build({ id: 'two', name: 'second' }) })
    const changed = reduce(two, { type: 'build', build: build({ id: 'one', name: 'first', state: 'done' }) })
    expect(changed.builds.map((one) => [one.id, one.state])).toEqual([
      ['two', 'running'],
      ['one', 'done'],
    ])
  })

  it('puts training progress into its own build and leaves the others', () => {
    const before = state({ builds: [build({ id: 'one' }), build({ id: 'two' })] })
    const training = { points: [{ step: 1, trainingLoss: 2, validationLoss: null }], step: 1, steps: 10, secondsLeft: 9, tokensPerSecond: 100 }
    const after = reduce(before, { type: 'training', buildId: 'two', training })
    expect(after.builds.map((one) => one.training)).toEqual([null, training])
    expect(after.builds[0]).toBe(before.builds[0])
  })

  it('moves the receipts, the total and the model with one receipt', () => {
    const before = state({ models: [model({ name: 'heart', modelId: '0xa' }), model({ name: 'law', modelId: '0xb' })] })
    const after = reduce(before, {
      type: 'receipt',
      receipt: receipt({ id: 'r1' }),
      earnings: earnings('0.01', [{ modelId: '0xa', queries: 1, open: '0.01' }]),
    })
    expect(after.receipts.map((one) => one.id)).toEqual(['r1'])
    expect(after.earnings.total).toEqual(amount('0.01'))
    expect(after.models.map((one) => [one.name, one.queries, one.earned.open])).toEqual([
      ['heart', 1, '0.01'],
      ['law', 0, '0'],
    ])
  })

  it('takes the same receipt once', () => {
    const event = { type: 'receipt', receipt: receipt({ id: 'r1' }), earnings: earnings('0.01', []) } as const
    expect(reduce(reduce(state(), event), event).receipts).toHaveLength(1)
  })

  it('keeps a bounded number of receipts, newest first', () => {
    let now = state()
    for (let index = 0; index < 130; index++) now = reduce(now, { type: 'receipt', receipt: receipt({ id: `r${index}` }), earnings: earnings('0', []) })
    expect(now.receipts).toHaveLength(100)
    expect(now.receipts[0]!.id).toBe('r129')
  })

  it('changes nothing in the state it was given', () => {
    const before = state({ builds: [build({ id: 'one' })] })
    const copy = structuredClone(before)
    reduce(before, { type: 'build', build: build({ id: 'one', state: 'failed' }) })
    reduce(before, { type: 'models', models: [model({})] })
    expect(before).toEqual(copy)
  })
})

describe('readEvent', () => {
  it('reads what the server sends', () => {
    expect(readEvent('models', '{"models":[]}')).toEqual({ type: 'models', models: [] })
    expect(readEvent('training', '{"buildId":"one","training":{"points":[]}}')).toEqual({ type: 'training', buildId: 'one', training: { points: [] } })
  })

  it.each([
    ['build', 'not json'],
    ['build', 'null'],
    ['build', '{"build":null}'],
    ['training', '{"training":{}}'],
    ['receipt', '{"receipt":{}}'],
    ['models', '{"models":{}}'],
    ['unheard of', '{}'],
  ])('drops %s %s', (type, data) => expect(readEvent(type, data)).toBeNull())
})

describe('newsOf', () => {
  it('tells a new line of a build once, in the words of the build', () => {
    const event = { at: 1, arrow: 'collect', text: '120 examples.' }
    const told = { type: 'build', build: build({ id: 'one', name: 'heart', events: [event] }) } as const
    expect(newsOf(state(), told)).toBe('heart: 120 examples.')
    expect(newsOf(reduce(state(), told), told)).toBeNull()
  })

  it('names the amount in the currency of the network', () => {
    const paid = { type: 'receipt', receipt: receipt({ id: 'r1', model: 'heart' }), earnings: earnings('0.01', []) } as const
    expect(newsOf(state(), paid)).toBe('heart was paid 0.01 test OPEN.')
    expect(newsOf(reduce(state(), paid), paid)).toBeNull()
  })
})

describe('readProblem', () => {
  it.each([
    [{ error: { message: 'No such model.', hint: 'See the list.' } }, 'No such model.', 'See the list.'],
    [{ refused: true, code: 'x', message: 'Too small.', hint: 'Add rows.' }, 'Too small.', 'Add rows.'],
    [{ error: { message: 'No such model. See the list.', code: 'x' } }, 'No such model. See the list.', ''],
    [undefined, 'The server answered with status 500.', 'Check that it is running, then try again.'],
    ['<html>', 'The server answered with status 500.', 'Check that it is running, then try again.'],
  ])('reads %j', (body, message, hint) => expect(readProblem(500, body)).toEqual({ problem: true, message, hint }))
})
