/**
 * The language of the page, as pages with words of their own ask for it: a table holds one set of words for each language. Knows nothing of
 * what is said.
 */
import { useSyncExternalStore } from 'react'

/** Languages the studio speaks, by tag, in their own words. Another one is another entry here and in the tables of words. */
export const LANGUAGES = { en: 'English', es: 'Español' } as const
export type Language = keyof typeof LANGUAGES
/** Languages written from right to left; none is spoken yet, and the pages use logical sides throughout. */
const RIGHT_TO_LEFT: readonly string[] = ['ar', 'fa', 'he', 'ur']

const KEY = 'modelfactory-language'
const listeners = new Set<() => void>()
const known = (tag: string | null | undefined): Language | undefined => (Object.keys(LANGUAGES) as Language[]).find((one) => tag?.toLowerCase().startsWith(one))

function stored(): Language {
  let kept: string | null = null
  try {
    kept = localStorage.getItem(KEY)
  } catch {
    // The browser's own language then.
  }
  return known(kept) ?? navigator.languages.map(known).find((one) => one !== undefined) ?? 'en'
}

/** Puts what was chosen before, or else the browser's language, onto the page. */
export function applyLanguage(language: Language = stored()): void {
  Object.assign(document.documentElement, { lang: language, dir: RIGHT_TO_LEFT.includes(language) ? 'rtl' : 'ltr' })
}

export function speak(language: Language): void {
  try {
    localStorage.setItem(KEY, language)
  } catch {
    // It holds for this page then.
  }
  applyLanguage(language)
  for (const listener of listeners) listener()
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed)
  return () => listeners.delete(changed)
}

/** Also where there is no page, as in a test of the sentences. */
const current = (): Language => (typeof document === 'undefined' ? undefined : known(document.documentElement.lang)) ?? 'en'
export const useLanguage = (): Language => useSyncExternalStore(subscribe, current)
export function useWords<Words>(table: Record<Language, Words>): Words {
  return table[useLanguage()]
}
/** The words of this moment, for what is said from outside a component; a component that shows them listens by itself. */
export function told<Words>(table: Record<Language, Words>): Words {
  return table[current()]
}
/** BCP-47 tag for numbers and times, as {@link told}. */
export const locale = current

/** How long something is, as people say it: 5 s, 3 min, 2 h, 4 d. */
export function useAge(): (milliseconds: number) => string {
  const language = useLanguage()
  return (milliseconds) => {
    const seconds = Math.max(0, milliseconds / 1000)
    const [value, unit] =
      seconds < 90 ? [seconds, 'second'] : seconds < 5400 ? [seconds / 60, 'minute'] : seconds < 129_600 ? [seconds / 3600, 'hour'] : [seconds / 86_400, 'day']
    return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 }).format(value)
  }
}

/** Counts with grouped thousands. */
export function useNumber(): (value: number) => string {
  const language = useLanguage()
  return (value) => new Intl.NumberFormat(language).format(value)
}

/** Languages by their names in the language of the page. */
export function useLanguageNames(): (tags: readonly string[]) => string {
  const language = useLanguage()
  return (tags) => {
    const names = new Intl.DisplayNames([language], { type: 'language' })
    return tags
      .map((tag) => {
        try {
          return names.of(tag) ?? tag
        } catch {
          // A stranger's listing may say what is no tag.
          return tag
        }
      })
      .join(', ')
  }
}
