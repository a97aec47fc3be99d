/**
 * The bytes of one file -> its contents, whatever kind it is: the bytes decide, and the name only where the bytes do not.
 * Knows nothing of processes and limits of memory or time; the driver runs it inside of them.
 */
import { basename, extname } from 'node:path/posix'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Content } from '../../ports/reader.ts'
import { type Archive, archiveLimits, type Budget, gunzip, newBudget, openArchive } from './archive.ts'
import { decode } from './encoding.ts'
import { badSize, readText, type TextForm, textForm } from './text-files.ts'

type File = { name: string; bytes: Uint8Array }

/** Kinds whose content tells what they are; with the extensions people give them. */
const kinds = {
  pdf: { what: 'a PDF', extensions: ['.pdf'] },
  docx: { what: 'a Word document', extensions: ['.docx', '.docm', '.dotx'] },
  xlsx: { what: 'a spreadsheet', extensions: ['.xlsx', '.xlsm', '.xltx'] },
  ods: { what: 'a spreadsheet', extensions: ['.ods', '.ots'] },
  zip: { what: 'an archive', extensions: ['.zip'] },
  html: { what: 'a web page', extensions: ['.html', '.htm', '.xhtml'] },
} as const
type Kind = keyof typeof kinds

/** Extensions of spreadsheets: text under such a name is a table that some program exported. */
const sheets = new Set<string>(['.xls', ...kinds.xlsx.extensions, ...kinds.ods.extensions])

/** Reads one file. Faults of the libraries are the file's: they become a refusal. */
export async function readDocument({ name, bytes }: File, budget: Budget = newBudget(), depth = 0): Promise<Content[] | Refusal> {
  const bad = badSize(name, bytes)
  if (bad) return bad
  if (isPdf(name, bytes)) return named('pdf', name, await (await import('./pdf.ts')).readPdf(name, bytes))
  if (isPacked(bytes)) return readPacked({ name, bytes }, budget, depth)
  if (isGzip(bytes)) return readGzip({ name, bytes }, budget, depth)
  if (starts(bytes, OLD_OFFICE)) return oldOffice(name, bytes)
  if (isHtml(name, bytes)) return readPage(name, bytes)
  const extension = extname(name).toLowerCase()
  if (starts(bytes, '<?xml', 4)) return refuse('file_kind_not_read', `${name} is an XML file, which is not read.`, 'Export what it holds as CSV, text or HTML.')
  const form = textForm(name) ?? guessed(extension, bytes)
  const content = await readText(name, bytes, form)
  if (isRefusal(content)) return content
  const claimed = Object.values(kinds).find((kind) => kind.extensions.some((known) => known === extension))
  return [claimed ? withNote(content, `it is named ${extension} but is ${form === 'text' ? 'plain text' : 'a text table'}, and was read as that`) : content]
}

