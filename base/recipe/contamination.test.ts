import { describe, expect, it } from 'vitest'
import { contamination } from './contamination.ts'

const words = (from: number, count: number) => Array.from({ length: count }, (_, index) => `word${from + index}`).join(' ')

describe('contamination', () => {
  it('finds thirteen words in a row of a long text, whatever the case and the punctuation, and not twelve', () => {
    const known = contamination()
    known.add(words(0, 40))
    expect(known.found(`before ${words(20, 13)} after`)).toBe(true)
    expect(known.found(`Before, ${words(20, 13).toUpperCase().replaceAll(' ', ', ')}!`)).toBe(true)
    expect(known.found(`before ${words(20, 12)} after`)).toBe(false)
  })

  it('finds a short text as a whole, and leaves out texts that are too short to tell', () => {
    const known = contamination()
    known.add(words(0, 9))
    known.add('what is angina')
    expect(known.found(`x ${words(0, 9)} y`)).toBe(true)
    expect(known.found(words(1, 8))).toBe(false)
    expect(known.found('what is angina')).toBe(false)
  })

  it('reads words of any script', () => {
    const known = contamination()
    const text = 'हृदय रोग के लक्षण क्या हैं और इसका इलाज कैसे किया जाता है'
    known.add(text)
    expect(known.found(`यह ${text} ।`)).toBe(true)
  })
})
