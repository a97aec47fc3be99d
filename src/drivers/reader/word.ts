/**
 * DOCX -> Markdown-like text: headings, paragraphs, lists, tables. Pictures and macros are passed over; deletions are gone.
 * Knows nothing of archives beyond their parts, nor of HTML beyond handing it on.
 */
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Content } from '../../ports/reader.ts'
import { type Archive, storedArchive } from './archive.ts'
import { readHtml } from './web-page.ts'
import { parseXml } from './xml.ts'

/** Parts that hold words, and what binds them; everything else never reaches the library. */
const wanted = /^(?:\[Content_Types\]\.xml|_rels\/\.rels|word\/[^/]+\.xml|word\/_rels\/[^/]+\.rels)$/

/** Only the checked parts, repacked, are given to mammoth: it unpacks without limits and follows what it finds. */
export async function readDocx(name: string, archive: Archive): Promise<Content[] | Refusal> {
  const parts = new Map<string, Uint8Array>()
  for (const path of archive.names.filter((candidate) => wanted.test(candidate))) {
    const bytes = await archive.read(path)
    if (isRefusal(bytes)) return bytes
    const bad = parseXml(name, path, bytes)
    if (bad) return bad
    parts.set(path, bytes)
  }
  const mammoth = (await import('mammoth')).default
  const { value } = await mammoth.convertToHtml(
    { buffer: storedArchive(parts) },
    {
      styleMap: ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh", 'comment-reference => '],
      convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
      externalFileAccess: false,
    },
  )
  // Entries of a table of contents only point elsewhere.
  const page = readHtml(value.replace(/<p><a href="#_Toc[^"]*">[^<]*(?:<(?!\/p>)[^<]*)*<\/p>/g, ''))
  if (!page) return refuse('nested_too_deeply', `${name} is nested too deeply to be read.`, 'Copy its text into a new document, and hand that over.')
  const { text } = page
  if (!/[\p{L}\p{N}]/u.test(text)) return refuse('empty_file', `${name} holds no words.`, 'Hand over a document with text, or leave this one out.')
  const macros = archive.names.some((path) => /vbaProject\.bin$/i.test(path))
  return [{ kind: 'text', name, text: `${text}\n`, ...(macros ? { note: 'its macros were not run and are ignored' } : {}) }]
}
