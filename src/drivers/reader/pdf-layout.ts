/**
 * Pieces of text with their places on pages -> paragraphs, headings, list items and table rows, page by page.
 * Knows nothing of the PDF format. Units are points; y grows downwards.
 */

export type Piece = { text: string; x: number; y: number; width: number; size: number; font: string }
type Cell = { x: number; right: number; text: string }
export type Line = { y: number; left: number; right: number; size: number; font: string; cells: Cell[]; text: string }
type Block = { kind: 'paragraph' | 'heading' | 'table'; lines: Line[]; text: string; size: number }

const bullet = /^(?:[•◦▪■●○‣⁃·➢✓]|[-–—*](?=\s)|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)](?=\s|$))\s*/i
const leaders = /(?:\.\s?){5,}/
const pageNumber = /^(?:page\s*)?[-–—]?\s*(?:\d{1,4}|[ivxl]{1,6})(?:\s*(?:of|\/)\s*\d{1,4})?\s*[-–—]?$/i

/** Pieces in reading order -> lines; a wide gap within a line parts two cells. */
export function linesOf(pieces: readonly Piece[]): Line[] {
  const lines: Line[] = []
  let open: Piece[] = []
  const close = () => {
    if (open.length) lines.push(lineOf(open))
    open = []
  }
  for (const piece of pieces) {
    if (!piece.text.trim()) continue
    const last = open.at(-1)
    const size = Math.max(piece.size, open[0]?.size ?? 0)
    if (last && (Math.abs(piece.y - open[0]!.y) > size * 0.5 || piece.x < last.x + last.width - size * 2)) close()
    open.push(piece)
  }
  close()
  return lines
}

function lineOf(pieces: readonly Piece[]): Line {
  const cells: Cell[] = []
  const sizes = new Map<number, number>()
  const fonts = new Map<string, number>()
  for (const piece of pieces) {
    const length = piece.text.trim().length
    sizes.set(piece.size, (sizes.get(piece.size) ?? 0) + length)
    fonts.set(piece.font, (fonts.get(piece.font) ?? 0) + length)
    const cell = cells.at(-1)
    const gap = cell ? piece.x - cell.right : 0
    const right = piece.x + piece.width
    const marker = cell !== undefined && cells.length === 1 && cell.text.replace(bullet, '') === ''
    if (!cell || (gap > piece.size * 1.8 && !marker)) cells.push({ x: piece.x, right, text: piece.text.trim() })
    else {
      const apart = gap > piece.size * 0.13 && !/\s$/.test(cell.text) && !/^\s/.test(piece.text)
      cell.text = `${cell.text}${apart ? ' ' : ''}${piece.text}`
      cell.right = right
    }
  }
  for (const cell of cells) cell.text = cell.text.replace(/\s+/g, ' ').trim()
  const first = pieces[0]!
  return {
    y: first.y,
    left: first.x,
    right: cells.at(-1)!.right,
    size: most(sizes)!,
    font: most(fonts)!,
    cells,
    text: cells.map((cell) => cell.text).join(' '),
  }
}

