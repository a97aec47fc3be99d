/**
 * The language of the page, as pages with words of their own ask for it: a table holds one set of words for each language. Knows nothing of
 * what is said.
 */
import { useSyncExternalStore } from 'react'

export type Language = 'en' | 'es'

const listeners = new Set<() => void>()
const stored = (): Language => (document.documentElement.lang.startsWith('es') ? 'es' : 'en')
function subscribe(changed: () => void): () => void {
  listeners.add(changed)
  return () => listeners.delete(changed)
}

export const useLanguage = (): Language => useSyncExternalStore(subscribe, stored)
export function useWords<Words>(table: Record<Language, Words>): Words {
  return table[useLanguage()]
}

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
