/**
 * A ZIP or gzip archive -> its files, inflated under limits that hold whatever its headers claim; and files -> a plain archive.
 * Knows nothing of what the files are. Nothing is ever written to disk.
 */
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { crc32, createGunzip } from 'node:zlib'
import { type Refusal, refuse } from '../../core/errors.ts'

export const archiveLimits = { files: 5000, megabytes: 256, ratio: 250, depth: 2 }

/** What one file handed over may still inflate to, all archives inside it together. */
export type Budget = { bytes: number }
export const newBudget = (): Budget => ({ bytes: archiveLimits.megabytes * MEGABYTE })

export type Archive = {
  names: readonly string[]
  /** Inflates one file, or refuses. */
  read(path: string): Promise<Uint8Array | Refusal>
}

const MEGABYTE = 1024 * 1024
/** Below this much a high ratio is only a repetitive file. */
const RATIO_FROM = 20 * MEGABYTE

/** What is used of yauzl, which brings no types. */
type ZipEntry = { fileName: string; compressedSize: number; uncompressedSize: number; compressionMethod: number; isEncrypted(): boolean }
type ZipFile = { eachEntry(): AsyncIterable<ZipEntry>; openReadStream(entry: ZipEntry, callback: (error: Error | null, stream: Readable) => void): void }
type Yauzl = { fromBufferPromise(buffer: Buffer): Promise<ZipFile> }

/** Lists an archive. Paths that lead out of it, locked files and claims beyond the limits are refused before anything is inflated. */
export async function openArchive(name: string, bytes: Uint8Array, budget: Budget): Promise<Archive | Refusal> {
  const yauzl = createRequire(import.meta.url)('yauzl') as Yauzl
  const entries = new Map<string, ZipEntry>()
  let claimed = 0
  let zip: ZipFile
  try {
    zip = await yauzl.fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue
      if (entry.isEncrypted()) return locked(name, entry.fileName)
      if (entries.size >= archiveLimits.files)
        return refuse('archive_too_many_files', `${name} holds more than ${archiveLimits.files} files.`, 'Unpack it and hand over the files that matter.')
      claimed += entry.uncompressedSize
      if (claimed > budget.bytes) return tooLarge(name, `says that it unpacks to ${Math.ceil(claimed / MEGABYTE).toLocaleString('en')} MB`)
      if (isBomb(entry.uncompressedSize, entry.compressedSize)) return bomb(name, entry.fileName, entry.uncompressedSize / entry.compressedSize)
      entries.set(entry.fileName, entry)
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const path = /^(?:invalid relative path|absolute path|invalid characters in fileName): (.*)$/.exec(reason)?.[1]
    if (path !== undefined)
      return refuse(
        'archive_path',
        `${name} holds a file whose path leads out of the archive: "${path.slice(0, 200)}".`,
        'Make the archive again from a plain folder.',
      )
    if (/encryption/.test(reason)) return locked(name, 'its files')
    return refuse('archive_damaged', `${name} is a damaged archive or document (${reason.split(/[.\n]/)[0]}).`, 'Make or save it again and hand that over.')
  }

  async function read(path: string): Promise<Uint8Array | Refusal> {
    const entry = entries.get(path)
    if (!entry) throw new Error(`no entry ${path}`)
    const parts: Buffer[] = []
    let total = 0
    try {
      const stream = await new Promise<Readable>((resolve, reject) => zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened))))
      for await (const part of stream as AsyncIterable<Buffer>) {
        total += part.length
        budget.bytes -= part.length
        // Leaving the loop destroys the stream, so nothing more is inflated.
        if (budget.bytes < 0) return tooLarge(name, `unpacks to more than ${archiveLimits.megabytes} MB`)
        if (isBomb(total, entry.compressedSize)) return bomb(name, path, total / entry.compressedSize)
        parts.push(part)
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return refuse('archive_damaged', `"${path}" in ${name} cannot be unpacked (${reason.split(/[.\n]/)[0]}).`, 'Make or save it again and hand that over.')
    }
    return new Uint8Array(Buffer.concat(parts, total))
  }
  return { names: [...entries.keys()], read }
}

const isBomb = (inflated: number, packed: number): boolean => inflated > RATIO_FROM && inflated > packed * archiveLimits.ratio

const locked = (name: string, path: string): Refusal =>
  refuse('archive_locked', `${name} is protected by a password (${path}).`, 'Unpack it with its password and hand over the files themselves.')
const tooLarge = (name: string, what: string): Refusal =>
  refuse(
    'archive_too_large',
    `${name} ${what}; at most ${archiveLimits.megabytes} MB are read.`,
    'Hand over a part of it: a few thousand good rows or pages are plenty.',
  )
const bomb = (name: string, path: string, ratio: number): Refusal =>
  refuse(
    'archive_bomb',
    `"${path}" in ${name} unpacks to ${Number.isFinite(ratio) ? `${Math.round(ratio)} times its size` : 'far more than its size'}; at most ${archiveLimits.ratio} times is read.`,
    'Unpack it yourself, look at what it holds, and hand over the files that matter.',
  )

/** The one file in a gzip member (RFC 1952), inflated under the same limits; several members follow one another as one. */
export async function gunzip(name: string, bytes: Uint8Array, budget: Budget): Promise<Uint8Array | Refusal> {
  const parts: Buffer[] = []
  let total = 0
  try {
    const packed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for await (const part of Readable.from([packed]).pipe(createGunzip()) as AsyncIterable<Buffer>) {
      total += part.length
      budget.bytes -= part.length
      if (budget.bytes < 0) return tooLarge(name, `unpacks to more than ${archiveLimits.megabytes} MB`)
      if (isBomb(total, bytes.length)) return bomb(name, 'its only file', total / bytes.length)
      parts.push(part)
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return refuse('archive_damaged', `${name} cannot be unpacked (${reason.split(/[.\n]/)[0]}).`, 'Make or save it again and hand that over.')
  }
  return new Uint8Array(Buffer.concat(parts, total))
}

/** Files -> an archive that is only stored, so that a library gets exactly the bytes that were checked. */
export function storedArchive(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [path, bytes] of files) {
    const name = Buffer.from(path)
    const head = Buffer.alloc(26)
    head.writeUInt16LE(20, 0)
    head.writeUInt16LE(0x800, 2)
    head.writeUInt32LE(crc32(bytes), 10)
    head.writeUInt32LE(bytes.length, 14)
    head.writeUInt32LE(bytes.length, 18)
    head.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.from([0x50, 0x4b, 1, 2, 20, 0]), head, place, name)
    parts.push(Buffer.from([0x50, 0x4b, 3, 4]), head, name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    offset += 30 + name.length + bytes.length
  }
  const list = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.size, 8)
  end.writeUInt16LE(files.size, 10)
  end.writeUInt32LE(list.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, list, end])
}
