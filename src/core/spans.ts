/**
 * Cells -> entities in a text, and back: tags a word (BIO), JSON lists, or columns that hold what was found; all become places in
 * the text. Also the words a text is read by. Knows nothing of models.
 */
import { z } from 'zod'
import type { Entity } from './dataset.ts'
import type { ColumnRoles } from './spec.ts'

export type Word = { text: string; start: number; end: number }

/** Runs of letters and digits, and every other sign alone: an entity begins and ends at these. */
export function wordsOf(text: string): Word[] {
  return Array.from(text.matchAll(/[\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}\s]/gu), (match) => ({
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }))
}

/** A cell with several values: parts between `;`, `|` or line breaks, else between commas; or a JSON list of texts. */
export function partsOf(cell: string): string[] {
  const listed = cell.trim().startsWith('[') ? z.array(z.string()).safeParse(parsed(cell)) : undefined
  const parts = listed?.success ? listed.data : cell.split(/[;|\n]/.test(cell) ? /[;|\n]/ : /,/)
  return [...new Set(parts.map((part) => part.trim()).filter(Boolean))]
}

/** The entities of a row, in order; undefined when its cells do not fit its text. */
export function entitiesOf(text: string, row: Record<string, string>, columns: ColumnRoles): Entity[] | undefined {
  if (columns.tags !== undefined) return fromTags(text, row[columns.tags] ?? '')
  if (columns.entities !== undefined) return fromList(text, row[columns.entities] ?? '')
  const wanted = (columns.values ?? []).flatMap((column) => partsOfValue(text, row[column] ?? '').map((value) => ({ type: column, text: value })))
  const placed = place(text, wanted)
  // A value that does not stand in the text cannot be pointed at; a row where none does teaches nothing.
  return wanted.length && !placed.length ? undefined : placed
}

/** A value with commas in it stands in the text as it is, or it is a list. */
function partsOfValue(text: string, cell: string): string[] {
  const whole = cell.trim()
  return !whole ? [] : text.toLowerCase().includes(whole.toLowerCase()) ? [whole] : partsOf(whole)
}

/** One tag for each piece of the text between spaces. `B-x` begins, `I-x` goes on, anything else is outside. */
function fromTags(text: string, cell: string): Entity[] | undefined {
  const listed = cell.trim().startsWith('[') ? z.array(z.string()).safeParse(parsed(cell)) : undefined
  const tags = listed?.success ? listed.data : cell.trim().split(/[;,\s]+/)
  const pieces = [...text.matchAll(/\S+/g)]
  if (tags.length !== pieces.length) return undefined
  const entities: Entity[] = []
  let open: Entity | undefined
  for (const [index, piece] of pieces.entries()) {
    const [, mark, type] = /^([BIES])[-_](.+)$/.exec(tags[index]!) ?? []
    const end = piece.index + piece[0].length
    if (mark === undefined || type === undefined) open = undefined
    else if (open?.type === type && (mark === 'I' || mark === 'E')) open.end = end
    else {
      open = { type, start: piece.index, end }
      entities.push(open)
    }
  }
  return entities
}

const Listed = z.array(z.object({ type: z.string(), text: z.string().optional(), start: z.number().int().optional(), end: z.number().int().optional() }))
const Named = z.record(z.string(), z.union([z.string(), z.array(z.string()), z.null()]))

/** `[{"type", "text"}]`, with `start` and `end` or without; or `{"type": "text" or ["text", ...]}`. */
function fromList(text: string, cell: string): Entity[] | undefined {
  if (!cell.trim()) return []
  const value = parsed(cell)
  const listed = Listed.safeParse(value)
  if (listed.success) {
    const placed = listed.data.flatMap(({ type, start, end }) =>
      type && start !== undefined && end !== undefined && end > start && end <= text.length ? [{ type, start, end }] : [],
    )
    if (placed.length === listed.data.length) return placed.sort((a, b) => a.start - b.start)
    const wanted = listed.data.flatMap(({ type, text: said }) => (said === undefined ? [] : [{ type, text: said }]))
    const found = place(text, wanted)
    return found.length < listed.data.length ? undefined : found
  }
  const named = Named.safeParse(value)
  if (!named.success) return undefined
  const wanted = Object.entries(named.data).flatMap(([type, values]) => [values ?? []].flat().map((said) => ({ type, text: said })))
  const found = place(text, wanted)
  return found.length < wanted.length ? undefined : found
}

/** Where each of them stands, the first free place in the order given, at the borders of words. */
function place(text: string, wanted: readonly { type: string; text: string }[]): Entity[] {
  const words = wordsOf(text)
  const starts = new Set(words.map(({ start }) => start))
  const ends = new Set(words.map(({ end }) => end))
  const even = text.toLowerCase()
  const same = even.length === text.length
  const entities: Entity[] = []
  for (const { type, text: said } of wanted) {
    const value = said.trim()
    if (!value || !type) continue
    const [within, sought] = same && value.toLowerCase().length === value.length ? [even, value.toLowerCase()] : [text, value]
    for (let at = within.indexOf(sought); at >= 0; at = within.indexOf(sought, at + 1)) {
      const end = at + value.length
      if (!starts.has(at) || !ends.has(end) || entities.some((other) => at < other.end && other.start < end)) continue
      entities.push({ type, start: at, end })
      break
    }
  }
  return entities.sort((a, b) => a.start - b.start)
}

function parsed(cell: string): unknown {
  try {
    return JSON.parse(cell)
  } catch {
    return undefined
  }
}
