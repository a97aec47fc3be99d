/**
 * Text and Markdown -> passages: a few sentences each, with the title, heading, file, page and address they come from.
 * Knows nothing of questions, retrieval or models.
 */
import { type Passage, type Source, sentences } from '../core/dataset.ts'
import { contentId } from '../core/id.ts'
import { Likeness } from './likeness.ts'

export const passageSize = { sentences: 5, characters: 600 }

type Document = { name: string; text: string }
type Paragraph = { heading: string; text: string; page: number | undefined }

/** Cuts documents into passages; notes say in plain words what was left out. */
export function passagesOf(documents: readonly Document[], language: string): { passages: Passage[]; notes: string[]; repeated: string[] } {
  const parsed = documents.map((document) => ({ document, ...parse(document) }))
  const repeated = boilerplate(parsed.map((entry) => entry.paragraphs))
  const likeness = new Likeness()
  const passages: Passage[] = []
  const dropped = { navigation: 0, repeated: 0, alike: 0 }
  for (const { document, title, url, paragraphs } of parsed) {
    let open: string[] = []
    let heading = ''
    let page: number | undefined
    const close = () => {
      if (!open.length) return
      const text = open.join(' ')
      if (likeness.find(text).length) dropped.alike++
      else {
        likeness.add(text)
        passages.push(
          passage(title, heading, open, { file: document.name, ...(page ? { page } : {}), ...(heading ? { heading } : {}), ...(url ? { url } : {}) }),
        )
      }
      open = []
    }
    for (const paragraph of paragraphs) {
      if (repeated.has(paragraph.text)) {
        dropped.repeated++
        continue
      }
      if (paragraph.heading !== heading || paragraph.page !== page) {
        close()
        heading = paragraph.heading
        page = paragraph.page
      }
      for (const sentence of sentences(paragraph.text, language)) {
        if (isNavigation(sentence)) {
          dropped.navigation++
          continue
        }
        const size = open.reduce((sum, item) => sum + item.length + 1, 0)
        if (open.length >= passageSize.sentences || (open.length && size + sentence.length > passageSize.characters)) close()
        open.push(sentence)
      }
    }
    close()
  }
  const notes: string[] = []
  if (dropped.navigation) notes.push(`${dropped.navigation} sentences that only point elsewhere ("for more information, go to ...") were left out.`)
  if (dropped.alike) notes.push(`${dropped.alike} passages that are nearly the same as another were left out.`)
  return { passages, notes, repeated: dropped.repeated ? [...repeated] : [] }
}

/** A passage with its content id. */
export function passage(title: string, heading: string, sentences: string[], source: Source): Passage {
  return { id: contentId({ title, heading, sentences, source }), title, heading, sentences, source }
}

/** Title, address and paragraphs of one document. */
function parse(document: Document): { title: string; url: string | undefined; paragraphs: Paragraph[] } {
  // Each page ends with a form feed; a text without any has no pages.
  const pages = document.text
    .replace(/\r\n?/g, '\n')
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replace(/^(.{1,120})\n(=|-){3,}\s*$/gm, (_, line: string, mark: string) => `\n${mark === '=' ? '#' : '##'} ${line}\n`)
    .replace(/^(#{1,6}\s.*)$/gm, '\n$1\n')
    .split('\f')
  const numbered = pages.flatMap((text, index) =>
    text
      .split(/\n\s*\n+/)
      .map((block) => ({ block: block.trim(), page: pages.length > 1 ? index + 1 : undefined }))
      .filter(({ block }) => block),
  )
  const blocks = numbered.map(({ block }) => block)
  let title = ''
  let heading = ''
  let part = ''
  let url: string | undefined
  const paragraphs: Paragraph[] = []
  for (const [index, block] of blocks.entries()) {
    const marked = /^(#{1,6})\s+(.+?)\s*#*$/.exec(block)
    if (marked) {
      const name = clean(marked[2]!).replace(/\?{2,}/g, '?')
      if (!title) title = name
      else heading = name
      part = ''
      continue
    }
    const address = /https?:\/\/[^\s)>\]]+/.exec(block)?.[0]?.replace(/[.,;]+$/, '')
    const preamble = !heading && index < 6
    if (/^(source|quelle|fuente|fonte|chanzo|sumber|स्रोत|url|licen[cs]e)\s*:/i.test(block) || (preamble && address && block.length < 400)) {
      url ??= address
      continue
    }
    const text = unwrap(block)
    if (!text) continue
    if (isSubheading(text, paragraphs.at(-1)?.text, blocks[index + 1])) {
      part = text
      continue
    }
    paragraphs.push({ heading: part ? (heading ? `${heading} - ${part}` : part) : heading, text, page: numbered[index]!.page })
  }
  const fallback = document.name
    .replace(/^.*\//, '')
    .replace(/\.[^.]*$/, '')
    .replace(/[_-]+/g, ' ')
  return { title: title || fallback, url, paragraphs }
}

/** Lines of one paragraph are joined; list items and table rows stay apart, as each is a statement of its own. */
function unwrap(block: string): string {
  const lines = block.split('\n').map((line) => line.trim())
  if (lines.every((line) => /^\|?[\s:|-]+\|?$/.test(line))) return ''
  const joined: string[] = []
  for (const line of lines) {
    if (/^\|?[\s:|-]+\|?$/.test(line) || line.startsWith('```')) continue
    const item = /^(?:[-*+•]|\d{1,3}[.)])\s+/.test(line) || line.startsWith('|')
    if (item || !joined.length) joined.push(clean(line))
    else joined[joined.length - 1] = `${joined.at(-1)} ${clean(line)}`
  }
  return joined.filter(Boolean).join('\n')
}

/** Markdown's marks removed, the words kept. */
function clean(line: string): string {
  return line
    .replace(/^(?:[-*+•>]|\d{1,3}[.)])\s+/, '')
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/(\*\*|__|`)(.+?)\1/g, '$2')
    .replace(/^\||\|$/g, '')
    .replace(/\s*\|\s*/g, ', ')
    .replace(/<[^>]{1,80}>/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** A few words alone on a line between paragraphs of prose: a heading without a mark. List items follow a colon or each other. */
function isSubheading(text: string, before: string | undefined, after: string | undefined): boolean {
  if (text.length > 60 || text.includes('\n') || /[.:;,!。।]$/.test(text) || text.split(/\s+/).length > 8) return false
  if (before !== undefined && !/[.!?。।؟]["')\]]?$/.test(before)) return false
  return after !== undefined && !after.startsWith('#') && after.length > 80 && /[.!?:。।؟]["')\]]?$/.test(after)
}

/** Short paragraphs on three documents or more and on at least half of them: headers, footers, menus. */
function boilerplate(documents: readonly Paragraph[][]): Set<string> {
  const holders = new Map<string, number>()
  for (const paragraphs of documents) for (const text of new Set(paragraphs.map((paragraph) => paragraph.text))) holders.set(text, (holders.get(text) ?? 0) + 1)
  const least = Math.max(3, Math.ceil(documents.length * 0.5))
  return new Set([...holders].filter(([text, count]) => count >= least && text.length < 200).map(([text]) => text))
}

const isNavigation = (sentence: string): boolean =>
  /^(?:back to top|skip to|share this|print this|related links?|table of contents|click here|read more|learn more)\b/i.test(sentence) ||
  /^(?:for more|to (?:learn|read|find) more|see also|visit|go to|you can find more)\b.*\b(?:go to|visit|see|click|article|page|web ?site|link|https?:)/i.test(
    sentence,
  )
