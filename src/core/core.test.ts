/** The nouns' arithmetic: ids, money, splits, prompts, scores. */
import { describe, expect, it } from 'vitest'
import { duplicateKey, fraction, sentences } from './dataset.ts'
import { BaseError, isRefusal } from './errors.ts'
import { canonical, contentId, hashText, NotCanonicalError } from './id.ts'
import { classifyPrompt, selectPrompt, windows } from './prompt.ts'
import { chooseRecipe, parseOverride, Recipe } from './recipe.ts'
import { accuracy, bootstrap, macroF1, tokenF1 } from './report.ts'
import { formatOpen, MAXIMUM_PRICE, parseOpen, parsePrice, priceWarning } from './royalty.ts'

describe('id', () => {
  it('does not depend on the order of keys, nor on members left out', () => {
    expect(canonical({ b: 1, a: [true, null, 'x'], c: undefined })).toBe('{"a":[true,null,"x"],"b":1}')
    expect(contentId({ a: 1, b: 2 })).toBe(contentId({ b: 2, a: 1 }))
    expect(contentId({ a: 1 })).not.toBe(contentId({ a: '1' }))
  })
  it('is SHA-256', () => {
    // FIPS 180-2, appendix B.1.
    expect(hashText('abc')).toBe('0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
  it('refuses what JSON cannot carry', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1]) expect(() => canonical({ value })).toThrow(NotCanonicalError)
  })
})

describe('royalty', () => {
  it('formats and parses exactly', () => {
    expect(formatOpen(10_000_000_000_000_000n)).toBe('0.01')
    expect(formatOpen(1n)).toBe('0.000000000000000001')
    expect(formatOpen(-15n * 10n ** 17n)).toBe('-1.5')
    for (const amount of [0n, 1n, 999_999_999_999_999_999n, 10n ** 18n, MAXIMUM_PRICE]) expect(parseOpen(formatOpen(amount))).toBe(amount)
  })
  it('refuses a price that is none', () => {
    const codes = (['0', '0.000', '-1', '1e30', '', 'abc', '1,5', '0x10', '1.0000000000000000001', '309485009.821345068724781056'] as const).map((text) => {
      const price = parsePrice(text)
      return isRefusal(price) ? price.code : price
    })
    expect(codes).toEqual(['price_not_positive', 'price_not_positive', ...Array(7).fill('price_not_decimal'), 'price_too_large'])
    expect(parsePrice('309485009.821345068724781055')).toBe(MAXIMUM_PRICE)
  })
})

describe('a price', () => {
  it('below what settling costs is warned of, with what batches cost', () => {
    const costs = { alone: 100n, together: 40n }
    expect([100n, 101n].map((price) => priceWarning(price, costs, 'OPEN'))).toEqual([null, null])
    expect(priceWarning(99n, costs, 'OPEN')).toMatch(
      /costs 0\.000000000000000099 OPEN, .* 0\.0000000000000001 in gas now, 0\.00000000000000004 in batches.*go in batches/,
    )
    expect(priceWarning(39n, costs, 'OPEN')).toMatch(/even in batches.*higher price/)
    expect(priceWarning(1n, undefined, 'OPEN')).toBeNull()
  })
})

describe('dataset', () => {
  it('splits text into sentences, keeps lines apart, and drops what has no letter', () => {
    expect(sentences('The heart beats. It pumps blood!\n\nHeading\n***\nIs it so?')).toEqual(['The heart beats.', 'It pumps blood!', 'Heading', 'Is it so?'])
  })
  it('finds the same text under case, space and punctuation', () => {
    expect(duplicateKey('  What causes\tAngina??')).toBe(duplicateKey('what causes angina'))
    expect(duplicateKey('क्या है')).not.toBe('')
  })
  it('spreads rows evenly and the same way every time', () => {
    const values = Array.from({ length: 2000 }, (_, index) => fraction(`row ${index}`, 3))
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values)).toBeLessThan(1)
    expect(values.filter((value) => value < 0.2).length / 2000).toBeCloseTo(0.2, 1)
    expect(fraction('row 1', 3)).toBe(values[1])
  })
})

