/**
 * Pressed twice is done once: what pays or posts is begun when nothing of it is under way, and not again within a double click's time after.
 * Knows nothing of what is done.
 */
import { useRef } from 'react'

/** Longer than the two presses of a double click are apart. */
const REST_MS = 800

/** React draws the button's new state only after the second press of a fast pair, so the state alone cannot tell. */
export function useOnce<Value>(begin: (value: Value) => Promise<unknown>): (value: Value) => void {
  const busy = useRef(false)
  return (value) => {
    if (busy.current) return
    busy.current = true
    const free = () => {
      busy.current = false
    }
    // What failed may be tried again at once.
    begin(value).then(() => setTimeout(free, REST_MS), free)
  }
}
