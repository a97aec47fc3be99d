/**
 * Store in memory, for tests and for looking at something once. Files are written to a temporary folder only when a path is
 * asked for. Knows nothing of what the bytes are.
 */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashBytes, type Id } from '../../core/id.ts'
import { MissingError, type Store } from '../../ports/store.ts'

export function memoryStore(): Store {
  const kept = new Map<Id, Uint8Array>()
  let folder: Promise<string> | undefined

  const read = async (id: Id): Promise<Uint8Array> => {
    const bytes = kept.get(id)
    if (!bytes) throw new MissingError(id)
    return bytes.slice()
  }

  return {
    async put(bytes) {
      const id = hashBytes(bytes)
      kept.set(id, bytes.slice())
      return id
    },
    get: read,
    async has(id) {
      return kept.has(id)
    },
    async path(id) {
      const bytes = await read(id)
      folder ??= mkdtemp(join(tmpdir(), 'modelfactory-store-'))
      const path = join(await folder, id.slice(2))
      await writeFile(path, bytes)
      return path
    },
  }
}