describe('prompt', () => {
  it('reads once after a text, and after every sentence of a passage', () => {
    expect(classifyPrompt('x', 2).filter((segment) => segment.kind === 'read')).toEqual([{ kind: 'read', label: 2 }])
    expect(selectPrompt('q', { rank: 0, match: 1 }, 'h', ['a', 'b'], [1, 0]).filter((segment) => segment.kind === 'read')).toEqual([
      { kind: 'read', label: 1 },
      { kind: 'read', label: 0 },
    ])
  })
  it('cuts even a text without spaces into windows that lose nothing', () => {
    const text = '心臓は血液を送り出す'.repeat(20)
    const pieces = windows(text, 16, (piece) => [...piece].length)
    expect(pieces.join('')).toBe(text)
    expect(Math.max(...pieces.map((piece) => [...piece].length))).toBeLessThanOrEqual(16)
  })
})

describe('recipe', () => {
  it('plans fewer passes over more data, and lets every setting be overridden', () => {
    const small = chooseRecipe({ trainingTokens: 20_000, maximumTokens: 256, threads: 2, maximumSeconds: 60 })
    const large = chooseRecipe({ trainingTokens: 2_000_000, maximumTokens: 256, threads: 2, maximumSeconds: 60 })
    expect((small.steps * small.tokensPerStep) / 20_000).toBeGreaterThan((large.steps * large.tokensPerStep) / 2_000_000)
    expect(chooseRecipe({ trainingTokens: 1, maximumTokens: 256, threads: 1, maximumSeconds: 1, override: { rank: 4 } }).rank).toBe(4)
  })
  it('reads recipes made before a setting was there', () => {
    const { method, optimiser, accumulate, classWeights, ...old } = chooseRecipe({ trainingTokens: 1, maximumTokens: 256, threads: 1, maximumSeconds: 1 })
    expect(Recipe.parse(old)).toEqual({ ...old, method: 'lora', optimiser: 'adamw', accumulate: 1, classWeights: 'none' })
    expect([method, optimiser, accumulate, classWeights]).toEqual(['lora', 'adamw', 1, 'none'])
  })
  it('takes the settings that are given by hand and no others', () => {
    expect(parseOverride({ method: 'full', rank: undefined })).toEqual({ method: 'full' })
    expect(parseOverride({})).toEqual({})
  })
  it.each<[unknown, string]>([
    [{ rnak: 3 }, 'no setting "rnak"'],
    [{ rank: 'abc' }, 'rank cannot be "abc"'],
    [{ method: 'dora' }, 'method cannot be "dora"'],
    [{ targets: ['attn_q', 'attn_q'] }, 'named twice'],
    [{ learningRate: 0 }, 'learningRate cannot be 0'],
    [[1], '[1] is not an object'],
    [null, 'null is not an object'],
  ])('refuses the recipe %j by name', (given, told) => {
    const refused = parseOverride(given)
    expect(isRefusal(refused) && refused.message).toContain(told)
  })
})

describe('scores', () => {
  it('agree with values worked out by hand', () => {
    expect(accuracy(['a', 'b', 'b'], ['a', 'b', 'a'])).toBeCloseTo(2 / 3)
    // a: TP 1, FN 1 -> 2/3; b: TP 1, FP 1 -> 2/3.
    expect(macroF1(['a', 'b', 'b'], ['a', 'b', 'a'])).toBeCloseTo(2 / 3)
    // Common words: "heart", "pumps"; 2 * 2 / (3 + 4).
    expect(tokenF1('the heart pumps', 'A heart pumps blood')).toBeCloseTo(4 / 7)
    expect(tokenF1('', 'something')).toBe(0)
  })
  it('put the truth inside the interval about as often as promised', () => {
    const [low, high] = bootstrap(200, (drawn) => drawn.filter((index) => index < 100).length / drawn.length)
    expect(low).toBeLessThan(0.5)
    expect(high).toBeGreaterThan(0.5)
    // Binomial standard error 0.035: the interval is about +- 0.07.
    expect(high - low).toBeGreaterThan(0.1)
    expect(high - low).toBeLessThan(0.18)
  })
})

describe('errors', () => {
  it('walk to the cause', () => {
    const cause = new TypeError('inner')
    const error = new BaseError('outer', { cause })
    expect(error.walk((one) => one instanceof TypeError)).toBe(cause)
    expect(error.walk((one) => one instanceof RangeError)).toBeUndefined()
  })
})
