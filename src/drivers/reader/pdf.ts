/**
 * PDF -> text with page ends, headings and simple tables. Says which pages hold no text and what to do about locked files.
 * Knows nothing of how lines become paragraphs. Nothing in the file is run or fetched.
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Content } from '../../ports/reader.ts'
import { type Line, linesOf, type Piece, textOfPages } from './pdf-layout.ts'
import { reasonOf } from './xml.ts'

export const mostPages = 5000

/** Fewer letters than this on a page are a stamp or a page number. */
const leastLetters = 12

export async function readPdf(name: string, bytes: Uint8Array): Promise<Content[] | Refusal> {
  const pdf = await import('pdfjs-dist/legacy/build/pdf.mjs')
  const assets = dirname(dirname(dirname(fileURLToPath(import.meta.resolve('pdfjs-dist/legacy/build/pdf.mjs')))))
  const loading = pdf.getDocument({
    // The library takes the bytes over.
    data: new Uint8Array(bytes),
    cMapUrl: join(assets, 'cmaps/'),
    cMapPacked: true,
    standardFontDataUrl: join(assets, 'standard_fonts/'),
    disableFontFace: true,
    isEvalSupported: false,
    enableXfa: false,
    maxImageSize: 1,
    verbosity: pdf.VerbosityLevel.ERRORS,
  })
  try {
    const document = await loading.promise
    if (document.numPages > mostPages)
      return refuse(
        'too_many_pages',
        `${name} has ${document.numPages.toLocaleString('en')} pages; at most ${mostPages.toLocaleString('en')} are read.`,
        'Hand over the chapters that matter as files of their own.',
      )
    const pages: Line[][] = []
    const textless: number[] = []
    const unreadable: number[] = []
    for (let number = 1; number <= document.numPages; number++) {
      const page = await document.getPage(number)
      const { transform: view } = page.getViewport({ scale: 1 })
      const { items } = await page.getTextContent({ disableNormalization: false })
      const pieces: Piece[] = []
      for (const item of items) {
        if (!('str' in item) || !item.str) continue
        const [a, b, , , x, y] = pdf.Util.transform(view, item.transform) as [number, number, number, number, number, number]
        // Upright lines only: slanted words are watermarks and labels of drawings.
        if (Math.abs(b) > Math.abs(a) * 0.2 || a < 0) continue
        const size = Math.round((Math.hypot(item.transform[2], item.transform[3]) || Math.abs(a)) * 10) / 10
        pieces.push({ text: item.str, x, y, width: item.width, size: size || 1, font: item.fontName })
      }
      const text = pieces.map((piece) => piece.text).join('')
      const letters = text.match(/[\p{L}\p{N}]/gu)?.length ?? 0
      const unmapped = text.match(/(?!\s)[\p{Cc}\p{Co}\ufffd]/gu)?.length ?? 0
      if (unmapped > letters) unreadable.push(number)
      else if (letters < leastLetters) textless.push(number)
      pages.push(unmapped > letters ? [] : linesOf(pieces))
      page.cleanup()
    }
    const recognise = 'Run text recognition (OCR) over it, for example with "ocrmypdf in.pdf out.pdf", and hand over the result.'
    if (unreadable.length && unreadable.length + textless.length === document.numPages)
      return refuse('pdf_letters_unknown', `${name} does not say which letters its signs stand for (${shown(unreadable)}).`, recognise)
    if (textless.length === document.numPages)
      return refuse('pdf_without_text', `${name} holds no text, only pictures or scans (${shown(textless)}).`, recognise)
    const notes: string[] = []
    if (textless.length) notes.push(`no text on ${shown(textless)}: blank, pictures or scans; if scans, run text recognition (OCR) and hand it over again`)
    if (unreadable.length) notes.push(`the letters on ${shown(unreadable)} cannot be told; run text recognition (OCR) and hand it over again`)
    const text = textOfPages(pages)
    return [{ kind: 'text', name, text: text.map((page) => `${clean(page)}\n\f`).join('\n'), ...(notes.length ? { note: notes.join('; ') } : {}) }]
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException')
      return refuse(
        'pdf_locked',
        `${name} is encrypted and opens only with a password.`,
        'Open it with the password, print or export it to a PDF without one, and hand that over.',
      )
    return refuse(
      'document_damaged',
      `${name} is a damaged PDF (${reasonOf(error)}).`,
      'Open it in a viewer, print or export it to a PDF again, and hand that over.',
    )
  } finally {
    await loading.destroy()
  }
}

/** Control characters have no place in a text; a form feed only ends a page. */
const clean = (text: string): string => text.replace(/(?![\t\n])\p{Cc}/gu, ' ')

/** "page 3" or "pages 1-4, 7 and 12 more". */
export function shown(pages: readonly number[]): string {
  const runs: string[] = []
  for (let start = 0; start < pages.length; ) {
    let end = start
    while (pages[end + 1] === pages[end]! + 1) end++
    runs.push(end > start ? `${pages[start]}-${pages[end]}` : `${pages[start]}`)
    start = end + 1
  }
  const more = runs.length > 12 ? ` and ${runs.length - 12} more` : ''
  return `${pages.length === 1 ? 'page' : 'pages'} ${runs.slice(0, 12).join(', ')}${more}`
}
