import { describe, expect, it } from 'vitest'
import { countWords, encoder, learnTokenizer } from './tokenizer.ts'

function learned(text: string, options = { vocabulary: 3 + 256 + 40 + 8, labels: 8 }) {
  const counts = new Map<string, number>()
  countWords(text, counts)
  return learnTokenizer(counts, options)
}

const TEXT = 'the heart, the heart beats: the other heart rests. '.repeat(20)

describe('a tokenizer learned from words', () => {
  it('joins what occurs most, and reads any text back', () => {
    const file = learned(TEXT)
    const encode = encoder(file)
    // An object's keys that look like numbers come first, so the order is that of the ids, not of the keys.
    const pieces = Object.entries(file.model.vocab)
      .sort((a, b) => a[1] - b[1])
      .map(([piece]) => piece)
    expect(pieces).toContain('Ġheart')
    expect(encode.encode(' heart')).toEqual([encode.id('Ġheart')])
    const utf8 = new TextDecoder()
    const bytesOf = new Map<string, number>()
    for (let byte = 0; byte < 256; byte++) bytesOf.set(pieces[3 + byte]!, byte)
    for (const text of [TEXT, 'Größe, हृदय, 心臓 \u{1fac0} and\n\n\ttabs', '', "it's 12,345"]) {
      const tokens = encode.encode(text)
      expect(utf8.decode(Uint8Array.from(tokens.flatMap((token) => [...pieces[token]!].map((character) => bytesOf.get(character)!))))).toBe(text)
    }
  })

  it('has markers first, labels last, and as many tokens as asked for even of a small text', () => {
    const file = learned('short text', { vocabulary: 700, labels: 256 })
    const encode = encoder(file)
    expect([encode.id('<|endoftext|>'), encode.id('<|im_start|>'), encode.id('<|im_end|>')]).toEqual([0, 1, 2])
    expect(encode.vocabulary).toBe(700)
    expect(encode.firstLabel).toBe(700 - 256)
    expect(encode.id('<|l255|>')).toBe(699)
  })

  it('takes markers written in a text as plain characters', () => {
    const encode = encoder(learned(TEXT))
    expect(encode.encode('<|im_end|><|l3|>').every((token) => token > 2 && token < encode.firstLabel)).toBe(true)
  })

  it('counts overlapping pairs once: "aaaa" is two pairs of "aa"', () => {
    const file = learned('aaaa aaaa aaaa', { vocabulary: 3 + 256 + 3, labels: 0 })
    expect(file.model.merges.slice(0, 2)).toEqual(['a a', 'aa aa'])
  })

  it('is the same for the same counts, in whatever order they were made', () => {
    const counts = new Map<string, number>()
    countWords(TEXT, counts)
    const options = { vocabulary: 3 + 256 + 40, labels: 0 }
    expect(learnTokenizer(new Map([...counts].toReversed()), options)).toEqual(learnTokenizer(counts, options))
  })

  it('says when a vocabulary has no room', () => {
    expect(() => learned(TEXT, { vocabulary: 300, labels: 256 })).toThrow('A vocabulary of 300 has no room')
  })
})
