/**
 * Finds in a description the list of kinds it names and the subject it is about.
 * Knows nothing of files or tasks.
 */
import { aboutWords } from './words.ts'

const or = 'or|and|o|y|ou|et|oder|und|au|na|atau|dan|या|और|e|ya da|veya|ve|او'

/** The kinds a description lists ("scam, probably fine, or can't tell"), in its own spelling; undefined when it lists none. */
export function labelsIn(words: string): string[] | undefined {
  for (const clause of candidates(words)) {
    const items = split(clause)
    if (items && items.length >= 2 && items.length <= 60) return items
  }
  return undefined
}

/** Places where lists stand: after a colon, then after words that announce a choice. */
function candidates(words: string): string[] {
  const found: string[] = []
  for (const part of words.matchAll(/[:：]\s*([^:：.!?;\n।。]{3,400})/gu)) found.push(part[1]!)
  const announce =
    /(?<![\p{L}])(?:into|whether (?:it is|it's|they are|the \p{L}+ (?:is|na))?|single grade|say(?:s)?|as(?: either)?|one of|between|is it|marks of|disciplines are|kinds are|labels are|en|entre|como|in|zwischen|als|ikiwa ni|kama ni|antara|menjadi)\s+([^:：.!?;\n।。]{3,300})/giu
  for (const part of words.matchAll(announce)) found.push(part[1]!)
  return found
}

function split(clause: string): string[] | undefined {
  const separators = new RegExp(`\\s*[,،、，]\\s*(?:(?:${or})\\s+)?|\\s+/\\s+|\\s+(?:or|o|ou|oder|au|atau|या|veya)\\s+`, 'iu')
  let items = clause.split(separators).map((item) => item.trim())
  // "positive and negative": an "and" divides only the last piece of a list, or a list of two single words.
  const last = items.at(-1) ?? ''
  const pair = last.split(new RegExp(`\\s+(?:${or})\\s+`, 'iu'))
  if (pair.length === 2 && pair.every((item) => item && item.split(/\s+/).length <= (items.length > 1 ? 3 : 1))) items = [...items.slice(0, -1), ...pair]
  items = items.map((item) => item.replace(/^["'“”‘«(\s]+|["'“”’»)\s]+$/gu, '').replace(/^(?:just|either|the|a|an|el|la|der|die|das)\s+/iu, '')).filter(Boolean)
  if (items.length < 2 || items.some((item) => item.split(/\s+/).length > 4 || item.length > 40)) return undefined
  return [...new Set(items)]
}

/** The subject after "about", "sobre", "kuhusu" and the like: two to four words. */
export function subjectOf(words: string): string | null {
  const found = new RegExp(`(?<![\\p{L}\\p{M}])(?:${aboutWords})\\s+((?:[\\p{L}\\p{M}'’-]+\\s*){1,4})`, 'iu').exec(words)
  const cut = found?.[1]
    ?.split(/\s+(?:from|and|for|that|which|with|in|to|of this|de|del|que|y|et|und|aus|na|kutoka|yang|dari|dan|when|so|by|at)(?:\s|$)/iu)[0]
    ?.trim()
  if (!cut || /^(?:it|this|that|the|them|him|what|how|eine?|der|die|das)$|(?:gani|apa|किस)/iu.test(cut)) return null
  return cut.replace(/^(?:the|our|my|your|los|las|el|la|les|le|die|der|das)\s+/iu, '') || null
}
