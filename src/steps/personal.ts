/**
 * Personal data in a text: found by its form and, where it has one, its check digits; counted, shown with its middle hidden, or
 * masked. Names only where a title or a field announces them. Knows nothing of what the text is for.
 */
import type { Findings, PersonalKind } from '../core/findings.ts'

export type Found = { kind: PersonalKind; start: number; end: number }

const digitsOf = (text: string): string => text.replace(/\D/g, '')

/** Luhn's check (ISO/IEC 7812-1). */
function luhn(text: string): boolean {
  const digits = digitsOf(text)
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place])
    const doubled = place % 2 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** ISO 13616: the country and check digits moved to the end, letters as numbers, the remainder by 97 is 1. */
function iban(text: string): boolean {
  const even = text.replace(/\s/g, '').toUpperCase()
  if (even.length < 15 || even.length > 34) return false
  let remainder = 0
  for (const character of even.slice(4) + even.slice(0, 4))
    for (const digit of Number.parseInt(character, 36).toString()) remainder = (remainder * 10 + Number(digit)) % 97
  return remainder === 1
}

/** NHS number: weights 10 to 2, the remainder by 11 from 11. */
function nhs(text: string): boolean {
  const digits = digitsOf(text)
  if (digits.length !== 10 || /^(\d)\1*$/.test(digits)) return false
  const sum = [...digits.slice(0, 9)].reduce((total, digit, index) => total + Number(digit) * (10 - index), 0)
  return (11 - (sum % 11)) % 11 === Number(digits[9])
}

/** Spanish DNI and NIE: the letter is the number's remainder by 23. */
function dni(text: string): boolean {
  const even = text.toUpperCase().replace(/[\s.-]/g, '')
  const value = Number(even.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter))))
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[value % 23] === even.at(-1)
}

/** Telephone numbers have 8 to 15 digits (E.164) and are not dates, ranges of years or amounts. */
function phone(text: string): boolean {
  const digits = digitsOf(text)
  if (digits.length < 8 || digits.length > 15) return false
  if (/^(?:19|20)\d\d\D+(?:19|20)\d\d$/.test(text.trim()) || /^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}$/.test(text.trim())) return false
  return text.trim().startsWith('+') || /^\(?0/.test(text.trim()) || /^(?:\(\d{3}\)\s?|1?[-. ]?\d{3}[-. ])\d{3}[-. ]\d{4}$/.test(text.trim())
}

const name = "\\p{Lu}[\\p{L}\\p{M}’'-]+"
/** In order of trust: what an earlier one took, a later one does not get. */
const forms: readonly { kind: PersonalKind; pattern: RegExp; group?: number; check?: (text: string) => boolean }[] = [
  { kind: 'mail', pattern: /[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.)+\p{L}{2,24}/gu },
  { kind: 'iban', pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b/g, check: iban },
  {
    kind: 'card',
    pattern: /(?<![\d-])[3-6]\d{3}(?:[ -]?\d{3,6}){2,4}(?![\d-])/g,
    check: (text) => digitsOf(text).length >= 13 && digitsOf(text).length <= 19 && luhn(text),
  },
  {
    kind: 'patient number',
    pattern: /\b(?:MRN|medical record (?:number|no\.?)|patient (?:id|number|no\.?)|hospital (?:number|no\.?))\s*[:#.]?\s*([A-Z]{0,3}-?\d{4,12})\b/giu,
    group: 1,
  },
  { kind: 'national id', pattern: /(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])/g },
  { kind: 'national id', pattern: /(?<![\p{L}\d-])(?:\d{8}|[XYZ]\d{7})[- ]?[A-Z](?![\p{L}\d-])/gu, check: dni },
  { kind: 'national id', pattern: /\bNHS(?: (?:number|no\.?))?\s*[:#]?\s*(\d{3}[ -]?\d{3}[ -]?\d{4})(?!\d)/giu, group: 1, check: nhs },
  { kind: 'phone', pattern: /(?<![\p{L}\d.,/-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)[ .-]?)?\d{2,5}(?:[ .-]\d{2,5}){1,4}(?![\p{L}\d/-]|[.,]\d)/gu, check: phone },
  { kind: 'phone', pattern: /(?<![\p{L}\d.,/+-])\+\d{9,14}(?!\d)/gu, check: phone },
  { kind: 'name', pattern: new RegExp(`(?<![\\p{L}])(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sr|Sra|Herr|Frau|Mme|Bw|Bi)\\.? (${name}(?: ${name}){0,2})`, 'gu'), group: 1 },
  {
    kind: 'name',
    pattern: new RegExp(`(?:^|\\n|[;|,] ?)(?:Patient(?: name)?|Name|Nombre|Nom|Nome|Jina|Full name)\\s*: *(${name}(?: ${name}){1,3})`, 'gu'),
    group: 1,
  },
]

/** Everything personal in a text, in order, without overlaps. */
export function personalIn(text: string): Found[] {
  const found: Found[] = []
  // Without a digit, an at sign or an announced name there is nothing to look for.
  if (!/[\d@]|(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sra?|Herr|Frau|Mme|Bw|Bi)\.? \p{Lu}|(?:ame|ombre|om|ome|ina|atient)\s*:/u.test(text)) return found
  for (const { kind, pattern, group, check } of forms)
    for (const match of text.matchAll(pattern)) {
      const value = group === undefined ? match[0] : match[group]!
      if (check && !check(value)) continue
      const start = match.index + (group === undefined ? 0 : match[0].lastIndexOf(value))
      const end = start + value.length
      if (!found.some((other) => start < other.end && other.start < end)) found.push({ kind, start, end })
    }
  return found.sort((a, b) => a.start - b.start)
}

/** The text with everything personal replaced by its kind in brackets, e.g. `[phone]`. */
export function masked(text: string): string {
  let result = ''
  let last = 0
  for (const { kind, start, end } of personalIn(text)) {
    result += `${text.slice(last, start)}[${kind}]`
    last = end
  }
  return result + text.slice(last)
}

/** Counts what it is shown; keeps three hidden samples of each kind. */
export function personalTally(): { see(text: string): void; found(): Findings['personal'] } {
  const kinds = new Map<PersonalKind, { count: number; shown: string[] }>()
  return {
    see(text) {
      for (const { kind, start, end } of personalIn(text)) {
        const known = kinds.get(kind) ?? { count: 0, shown: [] }
        known.count++
        if (known.shown.length < 3) known.shown.push(hidden(text.slice(start, end)))
        kinds.set(kind, known)
      }
    },
    found: () => [...kinds].map(([kind, seen]) => ({ kind, ...seen })).sort((a, b) => b.count - a.count),
  }
}

/** First and last characters, the rest as dots: enough to recognise one's own, too little to use it. */
function hidden(value: string): string {
  const characters = Array.from(value)
  const ends = characters.length < 8 ? 1 : 2
  return `${characters.slice(0, ends).join('')}…${characters.slice(characters.length - ends).join('')}`
}
