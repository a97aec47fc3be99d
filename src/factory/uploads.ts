/**
 * Uploads: files on their way in, in pieces, so that a broken connection or a restarted server costs one piece and not the file. A file is known
 * by a name nobody can guess, to be handed to a plan or a build, and goes a day after it was last touched. Knows nothing of what is in them.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'

/** The largest file, and the most that all files on their way may come to. */
export const LARGEST_FILE_BYTES = 512 << 20
const ALL_BYTES = 4 * 2 ** 30
/** The most one piece may hold. */
export const PIECE_BYTES = 8 << 20
const KEPT_MILLISECONDS = 24 * 3600 * 1000
/** How long the count of bytes under way is trusted before the folder is looked through again: a folder of files is announced one by one. */
const SWEEP_MILLISECONDS = 60_000
const Name = z.string().regex(/^[0-9a-f]{32}$/)
const About = z.object({ bytes: z.number().int().positive() })

export type UploadView = { id: string; received: number; bytes: number }

export interface Uploads {
  /** Announces a file of so many bytes. */
  begin(bytes: number): Promise<UploadView | Refusal>
  /** How much of it is here; where to go on from. */
  view(id: string): Promise<UploadView | Refusal>
  /** Adds a piece that begins at `offset`, which must be what is here already. */
  append(id: string, offset: number, piece: Uint8Array): Promise<UploadView | Refusal>
  /** The whole file. */
  read(id: string): Promise<Uint8Array | Refusal>
}

export function openUploads(options: { folder: string; now: () => number }): Uploads {
  const { folder, now } = options
  /** One piece at a time of each file: two windows must not write into each other. */
  const turns = new Map<string, Promise<unknown>>()
  let known: { at: number; bytes: number } | undefined
  const place = (id: string) => join(folder, id)
  const unknown = (id: string) =>
    refuse('upload_unknown', `There is no upload "${id.slice(0, 40)}" here.`, 'A file is kept for a day after its last piece: send it again.')

  async function view(id: string): Promise<UploadView | Refusal> {
    if (!Name.safeParse(id).success) return unknown(id)
    try {
      const { bytes } = About.parse(JSON.parse(await readFile(`${place(id)}.json`, 'utf8')))
      const { size } = await stat(place(id))
      return { id, bytes, received: size }
    } catch {
      return unknown(id)
    }
  }

  /** Forgets what was not touched for a day; the bytes that are left, those still to come included. */
  async function sweep(): Promise<number> {
    let total = 0
    for (const name of await readdir(folder).catch(() => [])) {
      if (!Name.safeParse(name).success) continue
      const about = await view(name)
      const touched = await stat(place(name)).catch(() => undefined)
      if (!isRefusal(about) && touched && now() - touched.mtimeMs < KEPT_MILLISECONDS) total += about.bytes
      else await Promise.all([rm(place(name), { force: true }), rm(`${place(name)}.json`, { force: true })])
    }
    return total
  }

  async function add(id: string, offset: number, piece: Uint8Array): Promise<UploadView | Refusal> {
    const about = await view(id)
    if (isRefusal(about)) return about
    if (offset !== about.received)
      return refuse(
        'upload_offset',
        `The piece begins at byte ${offset}, and ${about.received} bytes of the file are here.`,
        `Go on from byte ${about.received}.`,
      )
    if (offset + piece.length > about.bytes)
      return refuse(
        'upload_too_long',
        `The file was announced with ${about.bytes} bytes, and this piece goes on to ${offset + piece.length}.`,
        'Announce it anew.',
      )
    const file = await open(place(id), 'r+')
    try {
      await file.write(piece, 0, piece.length, offset)
    } catch (error) {
      // Half a piece is no piece: the next one begins where this one did.
      await file.truncate(offset).catch(() => {})
      throw error
    } finally {
      await file.close()
    }
    return { ...about, received: offset + piece.length }
  }

  return {
    view,
    async begin(bytes) {
      if (bytes > LARGEST_FILE_BYTES)
        return refuse(
          'file_too_large',
          `A file of ${Math.ceil(bytes / 2 ** 20)} MB is too large: ${LARGEST_FILE_BYTES >> 20} MB is the most.`,
          'Split it, or leave out what the model need not know.',
        )
      await mkdir(folder, { recursive: true, mode: 0o700 })
      if (!known || now() - known.at > SWEEP_MILLISECONDS) known = { at: now(), bytes: await sweep() }
      if (known.bytes + bytes > ALL_BYTES)
        return refuse('uploads_full', `There is no room for ${bytes} more bytes beside what is being uploaded.`, 'Try again when other builds have begun.')
      known.bytes += bytes
      const id = randomBytes(16).toString('hex')
      await writeFile(`${place(id)}.json`, JSON.stringify({ bytes }), { mode: 0o600 })
      await writeFile(place(id), new Uint8Array(), { mode: 0o600 })
      return { id, bytes, received: 0 }
    },
    append(id, offset, piece) {
      const turn = (turns.get(id) ?? Promise.resolve()).then(() => add(id, offset, piece))
      const settled = turn.catch(() => {})
      turns.set(id, settled)
      void settled.then(() => turns.get(id) === settled && turns.delete(id))
      return turn
    },
    async read(id) {
      const about = await view(id)
      if (isRefusal(about)) return about
      if (about.received !== about.bytes)
        return refuse('upload_unfinished', `Only ${about.received} of ${about.bytes} bytes of an upload are here.`, 'Send the rest first.')
      const time = new Date(now())
      await utimes(place(id), time, time)
      return readFile(place(id))
    },
  }
}
