/**
 * Reads text, Markdown, CSV, TSV, JSONL and JSON files of any encoding; says of everything else what it is and what to do.
 * Knows nothing of folders, nor of what a file will be used for.
 */
import { extname } from 'node:path/posix'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Content, Reader } from '../../ports/reader.ts'
import { decode, toUtf8 } from './encoding.ts'
import { readDelimited, readJson, readJsonLines, type Table } from './tables.ts'

const maximumBytes = 200 * 1024 * 1024

const texts = new Set(['', '.txt', '.text', '.md', '.markdown', '.rst'])
const tables = new Set(['.csv', '.tsv', '.tab', '.psv'])

/** What people hand over that is not read yet, and how to get text out of it. */
const others: Record<string, { what: string; hint: string }> = {
  '.pdf': { what: 'a PDF', hint: 'Export or copy it as text (.txt) or Markdown (.md) and hand that over.' },
  '.doc': { what: 'a Word document', hint: 'Save it as plain text (.txt) and hand that over.' },
  '.docx': { what: 'a Word document', hint: 'Save it as plain text (.txt) and hand that over.' },
  '.odt': { what: 'a text document', hint: 'Save it as plain text (.txt) and hand that over.' },
  '.rtf': { what: 'an RTF document', hint: 'Save it as plain text (.txt) and hand that over.' },
  '.xls': { what: 'a spreadsheet', hint: 'Export the sheet as CSV and hand that over.' },
  '.xlsx': { what: 'a spreadsheet', hint: 'Export the sheet as CSV and hand that over.' },
  '.ods': { what: 'a spreadsheet', hint: 'Export the sheet as CSV and hand that over.' },
  '.zip': { what: 'an archive', hint: 'Unpack it and hand over the folder.' },
  '.html': { what: 'a web page', hint: 'Save it as plain text (.txt) or Markdown (.md) and hand that over.' },
  '.htm': { what: 'a web page', hint: 'Save it as plain text (.txt) or Markdown (.md) and hand that over.' },
}

/** How the letters of a file are laid out. */
export type TextForm = 'text' | 'delimited' | 'json' | 'json-lines'

/** The form an extension promises, if it promises text at all. */
export function textForm(name: string): TextForm | undefined {
  const extension = extname(name).toLowerCase()
  if (tables.has(extension)) return 'delimited'
  if (extension === '.json') return 'json'
  if (extension === '.jsonl' || extension === '.ndjson') return 'json-lines'
  return texts.has(extension) ? 'text' : undefined
}

/** Bytes that are text of a known form; `name` is only what the file is called. */
export async function readText(name: string, bytes: Uint8Array, form: TextForm): Promise<Content | Refusal> {
  if (form === 'delimited') return readTable(name, bytes)
  const decoded = decode(name, bytes)
  if ('refused' in decoded) return decoded
  if (!/[\p{L}\p{N}]/u.test(decoded.text)) return refuse('empty_file', `${name} holds no words.`, 'Hand over a file with content, or leave this one out.')
  if (form === 'text') return { kind: 'text', name, text: decoded.text.replace(/\r\n?/g, '\n'), ...(decoded.note ? { note: decoded.note } : {}) }
  const table = form === 'json' ? readJson(name, decoded.text) : readJsonLines(name, decoded.text)
  return 'refused' in table ? table : contentOf(name, table, decoded.note)
}

/** A delimited table stays bytes until somebody goes over its rows. */
async function readTable(name: string, bytes: Uint8Array): Promise<Content | Refusal> {
  const utf8 = toUtf8(name, bytes)
  if ('refused' in utf8) return utf8
  if (!holdsWords(utf8.bytes)) return refuse('empty_file', `${name} holds no words.`, 'Hand over a file with content, or leave this one out.')
  const table = await readDelimited(name, utf8.bytes)
  return 'refused' in table ? table : contentOf(name, table, utf8.note)
}

function contentOf(name: string, { columns, rows, note }: Table, read: string | undefined): Content {
  const notes = [read, note].filter(Boolean).join('; ')
  return { kind: 'table', name, columns, rows, ...(notes ? { note: notes } : {}) }
}

function holdsWords(bytes: Uint8Array): boolean {
  const decoder = new TextDecoder()
  for (let start = 0; start < bytes.length; start += 1 << 20)
    if (/[\p{L}\p{N}]/u.test(decoder.decode(bytes.subarray(start, start + (1 << 20)), { stream: true }))) return true
  return false
}

/** What no reader can do anything with: nothing, and too much. */
export function badSize(name: string, bytes: Uint8Array): Refusal | undefined {
  if (bytes.length === 0) return refuse('empty_file', `${name} is empty (0 bytes).`, 'Hand over a file with content, or leave this one out.')
  if (bytes.length <= maximumBytes) return undefined
  const size = Math.ceil(bytes.length / 1024 / 1024)
  return refuse('file_too_large', `${name} is ${size} MB; at most 200 MB are read.`, 'Hand over a part of it: a few thousand good rows or pages are plenty.')
}

/** The reader of everything that is text already. */
export function textFiles(): Reader {
  return {
    async read({ name, bytes }): Promise<Content[] | Refusal> {
      const form = textForm(name)
      if (!form) {
        const extension = extname(name).toLowerCase()
        const other = others[extension] ?? { what: `a ${extension} file`, hint: 'Export it as CSV or text and hand that over.' }
        return refuse('file_kind_not_read', `${name} is ${other.what}, which is not read yet.`, other.hint)
      }
      const bad = badSize(name, bytes)
      if (bad) return bad
      const content = await readText(name, bytes, form)
      return 'refused' in content ? content : [content]
    },
  }
}
