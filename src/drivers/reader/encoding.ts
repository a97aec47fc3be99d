/**
 * Bytes -> text: finds out how a file's letters are encoded, or says that it is no text at all.
 * Knows nothing of tables, Markdown or what the text is for.
 */
import { isUtf8 } from 'node:buffer'
import { analyse } from 'chardet'
import { type Refusal, refuse } from '../../core/errors.ts'

export type Decoded = { text: string; note?: string | undefined }

/** First bytes of what people rename to .txt by mistake. */
const magics: readonly { what: string; bytes: readonly number[] }[] = [
  { what: 'a PDF document', bytes: [0x25, 0x50, 0x44, 0x46, 0x2d] },
  { what: 'a ZIP archive or an Office document', bytes: [0x50, 0x4b, 0x03, 0x04] },
  { what: 'an old Office document', bytes: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1] },
  { what: 'a PNG picture', bytes: [0x89, 0x50, 0x4e, 0x47] },
  { what: 'a JPEG picture', bytes: [0xff, 0xd8, 0xff] },
  { what: 'a GIF picture', bytes: [0x47, 0x49, 0x46, 0x38] },
  { what: 'a gzip archive', bytes: [0x1f, 0x8b] },
  { what: 'a program', bytes: [0x7f, 0x45, 0x4c, 0x46] },
  { what: 'an RTF document', bytes: [0x7b, 0x5c, 0x72, 0x74, 0x66] },
]

const magicOf = (bytes: Uint8Array) => magics.find((entry) => entry.bytes.every((byte, index) => bytes[index] === byte))

/** Decodes a file's bytes: byte order mark, else strict UTF-8, else the encoding its bytes look like. */
export function decode(name: string, bytes: Uint8Array): Decoded | Refusal {
  const magic = magicOf(bytes)
  if (magic) return binary(name, `it is ${magic.what}, whatever its name says`)
  const marked = byteOrderMark(bytes)
  if (marked) return strict(marked, bytes) ?? unknown(name, `it is marked as ${marked} but is not valid ${marked}`)
  const head = bytes.subarray(0, 65_536)
  if (head.includes(0)) {
    const wide = wideWithoutMark(head)
    const decoded = wide ? strict(wide, bytes) : undefined
    if (decoded && !looksBinary(decoded.text)) return { ...decoded, note: `read as ${wide}` }
    return binary(name, 'it holds bytes that no text has')
  }
  const utf8 = strict('utf-8', bytes)
  if (utf8) return looksBinary(utf8.text) ? binary(name, 'it is full of control characters') : utf8
  for (const guess of analyse(bytes.subarray(0, 262_144))) {
    if (guess.confidence < 20) break
    const decoded = strict(guess.name, bytes)
    if (decoded && !looksBinary(decoded.text)) return { ...decoded, note: `not UTF-8; read as ${guess.name}, which its bytes look like` }
  }
  return unknown(name, 'it is not UTF-8 and its bytes look like no encoding we know')
}

/** The same for what is to stay bytes: as they are where they are UTF-8, without the mark of their order; else as {@link decode} reads them. */
export function toUtf8(name: string, bytes: Uint8Array): { bytes: Uint8Array; note?: string | undefined } | Refusal {
  const mark = byteOrderMark(bytes)
  const plain = (mark === undefined || mark === 'utf-8') && !magicOf(bytes) && !bytes.subarray(0, 65_536).includes(0) && isUtf8(bytes)
  if (plain && !looksBinary(new TextDecoder().decode(bytes.subarray(0, 4 * 65_536)))) return { bytes: mark ? bytes.subarray(3) : bytes }
  const decoded = decode(name, bytes)
  return 'refused' in decoded ? decoded : { bytes: Buffer.from(decoded.text), ...(decoded.note ? { note: decoded.note } : {}) }
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return undefined
}

/** Latin text in UTF-16 has a zero in nearly every second byte. */
function wideWithoutMark(head: Uint8Array): string | undefined {
  const zeros: [number, number] = [0, 0]
  for (const [index, byte] of head.entries()) if (byte === 0) zeros[index % 2 === 0 ? 0 : 1]++
  if (zeros[1] > head.length * 0.3 && zeros[0] < head.length * 0.02) return 'utf-16le'
  if (zeros[0] > head.length * 0.3 && zeros[1] < head.length * 0.02) return 'utf-16be'
  return undefined
}

function strict(encoding: string, bytes: Uint8Array): Decoded | undefined {
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes) }
  } catch {
    return undefined
  }
}

/** More than one control character in 200: no text, or the wrong encoding. */
function looksBinary(text: string): boolean {
  const head = text.slice(0, 65_536)
  let controls = 0
  for (let index = 0; index < head.length; index++) {
    const code = head.charCodeAt(index)
    if ((code < 32 && code !== 9 && code !== 10 && code !== 12 && code !== 13) || (code >= 127 && code < 160 && code !== 133)) controls++
  }
  return controls * 200 > head.length
}

const binary = (name: string, why: string): Refusal =>
  refuse('binary_file', `${name} is not text: ${why}.`, 'Hand over the text itself: save or export it as plain text, Markdown or CSV.')

const unknown = (name: string, why: string): Refusal =>
  refuse(
    'unknown_encoding',
    `The letters of ${name} cannot be read: ${why}.`,
    'Save it again as UTF-8 (in a spreadsheet: "CSV UTF-8") and hand it over once more.',
  )
