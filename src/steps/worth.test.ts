/** Which sentences support a reference answer. */
import { expect, it } from 'vitest'
import { supports } from './worth.ts'

it('takes sentences of the reference, and sentences a short reference is a piece of', () => {
  const long = supports('An aneurysm is a bulge in the wall of an artery. It can burst and cause dangerous bleeding.')
  expect(long('It can burst and cause dangerous bleeding.')).toBe(true)
  expect(long('Most people never notice that they have one.')).toBe(false)
  const short = supports('31 kb')
  expect(short('Its genome is RNA of around 31 kb in all.')).toBe(true)
  expect(short('Its genome is RNA of around 310 kb in all.')).toBe(false)
  // Two letters stand in too many sentences to support anything.
  expect(supports('no')('There is no vaccine for this virus yet.')).toBe(false)
})
