/**
 * Which language a text is in; tags are BCP-47, the shortest that says it.
 * Knows nothing of tasks, files or the names of languages.
 */
import { francAll } from 'franc'
import { smallWords } from '../language/small-words.ts'
import { moreSmallWords, ownScripts } from './small-words.ts'

/** Lower case without Latin accents and apostrophes: what cues are matched against. Other scripts keep their marks, but for the Hindi dot. */
export function plain(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f\u093c\u064b-\u0652]/g, '')
    .normalize('NFC')
    .replace(/ß/g, 'ss')
    .replace(/ø/g, 'o')
    .replace(/ı/g, 'i')
    .replace(/ł/g, 'l')
    .replace(/đ/g, 'd')
    .replace(/[’'`]/g, ' ')
    .replace(/\s+/g, ' ')
}

/** ISO 639-3 -> BCP-47. The macrolanguage's tag where people use it. */
export function tag(code: string): string {
  const shortest: Record<string, string> = { quy: 'qu', quz: 'qu', zlm: 'ms', tgl: 'fil', tl: 'fil', prs: 'fa', nno: 'nn', nob: 'no', sco: 'en' }
  return shortest[code] ?? Intl.getCanonicalLocales(code)[0] ?? code
}

/**
 * The language a text is most likely in. Scripts and small words decide short texts, letter statistics (franc) long ones.
 * `expected` are tags that other evidence speaks for: one of them wins when the letters do not clearly contradict.
 */
export function languageOf(text: string, expected: readonly string[] = []): string | undefined {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  if (letters < 3) return undefined
  const script = languageOfScript(text, letters)
  if (script) return script
  const vote = smallWordVote(text)
  if (letters < 250 && vote) return vote
  const ranked = francAll(text.slice(0, 6000), { minLength: 3 }).filter(([code]) => code !== 'und')
  if (!ranked.length) return vote
  // Near relatives (Javanese and Indonesian) differ by little: there, what other evidence says decides.
  for (const [code, score] of ranked) if (score > 0.95 && expected.includes(tag(code))) return tag(code)
  const unknown = expected.find((language) => !ranked.some(([code]) => tag(code) === language) && isLatin(ownName(language)) === isLatin(text))
  // Named by the expert and unknown to the letter statistics (Basque, say): nobody can say better.
  if (unknown) return unknown
  const first = tag(ranked[0]![0])
  if (letters >= 250 || ranked.length === 1) return first
  // Too short for letter statistics to be trusted among languages of one script.
  return expected[0] ?? vote ?? (letters >= 60 ? first : undefined)
}

/** The language an expert wrote a description in. Descriptions quote words of other languages, so the small words count first, at any length. */
export function languageOfWords(words: string): string {
  const letters = words.match(/\p{L}/gu)?.length ?? 0
  const found = languageOfScript(words, letters) ?? smallWordVote(words) ?? languageOf(words) ?? 'en'
  // Malay and Indonesian are told apart by name, not by letters.
  return found === 'ms' && !/melayu|malaysia/i.test(words) ? 'id' : found
}

/** Which of a few languages a short text looks most like; undefined when the letter statistics know none of them. */
export function closestLanguage(text: string, languages: readonly string[]): string | undefined {
  for (const [code] of francAll(text, { minLength: 3 })) if (languages.includes(tag(code))) return tag(code)
  return undefined
}

const isLatin = (text: string): boolean => (text.match(/\p{Script=Latin}/gu)?.length ?? 0) * 2 > (text.match(/\p{L}/gu)?.length ?? 0)
const ownName = (language: string): string => new Intl.DisplayNames([language], { type: 'language' }).of(language) ?? 'a'

/** Letters tell the language alone where a script has one, and among the neighbours of Arabic, Hindi and Russian by their own letters. */
function languageOfScript(text: string, letters: number): string | undefined {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0
  for (const [script, language] of ownScripts) if (count(script) > letters * (language === 'ja' ? 0.15 : language === 'zh-Hans' ? 0.35 : 0.45)) return language
  if (count(/\p{Script=Arabic}/gu) > letters * 0.5) {
    if (count(/[ٹڈڑںےھ]/gu) > letters * 0.02) return 'ur'
    if (count(/[پچژگکی]/gu) > letters * 0.03) return 'fa'
    return 'ar'
  }
  if (count(/\p{Script=Devanagari}/gu) > letters * 0.4) return devanagariVote(text)
  if (count(/\p{Script=Cyrillic}/gu) > letters * 0.5) {
    if (count(/[іїєґ]/giu) > letters * 0.02) return 'uk'
    if (count(/[ыэё]/giu)) return 'ru'
  }
  return undefined
}

function devanagariVote(text: string): string {
  const best = votes(text).find(({ language }) => ['hi', 'mr', 'ne'].includes(language))
  return best?.count ? best.language : 'hi'
}

const lists = [...new Set([...Object.keys(smallWords), ...Object.keys(moreSmallWords)])].map((language) => ({
  language,
  set: new Set(`${smallWords[language] ?? ''} ${moreSmallWords[language] ?? ''}`.trim().split(/\s+/)),
}))

function votes(text: string): { language: string; count: number }[] {
  const words = text.toLowerCase().match(/[\p{L}\p{M}'’]+/gu) ?? []
  return lists.map(({ language, set }) => ({ language: tag(language), count: words.filter((word) => set.has(word)).length })).sort((a, b) => b.count - a.count)
}

function smallWordVote(text: string): string | undefined {
  const length = text.match(/[\p{L}\p{M}'’]+/gu)?.length ?? 0
  const ranked = votes(text)
  const [first, second] = ranked
  if (!first || first.count < 2 || first.count < length * 0.12) return undefined
  if (first.count > second!.count) return first.language
  const tied = ranked.filter((one) => one.count === first.count).map((one) => one.language)
  return length < 40 ? closestLanguage(text, tied) : undefined
}
