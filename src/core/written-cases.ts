/**
 * Cases as people write them in a box or a file. Knows nothing of what they are for, and of no library, so that a browser can read them too.
 */
import { type Refusal, refuse } from './errors.ts'

export type WrittenCase = { input: string; output: string }

/**
 * Cases as people write them: a line each, `text => right answer` or two columns of a spreadsheet (a tab between them), or JSON: a list, or a line each,
 * of `{"input": ..., "output": ...}`.
 */
export function parseCases(text: string): WrittenCase[] | Refusal {
  const whole = jsonOf(text)
  const listed = Array.isArray(whole) ? whole.map((one, place) => ({ one, place: place + 1 })) : undefined
  const lines = text.split(/\r?\n/).flatMap((line, place) => (line.trim() ? { one: jsonOf(line) ?? halves(line), place: place + 1 } : []))
  const cases: WrittenCase[] = []
  for (const { one, place } of listed ?? lines) {
    const { input, output } = (one ?? {}) as Record<string, unknown>
    if (typeof input !== 'string' || typeof output !== 'string' || !input.trim() || !output.trim())
      return refuse(
        'case_unreadable',
        `Case ${place} does not say what the right answer to what text is.`,
        'Write each as "text => right answer" on a line of its own, or paste two columns of a spreadsheet.',
      )
    cases.push({ input: input.trim(), output: output.trim() })
  }
  return cases
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? (value ?? undefined) : undefined
  } catch {
    return undefined
  }
}

/** The last arrow parts a line, or else its last tab: right answers hold neither as a rule. */
function halves(line: string): { input: string; output: string } | undefined {
  const [mark, at] = line.includes('=>') ? ['=>', line.lastIndexOf('=>')] : ['\t', line.lastIndexOf('\t')]
  return at < 0 ? undefined : { input: line.slice(0, at), output: line.slice(at + mark.length) }
}
