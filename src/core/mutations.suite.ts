/** Every way to change one leaf of a JSON value, for tests of what must notice any change. Knows nothing of what the value is. */

/** Every leaf of a JSON value: where it is, and the whole with that leaf changed. */
export function* mutations(value: unknown, path: (string | number)[] = []): Generator<{ path: string; changed: unknown }> {
  if (Array.isArray(value) || (typeof value === 'object' && value !== null)) {
    for (const key of Object.keys(value)) {
      const inner = (value as Record<string, unknown>)[key]
      for (const { path: where, changed } of mutations(inner, [...path, key])) {
        const copy = structuredClone(value) as Record<string, unknown>
        copy[key] = changed
        yield { path: where, changed: copy }
      }
    }
    return
  }
  yield { path: path.join('.'), changed: otherThan(value) }
}

/** Another value of the same kind, and of the same form: in hex, one digit in the middle changes. */
function otherThan(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  if (value === null) return 'something'
  const text = String(value)
  if (/^0x[0-9a-f]+$/.test(text)) {
    const middle = 2 + ((text.length - 2) >> 1)
    return `${text.slice(0, middle)}${text[middle] === '7' ? '8' : '7'}${text.slice(middle + 1)}`
  }
  return /^\d+$/.test(text) ? (BigInt(text) + 1n).toString() : `${text}!`
}
