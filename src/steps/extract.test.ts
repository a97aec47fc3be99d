/** What the arrow from text to entities promises: tags and places are one, runs of tags obey their grammar, nothing is lost in long texts. */
import { describe, expect, it } from 'vitest'
import { entityTally, labelTally, tallied } from '../core/report.ts'
import { entitiesOf, partsOf, wordsOf } from '../core/spans.ts'
import type { Vocabulary } from '../ports/runtime.ts'
import { decode, extraction, tagPrompts, tagsOf, tagWindows } from './extract.ts'

const types = ['Drug', 'Disease']
const text = 'Selegiline-induced postural hypotension in Parkinson’s disease; aspirin helps.'
const said = (entities: readonly { start: number; end: number; type: string }[]) => entities.map(({ start, end, type }) => `${type}: ${text.slice(start, end)}`)
const vocabulary: Vocabulary = { count: (piece) => piece.split(/\s+/).filter(Boolean).length, contextLength: 26, labelTokens: () => [] }
/** Probabilities that leave no doubt about these tags. */
const certain = (tags: readonly number[]) => tags.map((tag) => Array.from({ length: 5 }, (_, index) => (index === tag ? 0.96 : 0.01)))

describe('places in a text', () => {
  it.each([
    [
      'a JSON list',
      {
        entities: JSON.stringify([
          { type: 'Drug', text: 'aspirin' },
          { type: 'Disease', text: 'postural hypotension' },
        ]),
      },
      { entities: 'entities' },
    ],
    ['a JSON object', { entities: JSON.stringify({ Drug: ['aspirin'], Disease: 'postural hypotension' }) }, { entities: 'entities' }],
    [
      'places given',
      {
        entities: JSON.stringify([
          { type: 'Disease', start: 19, end: 39 },
          { type: 'Drug', start: 64, end: 71 },
        ]),
      },
      { entities: 'entities' },
    ],
    ['columns of values', { Drug: 'Aspirin', Disease: 'postural hypotension', Nurse: '' }, { values: ['Drug', 'Disease', 'Nurse'] }],
  ])('%s', (_, row, columns) => {
    const found = entitiesOf(text, row as unknown as Record<string, string>, columns)!
    expect(said(found).sort()).toEqual(['Disease: postural hypotension', 'Drug: aspirin'])
  })

  it('takes one tag a piece, and refuses a row whose tags do not fit its text', () => {
    const pieces = 'Selegiline caused postural hypotension .'
    const tags = { tags: 'B-Drug; O; B-Disease; I-Disease; O' }
    expect(entitiesOf(pieces, tags, { tags: 'tags' })!.map(({ start, end }) => pieces.slice(start, end))).toEqual(['Selegiline', 'postural hypotension'])
    expect(entitiesOf(pieces, { tags: 'B-Drug; O' }, { tags: 'tags' })).toBeUndefined()
    expect(entitiesOf(pieces, { tags: '["B-Drug","O","B-Disease","I-Disease","O"]' }, { tags: 'tags' })).toHaveLength(2)
  })

  it('points at no part of a word, at nothing that is not there, and at each place once', () => {
    expect(entitiesOf('aspirins and aspirin', { list: '[{"type":"Drug","text":"aspirin"}]' }, { entities: 'list' })).toEqual([
      { type: 'Drug', start: 13, end: 20 },
    ])
    expect(entitiesOf(text, { list: '[{"type":"Drug","text":"heparin"}]' }, { entities: 'list' })).toBeUndefined()
    expect(entitiesOf('a b a', { list: '[{"type":"x","text":"a"},{"type":"x","text":"a"}]' }, { entities: 'list' })!.map(({ start }) => start)).toEqual([0, 4])
    expect(entitiesOf(text, { Drug: 'none of these' }, { values: ['Drug'] })).toBeUndefined()
  })

  it('cuts a cell of several values by what separates them', () => {
    expect(partsOf('heart; lung, left |kidney')).toEqual(['heart', 'lung, left', 'kidney'])
    expect(partsOf('heart, lung')).toEqual(['heart', 'lung'])
    expect(partsOf('["a, b","c"]')).toEqual(['a, b', 'c'])
    expect(partsOf(' ')).toEqual([])
  })
})

describe('tags', () => {
  it('go to entities and back', () => {
    const entities = [
      { type: 'Drug', start: 0, end: 10 },
      { type: 'Disease', start: 19, end: 39 },
      { type: 'Disease', start: 43, end: 62 },
    ]
    const words = wordsOf(text)
    const tags = tagsOf(words, entities, types)
    expect(decode(words, certain(tags), types).map(({ probability: _, ...one }) => one)).toEqual(entities)
  })

  it('never goes on with what did not begin', () => {
    const words = wordsOf('one two three')
    // Going on with a disease is likeliest everywhere, but nothing began: it begins at the first word.
    const rows = words.map(() => [0.25, 0.01, 0.02, 0.07, 0.65])
    const found = decode(words, rows, types)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ type: 'Disease', start: 0, end: 13, probability: 0.07 })
    expect(decode(wordsOf('one'), [[0.3, 0.01, 0.6, 0.02, 0.07]], types)).toEqual([])
    expect(decode([], [], types)).toEqual([])
  })

  it('reads long texts in windows, every word once', () => {
    const long = Array.from({ length: 50 }, (_, index) => `word${index}`).join(' ')
    const words = wordsOf(long)
    const windows = tagWindows(long, words, vocabulary)
    expect(windows.length).toBeGreaterThan(5)
    expect(windows.flatMap((window) => window.words)).toEqual(words)
    for (const prompt of tagPrompts(long, [], types, vocabulary)) {
      const tokens = prompt.reduce((sum, segment) => sum + (segment.kind === 'text' ? vocabulary.count(segment.text) : segment.kind === 'special' ? 1 : 0), 0)
      expect(tokens).toBeLessThanOrEqual(vocabulary.contextLength)
    }
  })

  it('answers with JSON that holds every type, each text once', () => {
    const found = [
      { type: 'Drug', start: 0, end: 1, probability: 1 },
      { type: 'Drug', start: 4, end: 5, probability: 0.5 },
    ]
    expect(JSON.parse(extraction('a b a', found, types).text)).toEqual({ Drug: ['a'], Disease: [] })
  })

  it('are scored by whole entities', () => {
    const truth = [
      { type: 'Drug', start: 0, end: 4 },
      { type: 'Drug', start: 6, end: 9 },
    ]
    const half = [truth[0]!, { type: 'Disease', start: 6, end: 9 }]
    expect(tallied([entityTally(half, truth)])).toEqual({ f1: 0.5, precision: 0.5, recall: 0.5, exact: 0 })
    expect(tallied([entityTally([{ type: 'Drug', start: 0, end: 5 }], truth)]).f1).toBe(0)
    expect(tallied([entityTally([], [])]).f1).toBe(1)
    expect(tallied([labelTally(['a', 'b'], ['b']), labelTally([], [])])).toMatchObject({ precision: 0.5, recall: 1, exact: 0.5 })
  })
})