async function readPacked({ name, bytes }: File, budget: Budget, depth: number): Promise<Content[] | Refusal> {
  if (depth > archiveLimits.depth)
    return refuse('archive_too_deep', `${name} is an archive within ${archiveLimits.depth} archives.`, 'Unpack it and hand over the folder.')
  const archive = await openArchive(name, bytes, budget)
  if (isRefusal(archive)) return archive
  const holds = (pattern: RegExp): boolean => archive.names.some((path) => pattern.test(path))
  if (holds(/^\[Content_Types\]\.xml$/)) {
    if (holds(/^word\//)) return named('docx', name, await (await import('./word.ts')).readDocx(name, archive))
    if (holds(/^xl\/workbook\.xml$/)) return named('xlsx', name, await (await import('./workbook.ts')).readXlsx(name, archive))
    if (holds(/^ppt\//)) return refuse('file_kind_not_read', `${name} is a presentation, which is not read.`, 'Export it as PDF and hand that over.')
    if (holds(/^xl\//)) return refuse('file_kind_not_read', `${name} is a binary workbook, which is not read.`, 'Save it as .xlsx and hand that over.')
  }
  if (holds(/^mimetype$/) && holds(/^content\.xml$/)) {
    const type = await archive.read('mimetype')
    if (isRefusal(type)) return type
    const manifest = holds(/^META-INF\/manifest\.xml$/) ? await archive.read('META-INF/manifest.xml') : new Uint8Array()
    if (isRefusal(manifest)) return manifest
    if (latin(manifest, manifest.length).includes('encryption-data'))
      return refuse('document_locked', `${name} is protected by a password.`, 'Open it, save it without a password, and hand that over.')
    if (latin(type, 100).includes('spreadsheet')) return named('ods', name, await (await import('./workbook.ts')).readOds(name, archive))
    return refuse('file_kind_not_read', `${name} is an OpenDocument file that is no spreadsheet.`, 'Save it as .docx or PDF and hand that over.')
  }
  return readArchive(name, archive, budget, depth)
}

/** All files of an archive or none; what systems add to archives is left out. */
async function readArchive(name: string, archive: Archive, budget: Budget, depth: number): Promise<Content[] | Refusal> {
  const contents: Content[] = []
  const wanted = archive.names.filter((path) => !path.split('/').some((part) => part.startsWith('.') || part === '__MACOSX' || part === 'Thumbs.db'))
  if (!wanted.length) return refuse('empty_file', `${name} is an archive without files.`, 'Put your documents or table into it.')
  for (const path of [...wanted].sort()) {
    const bytes = await archive.read(path)
    if (isRefusal(bytes)) return bytes
    const read = await readDocument({ name: `${name}/${path}`, bytes }, budget, depth + 1)
    if (isRefusal(read)) return read
    contents.push(...read)
  }
  return contents
}

/** What stands in `rows.jsonl.gz` is read as `rows.jsonl.gz/rows.jsonl`, as if it stood in an archive of one file. */
async function readGzip({ name, bytes }: File, budget: Budget, depth: number): Promise<Content[] | Refusal> {
  const inner = basename(name).replace(/\.gz(?:ip)?$/i, '')
  if (/\.tar$|\.tgz$/i.test(inner)) return refuse('file_kind_not_read', `${name} is a tar archive, which is not read.`, 'Unpack it, or make a ZIP of it.')
  if (depth > archiveLimits.depth)
    return refuse('archive_too_deep', `${name} is an archive within ${archiveLimits.depth} archives.`, 'Unpack it and hand over the folder.')
  const unpacked = await gunzip(name, bytes, budget)
  return isRefusal(unpacked) ? unpacked : readDocument({ name: `${name}/${inner}`, bytes: unpacked }, budget, depth + 1)
}

async function readPage(name: string, bytes: Uint8Array): Promise<Content[] | Refusal> {
  const decoded = decodeHtml(name, bytes)
  if ('refused' in decoded) return decoded
  const page = (await import('./web-page.ts')).readHtml(decoded.text)
  if (!page) return refuse('nested_too_deeply', `${name} is nested too deeply to be read.`, 'Open it in a browser, save it as text or PDF, and hand that over.')
  const { text, scripts } = page
  if (!/[\p{L}\p{N}]/u.test(text))
    return refuse(
      'empty_file',
      `${name} is a web page without words${scripts ? '; its scripts, which would fetch them, are not run' : ''}.`,
      'Open it in a browser, save it as text or PDF, and hand that over.',
    )
  return named('html', name, [{ kind: 'text', name, text: `${text}\n`, ...(decoded.note ? { note: decoded.note } : {}) }])
}

/** The encoding a page declares, where it is one; else what its bytes look like. */
function decodeHtml(name: string, bytes: Uint8Array): ReturnType<typeof decode> {
  const declared = /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{2,30})/i.exec(latin(bytes, 4096))?.[1]
  if (declared && bytes[0] !== 0xff && bytes[0] !== 0xfe && bytes[0] !== 0xef) {
    try {
      return { text: new TextDecoder(declared, { fatal: true }).decode(bytes) }
    } catch {
      // A page that declares what it is not is read as what it looks like.
    }
  }
  return decode(name, bytes)
}

/** The form of a file that is text by its name and nothing else by its bytes. */
export function plainForm({ name, bytes }: File): TextForm | undefined {
  const form = textForm(name)
  if (!form || !bytes.length || isPdf(name, bytes) || isPacked(bytes) || isGzip(bytes) || starts(bytes, OLD_OFFICE) || isHtml(name, bytes)) return undefined
  return form
}

/** Junk before the mark is allowed where the name says PDF too. */
function isPdf(name: string, bytes: Uint8Array): boolean {
  return starts(bytes, '%PDF-', extname(name).toLowerCase() === '.pdf' ? 1024 : 4)
}

const OLD_OFFICE = '\u00d0\u00cf\u0011\u00e0'
const isPacked = (bytes: Uint8Array): boolean => starts(bytes, 'PK\u0003\u0004') || starts(bytes, 'PK\u0005\u0006')

const isGzip = (bytes: Uint8Array): boolean => starts(bytes, '\u001f\u008b\u0008')

function isHtml(name: string, bytes: Uint8Array): boolean {
  const head = latin(bytes, 1024).replace(/\0/g, '')
  if (/^[^<]{0,8}(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]{0,500}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b/i.test(head)) return true
  return kinds.html.extensions.some((extension) => name.toLowerCase().endsWith(extension)) && /<[a-z!/]/i.test(latin(bytes, 65_536).replace(/\0/g, ''))
}

/** Office documents before 2007, and those of today when a password locks them. */
function oldOffice(name: string, bytes: Uint8Array): Refusal {
  const locked = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(Buffer.from('EncryptedPackage', 'utf16le'))
  return locked
    ? refuse('document_locked', `${name} is protected by a password.`, 'Open it, save it without a password, and hand that over.')
    : refuse(
        'file_kind_not_read',
        `${name} is an Office document of the old kind (before 2007), which is not read.`,
        'Save it as .docx or .xlsx and hand that over.',
      )
}

/** The form of text under a name that promises none. */
function guessed(extension: string, bytes: Uint8Array): TextForm {
  if (sheets.has(extension)) return 'delimited'
  const first = latin(bytes, 200).trimStart()[0]
  if (first === '[') return 'json'
  return first === '{' ? 'json-lines' : 'text'
}

/** Notes when a file's name said something else. */
function named(kind: Kind, name: string, read: Content[] | Refusal): Content[] | Refusal {
  const extension = extname(name).toLowerCase()
  if (isRefusal(read) || !extension || kinds[kind].extensions.some((known) => known === extension)) return read
  return read.map((content, index) => (index ? content : withNote(content, `it is named ${extension} but is ${kinds[kind].what}, and was read as that`)))
}

const withNote = (content: Content, note: string): Content => ({ ...content, note: content.note ? `${content.note}; ${note}` : note })

const latin = (bytes: Uint8Array, length: number): string => Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, length)).toString('latin1')
const starts = (bytes: Uint8Array, magic: string, within = 0): boolean => {
  const place = latin(bytes, within + magic.length).indexOf(magic)
  return place >= 0 && place <= within
}
