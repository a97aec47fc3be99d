/** Store: bytes by their hash. What is stored cannot change; what is read is checked. */
import { BaseError } from '../core/errors.ts'
import type { Id } from '../core/id.ts'

export interface Store {
  /** Durable when it returns: written to a temporary name, synced, renamed. */
  put(bytes: Uint8Array): Promise<Id>
  /** @throws {MissingError | CorruptError} */
  get(id: Id): Promise<Uint8Array>
  has(id: Id): Promise<boolean>
  /**
   * A path on disk holding exactly these bytes, for programs that open files themselves.
   * @throws {MissingError | CorruptError}
   */
  path(id: Id): Promise<string>
}

/** Nothing is stored under this id. */
export class MissingError extends BaseError {
  override readonly name = 'Store.MissingError'
  constructor(id: string) {
    super(`Nothing is stored under ${id}. It was deleted, or belongs to another data folder.`)
  }
}

/** The bytes under this id are not the bytes that were put there. */
export class CorruptError extends BaseError {
  override readonly name = 'Store.CorruptError'
  constructor(id: string, where: string) {
    super(`The bytes of ${id} in ${where} have changed on disk. Restore the file from a copy, or build again.`)
  }
}
