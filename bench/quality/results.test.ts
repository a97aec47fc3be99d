import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { asked, dataId, vibe, wrongIn } from './cells.suite.ts'
import { type Cell, placeName, placesOf, Results } from './results.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quality-results-'))
  // The folder of the results is not there before the first.
  path = join(folder, 'results', 'results.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const placeOf = ({ task, dataId, arm, seed, budgetMinutes }: Cell) => ({ task, dataId, arm, seed, budgetMinutes })

it('keeps every cell as soon as it is measured, and knows it again only as what it was', () => {
  const first = new Results(path)
  first.ask('good', asked())
  first.add(vibe('good', wrongIn(2)))
  const again = new Results(path)
  const place = placeOf(vibe('good', ''))
  expect(again.find(place)).toEqual(vibe('good', wrongIn(2)))
  for (const change of [{ seed: 2 }, { budgetMinutes: 4 }, { arm: 'engineered' as const }, { dataId: dataId('2') }, { task: 'bad' }])
    expect(again.find({ ...place, ...change }), JSON.stringify(change)).toBeUndefined()
  expect(again.all.tasks.good).toEqual(asked())
  // Nothing half-written stays beside it.
  expect(readdirSync(dirname(path))).toEqual(['results.json'])
})

it('measures one of each before a second seed, and the engineer once, where there are labels', () => {
  const tasks = { one: asked(), two: asked({ kind: 'answer' }) }
  const places = placesOf({ tasks: ['one', 'two', 'unread'], seeds: [1, 2], budgetMinutes: 5 }, tasks)
  expect(places.map(placeName)).toEqual(['engineered one', 'vibe one seed 1', 'vibe two seed 1', 'vibe one seed 2', 'vibe two seed 2'])
})

it('refuses a file that holds something else, and leaves it as it is', () => {
  mkdirSync(dirname(path))
  for (const text of ['{"cells": 3}', 'no JSON']) {
    writeFileSync(path, text)
    expect(() => new Results(path)).toThrow(/give --json another name/)
  }
})
