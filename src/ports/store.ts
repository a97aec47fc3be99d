/** Store: bytes by their hash. What is stored cannot change; what is read is checked. */
import type { Id } from '../core/id.ts'

export interface Store {
  /** Durable when it returns: written to a temporary name, synced, renamed. */
  put(bytes: Uint8Array): Promise<Id>
  /** Puts a copy of a file's bytes. */
  putFile(path: string): Promise<Id>
  /** @throws {Store.MissingError | Store.CorruptError} */
  get(id: Id): Promise<Uint8Array>
  has(id: Id): Promise<boolean>
  /** A path on disk holding exactly these bytes, for programs that open files themselves. */
  path(id: Id): Promise<string>
}
