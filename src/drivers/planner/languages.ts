/**
 * Which language a text is in, and which languages a text names; tags are BCP-47, the shortest that says it.
 * Knows nothing of tasks or files.
 */
import { francAll } from 'franc'
import { smallWords } from '../language/small-words.ts'

/** Lower case without Latin accents and apostrophes: what cues are matched against. Other scripts keep their marks. */
export function plain(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .replace(/[’'`]/g, ' ')
    .replace(/\s+/g, ' ')
}

/** ISO 639-3 -> BCP-47. The macrolanguage's tag where people use it. */
export function tag(code: string): string {
  const shortest: Record<string, string> = { quy: 'qu', quz: 'qu', zlm: 'ms', fil: 'tl', prs: 'fa', nno: 'nn', sco: 'en' }
  return shortest[code] ?? Intl.getCanonicalLocales(code)[0] ?? code
}

/**
 * The language a text is most likely in. Small words decide short texts, letter statistics (franc) long ones.
 * `expected` are tags that other evidence speaks for: one of them wins when the letters do not clearly contradict.
 */
export function languageOf(text: string, expected: readonly string[] = []): string | undefined {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  if (letters < 3) return undefined
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

/** Which of a few languages a short text looks most like; undefined when the letter statistics know none of them. */
export function closestLanguage(text: string, languages: readonly string[]): string | undefined {
  for (const [code] of francAll(text, { minLength: 3 })) if (languages.includes(tag(code))) return tag(code)
  return undefined
}

const isLatin = (text: string): boolean => (text.match(/\p{Script=Latin}/gu)?.length ?? 0) * 2 > (text.match(/\p{L}/gu)?.length ?? 0)
const ownName = (language: string): string => new Intl.DisplayNames([language], { type: 'language' }).of(language) ?? 'a'

function smallWordVote(text: string): string | undefined {
  const words = text.toLowerCase().match(/[\p{L}\p{M}'’]+/gu) ?? []
  const votes = Object.entries(smallWords)
    .map(([language, list]) => {
      const set = new Set(list.split(' '))
      return { language, count: words.filter((word) => set.has(word)).length }
    })
    .sort((a, b) => b.count - a.count)
  const [first, second] = votes
  if (!first || first.count < 2 || first.count < words.length * 0.12 || first.count <= second!.count) return undefined
  return first.language
}

/** Tags of the languages a text names, in any of the planner's languages, in the order they come. */
export function languagesNamed(text: string): string[] {
  const found: { tag: string; at: number }[] = []
  const padded = ` ${text} `
  for (const [name, code] of languageNames()) {
    const at = padded.search(new RegExp(`(?<![\\p{L}\\p{M}])${name}(?![\\p{L}])`, 'u'))
    if (at >= 0) found.push({ tag: code, at })
  }
  return [...new Set(found.sort((a, b) => a.at - b.at).map((entry) => entry.tag))]
}

const named =
  'am ar ay az be bg bn ca cs cy da de el en es et eu fa fi fr ga gl gn gu ha he hi hr hu hy id ig is it ja jv ka kk km kn ko ku lo lt lv mg mk ml mn mr ms my ne nl no om pa pl ps pt qu ro ru rw si sk sl so sq sr st su sv sw ta te tg th ti tl tn tr uk ur uz vi wo xh yo zh zu ace arc fil grc la pcm min bjn'

let names: [string, string][] | undefined

/** Names such as "Swahili", "Kiswahili", "suajili"; those of languages that write names small match in both cases. */
function languageNames(): [string, string][] {
  if (names) return names
  const all = new Map<string, string>()
  const tables = new Map<string, Intl.DisplayNames>()
  const inLanguage = (locale: string): Intl.DisplayNames => {
    const known = tables.get(locale) ?? new Intl.DisplayNames([locale], { type: 'language', fallback: 'none' })
    tables.set(locale, known)
    return known
  }
  for (const code of named.split(' ')) {
    for (const locale of new Set([...Object.keys(smallWords), code])) {
      const name = inLanguage(locale).of(code)
      if (!name || name.length < 4 || /[()\d]/.test(name)) continue
      const first = name.charAt(0)
      const capital = first.toUpperCase() + name.slice(1)
      if (!all.has(capital)) all.set(capital, code === 'fil' ? 'tl' : code)
      if (first === first.toLowerCase() && !all.has(name)) all.set(name, code === 'fil' ? 'tl' : code)
    }
  }
  all.set('Tagalog', 'tl')
  all.set('Pidgin', 'pcm')
  names = [...all]
  return names
}
