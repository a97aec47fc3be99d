/** Formatting: what people read is exact, and outside data never becomes a link it should not be. */
import { describe, expect, it } from 'vitest'
import { fileSize, isoTime, percent, shellQuote, shortDecimal, shortHex, timeLeft, webLink } from './format.ts'

describe('money', () => {
  it.each([
    ['0', '0'],
    ['0.01', '0.01'],
    ['0.050000', '0.05'],
    ['1234567.5', '1,234,567.5'],
    ['0.123456789', '0.123456…'],
    ['0.000000000000000001', '0.000000…'],
    ['79228162514.264337593543950335', '79,228,162,514.264337…'],
    // More digits than a float holds.
    ['9007199254740993', '9,007,199,254,740,993'],
    ['-0.01', '-0.01'],
    ['not a number', 'not a number'],
  ])('%s is shown as %s', (decimal, shown) => expect(shortDecimal(decimal)).toBe(shown))

  it('is shown whole when all decimals are asked for', () => expect(shortDecimal('0.000000000000000001', 18)).toBe('0.000000000000000001'))
})

describe('time left', () => {
  it.each([
    [3, 'a few seconds left'],
    [41, 'about 50 seconds left'],
    [61, 'about 1 minute left'],
    [150, 'about 3 minutes left'],
    [-1, 'time left not known yet'],
    [Number.NaN, 'time left not known yet'],
    [Number.POSITIVE_INFINITY, 'time left not known yet'],
  ])('%d seconds', (seconds, shown) => expect(timeLeft(seconds)).toBe(shown))
})

it('shortens long hex and leaves short text alone', () => {
  expect(shortHex(`0x${'ab'.repeat(32)}`)).toBe('0xabab…abab')
  expect(shortHex('0x1234')).toBe('0x1234')
})

it('quotes a single quote for the shell', () => expect(shellQuote(`it's`)).toBe(`'it'\\''s'`))

it('follows web links only', () => {
  expect(webLink('https://example.org/a')).toBe('https://example.org/a')
  for (const address of [
    'javascript:alert(1)',
    'javascript://example.org/%0aalert(1)',
    ' https://example.org',
    'data:text/html,x',
    '//example.org',
    '',
    undefined,
  ])
    expect(webLink(address)).toBeUndefined()
})

it('says shares in whole percent and survives numbers that are none', () => {
  expect([0.826, 0, 1, 0.002, 0.997].map(percent)).toEqual(['83 %', '0 %', '100 %', '<1 %', '>99 %'])
  expect(percent(Number.NaN)).toBe('– %')
  expect(isoTime(Number.NaN)).toBe('')
})

it('says sizes in the largest unit that fits', () => expect([512, 2_400, 46_000_000].map(fileSize)).toEqual(['512 B', '2 kB', '46.0 MB']))
