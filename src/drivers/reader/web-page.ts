/**
 * HTML -> Markdown-like text: headings, paragraphs, list items and table rows. Scripts, styles and menus are passed over.
 * Knows nothing of where the page comes from.
 */
import { Parser } from 'htmlparser2'

const skipped = new Set(['script', 'style', 'noscript', 'template', 'svg', 'math', 'nav', 'select', 'button', 'iframe', 'object', 'textarea', 'head'])
const blocks = new Set(
  'address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main ol p pre section summary table tbody td tfoot th thead tr ul'.split(
    ' ',
  ),
)

/** Unclosed elements pile up on careless pages too; beyond this it is an attack, and each level costs more than the last. */
const deepest = 2000
const SLICE = 1 << 14

/** The text of a page, and how many scripts were passed over; undefined when it is nested without end. */
export function readHtml(html: string): { text: string; scripts: number } | undefined {
  const out: string[] = []
  let line = ''
  let title = ''
  let inTitle = false
  let skipping = 0
  let scripts = 0
  let depth = 0
  let heading = 0
  let item = 0
  let pre = 0
  /** Tables that hold data; a table in a cell is layout, and its text joins the cell. */
  let tables = 0
  let row: string[] | undefined
  let rows = 0
  const flush = () => {
    const text = pre ? line.trim() : line.replace(/\s+/g, ' ').trim()
    line = ''
    if (!text) return
    if (row && tables) row[row.length - 1] = row.length ? `${row.at(-1)} ${text}`.trim() : text
    else if (heading) out.push('', `${'#'.repeat(Math.min(heading, 6))} ${text}`, '')
    else if (item) out.push(`- ${text}`)
    else out.push('', text, '')
  }
  const parser = new Parser({
    onopentag(name) {
      depth++
      if (name === 'title' && !title) inTitle = true
      if (name === 'script') scripts++
      if (skipped.has(name)) skipping++
      if (skipping) return
      if (name === 'br') {
        line += pre ? '\n' : ' '
        return
      }
      if (!blocks.has(name)) return
      flush()
      if (/^h[1-6]$/.test(name)) heading = Number(name[1])
      else if (name === 'li') item++
      else if (name === 'pre') pre++
      else if (name === 'table') {
        if (!tables++) {
          out.push('')
          rows = 0
        }
      } else if (name === 'tr' && tables === 1) row = []
      else if ((name === 'td' || name === 'th') && tables === 1) row?.push('')
    },
    ontext(text) {
      if (inTitle) title += text
      if (!skipping) line += text
    },
    onclosetag(name) {
      depth--
      if (name === 'title') inTitle = false
      if (skipped.has(name)) {
        skipping = Math.max(0, skipping - 1)
        return
      }
      if (skipping || !blocks.has(name)) return
      flush()
      if (/^h[1-6]$/.test(name)) heading = 0
      else if (name === 'li') {
        item = Math.max(0, item - 1)
      } else if ((name === 'ul' || name === 'ol') && !item) {
        out.push('')
      } else if (name === 'pre') pre = Math.max(0, pre - 1)
      else if (name === 'table') {
        tables = Math.max(0, tables - 1)
        if (!tables) out.push('')
      } else if (name === 'tr' && tables === 1 && row) {
        const cells = row.map((cell) => cell.replaceAll('|', '/').trim())
        row = undefined
        if (!cells.some(Boolean)) return
        // A row of one cell is a paragraph that somebody put into a table.
        if (cells.length === 1) out.push('', cells[0]!, '')
        else {
          out.push(`| ${cells.join(' | ')} |`)
          if (!rows++) out.push(`|${' --- |'.repeat(cells.length)}`)
        }
      }
    },
  })
  for (let start = 0; start < html.length; start += SLICE) {
    parser.write(html.slice(start, start + SLICE))
    if (depth > deepest) return undefined
  }
  parser.end()
  flush()
  const body = out
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
  const named = title.replace(/\s+/g, ' ').trim()
  return { text: named && !/^# /m.test(body) ? `# ${named}\n\n${body}` : body, scripts }
}
