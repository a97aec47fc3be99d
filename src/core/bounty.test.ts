/** Sealed cases as people write them, and how answers are held against them. */
import { expect, it } from 'vitest'
import { measureOf, sameCase, scoreOf } from './bounty.ts'
import { parseCases } from './written-cases.ts'

const two = [
  { input: 'My heart races', output: 'cardiology' },
  { input: 'A => b rash', output: 'skin' },
]

it('reads cases as lines, as columns of a spreadsheet and as JSON', () => {
  expect(parseCases('My heart races => cardiology\r\n\n  A => b rash=>skin \n')).toEqual(two)
  expect(parseCases('My heart races\tcardiology\nIt itches\tskin')).toEqual([two[0], { input: 'It itches', output: 'skin' }])
  expect(parseCases(JSON.stringify(two, null, 2))).toEqual(two)
  expect(parseCases(two.map((one) => JSON.stringify(one)).join('\n'))).toEqual(two)
  expect(parseCases('')).toEqual([])
})

it('says which line is no case', () => {
  for (const [text, place] of [
    ['a => b\n\nno arrow', 3],
    ['=> nothing before', 1],
    ['nothing after =>', 1],
    ['[{"input": "a"}]', 1],
    ['{"input": "a", "output": "b"}\n{"input": 1, "output": "b"}', 2],
    ['null', 1],
  ] as const)
    expect(parseCases(text), text).toMatchObject({ code: 'case_unreadable', message: expect.stringContaining(`Case ${place} `) })
})

it('measures short answers as right or wrong, and long ones by the words they share', () => {
  expect(measureOf(two)).toBe('exact match')
  expect(measureOf([...two, { input: 'x', output: 'see a doctor at once' }])).toBe('token-F1')
  expect(scoreOf('exact match', two, ['Cardiology.', 'hearts'])).toBe(0.5)
  expect(scoreOf('token-F1', [{ input: 'x', output: 'see a doctor now' }], ['see a doctor'])).toBeCloseTo(6 / 7, 10)
  // An answer that is not there is wrong, and of no measure half of one.
  expect(scoreOf('exact match', two, [])).toBe(0)
})

it('knows one text in two spellings', () => {
  expect(sameCase('My heart races.', ' my HEART, races')).toBe(true)
  expect(sameCase('!!', '??')).toBe(false)
  expect(sameCase('!!', '!!')).toBe(true)
})
