/** Reader: the bytes of one file -> the tables and texts in it, or a refusal that names the file and says what to do. */
import type { Refusal } from '../core/errors.ts'

/** Rows of a table in their order, gone over as often as wanted; those of a long table are read anew each time, and an array will do for a short one. */
export interface Rows extends Iterable<Record<string, string>> {
  readonly length: number
}

/**
 * `name` is the file's; of a sheet `book.xlsx#Sheet`, of a file in an archive `archive.zip/folder/page.md`.
 * A form feed in a text ends a page, so that every passage can say which page it stands on.
 */
export type Content =
  | { kind: 'table'; name: string; columns: string[]; rows: Rows; note?: string | undefined }
  | { kind: 'text'; name: string; text: string; note?: string | undefined }

export interface Reader {
  /** `name` is a path relative to the folder the builder handed over. At least one content, all of the file's or none. */
  read(file: { name: string; bytes: Uint8Array }): Promise<Content[] | Refusal>
}