/** Pages of lines -> one text for each page, headers, footers and contents pages gone, paragraphs kept whole on the page they start on. */
export function textOfPages(pages: readonly Line[][]): string[] {
  const sizes = new Map<number, number>()
  const fonts = new Map<string, number>()
  for (const line of pages.flat()) {
    sizes.set(line.size, (sizes.get(line.size) ?? 0) + line.text.length)
    fonts.set(line.font, (fonts.get(line.font) ?? 0) + line.text.length)
  }
  const body = { size: most(sizes) ?? 10, font: most(fonts) ?? '', leading: leadingOf(pages) }
  const running = runningLines(pages, body.size)
  const inside = pages.map((lines) => {
    const edges = edgesOf(lines)
    const dropped = (line: Line): boolean => pageNumber.test(line.text) || keys(line, body.size).some((key) => running.has(key))
    return lines.filter((line) => !leaders.test(line.text) && !spaced(line.text) && !(edges.has(line) && dropped(line)))
  })
  // Pages of a line or two have nothing but edges.
  const kept = inside.some((lines) => lines.length) ? inside : pages
  const blocks = kept.map((lines) => blocksOf(lines, body))
  for (let page = 1; page < blocks.length; page++) {
    const before = blocks[page - 1]!.at(-1)
    const after = blocks[page]![0]
    if (before?.kind !== 'paragraph' || after?.kind !== 'paragraph') continue
    if (/[.!?:;。।؟]["')\]”’]?$/.test(before.text) || !/^\p{Ll}/u.test(after.text) || bullet.test(after.text)) continue
    before.text = joined(before.text, after.text)
    blocks[page]!.shift()
  }
  const largest = blocks
    .slice(0, 3)
    .flat()
    .reduce((size, block) => (block.kind === 'heading' ? Math.max(size, block.size) : size), 0)
  return blocks.map((list) =>
    list
      .map((block) => (block.kind === 'heading' ? `${block.size >= largest && block.size > body.size * 1.12 ? '#' : '##'} ${block.text}` : block.text))
      .join('\n\n'),
  )
}

/** Letters set one by one are ornaments whose order is lost. */
function spaced(text: string): boolean {
  const words = text.split(' ')
  return words.length > 5 && words.filter((word) => word.length === 1).length > words.length * 0.7
}

/** The two first and two last lines of a page, by height. */
function edgesOf(lines: readonly Line[]): Set<Line> {
  const sorted = [...lines].sort((a, b) => a.y - b.y)
  return new Set([...sorted.slice(0, 2), ...sorted.slice(-2)])
}

/**
 * By what a line at the edge is known again: its words, and where it is short the words with any numbers. A heading of a page has
 * larger letters than the text and is known by nothing.
 */
function keys(line: Line, size: number): string[] {
  if (line.size > size * 1.12) return []
  const text = line.text.toLowerCase()
  return text.length > 60 ? [text] : [text, text.replace(/\d+/g, '#')]
}

/** What stands at the edge of many pages. */
function runningLines(pages: readonly Line[][], size: number): Set<string> {
  const counts = new Map<string, number>()
  for (const lines of pages) for (const key of new Set([...edgesOf(lines)].flatMap((line) => keys(line, size)))) counts.set(key, (counts.get(key) ?? 0) + 1)
  const least = pages.length < 3 ? 2 : Math.max(3, Math.ceil(pages.length * 0.25))
  return new Set([...counts].filter(([, count]) => count >= least).map(([text]) => text))
}

/** The usual distance of two lines of one paragraph, in letter sizes. */
function leadingOf(pages: readonly Line[][]): number {
  const steps = new Map<number, number>()
  for (const lines of pages)
    for (let index = 1; index < lines.length; index++) {
      const step = Math.round(((lines[index]!.y - lines[index - 1]!.y) / lines[index]!.size) * 20) / 20
      if (step > 0.8 && step < 3) steps.set(step, (steps.get(step) ?? 0) + 1)
    }
  return most(steps) ?? 1.2
}

type Body = { size: number; font: string; leading: number }

function blocksOf(lines: readonly Line[], body: Body): Block[] {
  const blocks: Block[] = []
  const right = lines.reduce((furthest, line) => Math.max(furthest, line.right), 0)
  for (let index = 0; index < lines.length; index++) {
    const rows = tableAt(lines, index)
    if (rows > 0) {
      const table = lines.slice(index, index + rows)
      const text = table.map((line) => `| ${line.cells.map((cell) => cell.text.replaceAll('|', '/')).join(' | ')} |`).join('\n')
      blocks.push({ kind: 'table', lines: [...table], text, size: table[0]!.size })
      index += rows - 1
      continue
    }
    const line = lines[index]!
    const last = blocks.at(-1)
    const kind = isHeading(line, body) ? 'heading' : 'paragraph'
    if (last && last.kind === kind && continues(last, line, right, body)) {
      last.lines.push(line)
      last.text = joined(last.text, line.text)
    } else blocks.push({ kind, lines: [line], text: line.text.replace(/^[•◦▪■●○‣⁃·➢✓]\s*/, '- '), size: line.size })
  }
  // A heading of many words is a paragraph in other letters.
  for (const block of blocks) if (block.kind === 'heading' && block.text.length > 160) block.kind = 'paragraph'
  return blocks
}

function isHeading(line: Line, body: Body): boolean {
  if (!/\p{L}{2}/u.test(line.text) || bullet.exec(line.text)?.[0].match(/[•◦▪■●○]/)) return false
  if (line.size > body.size * 1.12) return true
  if (line.text.length > 80 || /[.;,:]$/.test(line.text)) return false
  if (line.font !== body.font && line.size >= body.size * 0.98 && line.text.split(' ').length <= 12 && /^[^\p{L}]*\p{Lu}/u.test(line.text)) return true
  return line.size >= body.size * 0.98 && /\p{Lu}{4}/u.test(line.text) && !/\p{Ll}/u.test(line.text) && line.text.split(' ').length <= 10
}

function continues(block: Block, line: Line, right: number, body: Body): boolean {
  const last = block.lines.at(-1)!
  const step = (line.y - last.y) / Math.max(line.size, last.size)
  if (Math.abs(line.size - last.size) > 0.6 || bullet.test(line.text)) return false
  // The next column, or a line set out of order: one paragraph only when a sentence runs on.
  if (step < 0) return /^\p{Ll}/u.test(line.text) && !/[.!?:;]$/.test(last.text)
  if (step > Math.max(body.leading * 1.3, body.leading + 0.25)) return false
  if (block.kind === 'heading') return true
  return !(/[.!?:;]["')\]”’]?$/.test(last.text) && last.right < right - (right - block.lines[0]!.left) * 0.2)
}

/** How many lines from here on have the same number of cells, one under the other; 0 when fewer than three. */
function tableAt(lines: readonly Line[], start: number): number {
  const first = lines[start]!
  if (first.cells.length < 2) return 0
  let end = start + 1
  while (end < lines.length && aligned(first, lines[end]!) && lines[end]!.y > lines[end - 1]!.y) end++
  return end - start >= 3 ? end - start : 0
}

function aligned(one: Line, other: Line): boolean {
  if (one.cells.length !== other.cells.length || Math.abs(one.size - other.size) > 1.5) return false
  const near = one.size * 1.2
  return one.cells.every((cell, index) => {
    const under = other.cells[index]!
    const centred = Math.abs((cell.x + cell.right - under.x - under.right) / 2) < near
    return Math.abs(cell.x - under.x) < near || Math.abs(cell.right - under.right) < near || centred
  })
}

/** Two lines of a paragraph; a word parted at the line's end is made whole. */
function joined(before: string, after: string): string {
  return /\p{Ll}-$/u.test(before) && /^\p{Ll}/u.test(after) ? before.slice(0, -1) + after : `${before} ${after}`
}

function most<T>(counts: ReadonlyMap<T, number>): T | undefined {
  let best: [T, number] | undefined
  for (const entry of counts) if (!best || entry[1] > best[1]) best = entry
  return best?.[0]
}
