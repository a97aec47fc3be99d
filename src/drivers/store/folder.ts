/**
 * Store in a folder: one file per hash, fanned out by its first two digits. Knows nothing of what the bytes are.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hashBytes, Id } from '../../core/id.ts'
import { CorruptError, MissingError, type Store } from '../../ports/store.ts'
import { writeDurably } from '../files/durable.ts'

/** A temporary file this old was left by a process that died. */
const abandonedAfterMilliseconds = 60 * 60 * 1000

/** Opens a store in `folder`, which is made at the first `put`. Writing throws `Files.WriteError`. */
export function folderStore(folder: string): Store {
  const incoming = join(folder, 'incoming')
  let swept: Promise<void> | undefined

  const place = (id: Id): string => {
    if (!Id.safeParse(id).success) throw new MissingError(String(id))
    return join(folder, id.slice(2, 4), id.slice(2))
  }
  const read = async (id: Id): Promise<Uint8Array> => {
    const path = place(id)
    let bytes: Uint8Array
    try {
      bytes = await readFile(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new MissingError(id)
      throw error
    }
    if (hashBytes(bytes) !== id) throw new CorruptError(id, path)
    return bytes
  }

  return {
    async put(bytes) {
      swept ??= sweep(incoming)
      await swept
      const id = hashBytes(bytes)
      // What is there already may have rotted: it is read and checked, and written again when it did.
      const intact = await read(id).then(
        () => true,
        () => false,
      )
      if (!intact) await writeDurably(place(id), bytes, { mode: 0o444, temporaryFolder: incoming })
      return id
    },
    get: read,
    async has(id) {
      if (!Id.safeParse(id).success) return false
      return stat(place(id)).then(
        (entry) => entry.isFile(),
        () => false,
      )
    },
    async path(id) {
      await read(id)
      return place(id)
    },
  }
}

async function sweep(incoming: string): Promise<void> {
  const names = await readdir(incoming).catch(() => [])
  for (const name of names) {
    const path = join(incoming, name)
    const entry = await stat(path).catch(() => undefined)
    if (entry && Date.now() - entry.mtimeMs > abandonedAfterMilliseconds) await rm(path, { force: true, recursive: true }).catch(() => {})
  }
}
