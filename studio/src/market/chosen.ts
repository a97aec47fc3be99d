/**
 * The models somebody has chosen to compare, kept in this tab over its pages. Knows nothing of what a model is.
 */
import { useSyncExternalStore } from 'react'

export const MOST_COMPARED = 4
const KEY = 'modelfactory-compare'
const listeners = new Set<() => void>()
let memory: string[] | undefined

function read(): string[] {
  if (memory) return memory
  let kept: unknown
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY) ?? '[]')
  } catch {
    // A tab without storage begins with none.
  }
  memory = Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string').slice(0, MOST_COMPARED) : []
  return memory
}

function write(next: string[]): void {
  memory = next
  try {
    sessionStorage.setItem(KEY, JSON.stringify(next))
  } catch {
    // Kept for this page then.
  }
  for (const listener of listeners) listener()
}

/** Adds or takes away; of a full list nothing is pushed out. */
export function toggleCompared(id: string): void {
  const now = read()
  if (now.includes(id)) write(now.filter((one) => one !== id))
  else if (now.length < MOST_COMPARED) write([...now, id])
}

export const useCompared = (): string[] =>
  useSyncExternalStore((changed) => {
    listeners.add(changed)
    return () => listeners.delete(changed)
  }, read)
