/**
 * Files as the browser hands them over: read into base64, folders walked with their relative paths kept.
 * Knows nothing of what is in them; the server reads and judges.
 */
import type { UploadFile } from './api.ts'

export type ChosenFile = { name: string; file: File }

/** The server takes 64 MB, and base64 makes every three bytes four. */
export const MAXIMUM_BYTES = 46_000_000

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

/** The bytes of a file as base64. @throws when the file can no longer be read. */
export function encode(chosen: ChosenFile): Promise<UploadFile> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => {
      const address = String(reader.result)
      // An empty file has no comma in some browsers.
      resolve({ name: chosen.name, base64: address.includes(',') ? address.slice(address.indexOf(',') + 1) : '' })
    }
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(chosen.file)
  })
}
