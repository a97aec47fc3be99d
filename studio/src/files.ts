/**
 * Files as the browser hands them over: folders walked with their relative paths kept, sent to the server in pieces.
 * Knows nothing of what is in them; the server reads and judges.
 */
import { ask, Failed, get } from './fetching.ts'

export type ChosenFile = { name: string; file: File }

/** The most the server takes of one file, and of all. */
export const MAXIMUM_FILE_BYTES = 512 << 20
export const MAXIMUM_BYTES = 1024 * 2 ** 20

/** Adds files to a choice; one of the same name replaces the earlier. */
export function withFiles(chosen: readonly ChosenFile[], added: readonly ChosenFile[]): ChosenFile[] {
  const byName = new Map(chosen.map((entry) => [entry.name, entry]))
  for (const entry of added) byName.set(entry.name, entry)
  return [...byName.values()]
}

/** Files from an input; a folder's files carry their path in it. */
export function fromInput(list: Iterable<File>): ChosenFile[] {
  return Array.from(list, (file) => ({ name: file.webkitRelativePath || file.name, file }))
}

/** Files and folders dropped on the page. Must be called within the drop event: the browser empties the list after it. */
export async function fromDrop(data: DataTransfer): Promise<ChosenFile[]> {
  const entries = Array.from(data.items, (item) => item.webkitGetAsEntry?.() ?? null).filter((entry) => entry !== null)
  if (entries.length === 0) return fromInput(data.files)
  return (await Promise.all(entries.map((entry) => walk(entry, '')))).flat()
}

async function walk(entry: FileSystemEntry, folder: string): Promise<ChosenFile[]> {
  if (entry.name.startsWith('.')) return []
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    return [{ name: folder + entry.name, file }]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: ChosenFile[] = []
  // A reader gives at most a hundred entries at a time.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (batch.length === 0) return found
    for (const child of batch) found.push(...(await walk(child, `${folder}${entry.name}/`)))
  }
}

/** A file that the server holds; how a plan or a build names it. */
export type Uploaded = { name: string; upload: string }

const PIECE_BYTES = 4 << 20
/** How often a piece is tried that got no reply; between tries it waits longer each time, half a minute in all. */
const TRIES = 7

/**
 * Sends files in pieces, one after the other, and goes on where it was when the connection breaks or the server restarts.
 * `onWaiting` hears when there is no reply and it waits to try again, and when there is one again.
 * @throws {Unreadable} for a file that can no longer be read, {Failed} for what the server refuses.
 */
export async function upload(
  files: readonly ChosenFile[],
  { onSent, onWaiting }: { onSent: (bytes: number) => void; onWaiting: (waiting: boolean) => void },
): Promise<Uploaded[]> {
  const uploaded: Uploaded[] = []
  let before = 0
  for (const { name, file } of files) {
    if (!file.size) throw new Unreadable(name)
    let view = await patiently(() => ask<UploadView>('POST', '/api/uploads', { bytes: file.size }), onWaiting)
    while (view.received < file.size) {
      const piece = await file
        .slice(view.received, view.received + PIECE_BYTES)
        .arrayBuffer()
        .catch(() => {
          throw new Unreadable(name)
        })
      const { id, received } = view
      view = await patiently(() => send(id, received, piece), onWaiting)
      onSent(before + view.received)
    }
    before += file.size
    uploaded.push({ name, upload: view.id })
  }
  return uploaded
}

type UploadView = { id: string; received: number; bytes: number }

async function send(id: string, offset: number, piece: ArrayBuffer): Promise<UploadView> {
  try {
    return await ask<UploadView>('PUT', `/api/uploads/${id}?offset=${offset}`, piece)
  } catch (error) {
    // The piece arrived and its reply did not: what is there says where to go on.
    if (error instanceof Failed && error.code === 'upload_offset') return get<UploadView>(`/api/uploads/${id}`)
    throw error
  }
}

async function patiently<Value>(work: () => Promise<Value>, onWaiting: (waiting: boolean) => void): Promise<Value> {
  for (let tried = 1; ; tried++)
    try {
      const value = await work()
      if (tried > 1) onWaiting(false)
      return value
    } catch (error) {
      if (!(error instanceof Failed && error.code === 'server_away') || tried === TRIES) {
        onWaiting(false)
        throw error
      }
      onWaiting(true)
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** tried))
    }
}

/** A file that was there when it was chosen and cannot be read now. */
export class Unreadable extends Error {
  override readonly name = 'Files.Unreadable'
  readonly file: string
  constructor(file: string) {
    super(`The file ${file} is empty or cannot be read.`)
    this.file = file
  }
}
